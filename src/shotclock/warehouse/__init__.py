"""Adapters to where a pipeline's tables live."""
