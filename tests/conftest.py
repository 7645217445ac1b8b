"""Settings for all tests: property tests draw the same examples in every run, and none is failed for being slow."""

from hypothesis import settings

settings.register_profile("shotclock", derandomize=True, deadline=None, max_examples=100, database=None)
settings.load_profile("shotclock")
