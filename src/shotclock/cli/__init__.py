"""The commands: they choose the adapters, say what happens in words or as JSON, and end with a code for scripts."""
