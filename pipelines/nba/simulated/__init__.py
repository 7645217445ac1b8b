"""A whole simulated league in the published layouts: invented players, teams and games, the same on every machine."""

from nba.simulated.calendar import FIRST_DAY, LAST_DAY
from nba.simulated.files import early, espn, league, season
from nba.simulated.play import SEED

__all__ = ["FIRST_DAY", "LAST_DAY", "SEED", "early", "espn", "league", "season"]
