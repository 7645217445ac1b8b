"""The reading of `pipeline.yaml`: from the file to a checked plan, or to a line for each thing wrong with it."""

from shotclock.spec.imports import check_imports
from shotclock.spec.keys import check_key
from shotclock.spec.loading import load, modes
from shotclock.spec.schema import schema

__all__ = ["check_imports", "check_key", "load", "modes", "schema"]
