"""Lets ``python -m shotclock`` do what the command does."""

from shotclock.cli.main import main

if __name__ == "__main__":
    main()
