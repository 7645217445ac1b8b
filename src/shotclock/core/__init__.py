"""The decisions, all pure: what a report means, when a gate opens, who may work; `now` is always an argument."""
