"""The thin shell around the core: it loads what a decision needs, asks, and writes what follows in one commit."""
