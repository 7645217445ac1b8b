-- Kilometres between two points of the globe, by the haversine; and numbers as whole hundredths, whose sums are exact.
CREATE OR REPLACE TEMP MACRO distance(latitude, longitude, from_latitude, from_longitude) AS round(12742 * asin(sqrt(
  pow(sin(radians(latitude - from_latitude) / 2), 2)
  + cos(radians(latitude)) * cos(radians(from_latitude)) * pow(sin(radians(longitude - from_longitude) / 2), 2))));
CREATE OR REPLACE TEMP MACRO epoch_days(day) AS date_diff('day', DATE '1970-01-01', day);
CREATE OR REPLACE TEMP MACRO hundredths(number) AS round(100 * number)::BIGINT;
