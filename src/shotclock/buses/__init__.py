"""Adapters that carry doorbells between processes."""
