"""A script carried out by another process."""

import os
import subprocess
import sys


def environment() -> dict[str, str]:
    """Return an environment in which a child imports what this process does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def said_by(script: str, *arguments: str) -> list[str]:
    """Carry out a script to its end; return the lines it wrote."""
    command = [sys.executable, "-c", script, *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())  # noqa: S603 - this very interpreter
    return answer.stdout.splitlines()
