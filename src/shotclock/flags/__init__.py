"""Flags for the world outside: names that others know features by, and a provider for the OpenFeature client."""
