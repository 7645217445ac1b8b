"""For tests of pipelines and of Shotclock itself: a clock that is set by hand, a store in memory, and the simulator."""

from shotclock.stores.memory import MemoryStore
from shotclock.testing.clock import FakeClock, SkewedClock
from shotclock.testing.simulation import SimulationReport, Violation, simulate

__all__ = ["FakeClock", "MemoryStore", "SimulationReport", "SkewedClock", "Violation", "simulate"]
