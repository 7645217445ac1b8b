-- Means of a player's or team's last games, oldest first, weighted by how long ago they were.
CREATE OR REPLACE TEMP MACRO weighed(games, weights) AS list_inner_product(games, weights[-len(games):]);
CREATE OR REPLACE TEMP MACRO recent(games, weights) AS weighed(games, weights) / list_sum(weights[-len(games):]);
CREATE OR REPLACE TEMP MACRO per_minute(games, minutes, weights) AS
  CASE WHEN weighed(minutes, weights) > 0 THEN weighed(games, weights) / weighed(minutes, weights) END;
