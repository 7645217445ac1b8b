"""Benchmarks: what the engine reaches, beside the bare store underneath it and beside what users would pick instead."""
