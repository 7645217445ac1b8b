"""What users would pick instead, each with a worker of its own: how long a fan-in takes, and what faults do to it."""
