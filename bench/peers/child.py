"""One measure of a peer in a process of its own: ``python -m bench.peers.child MODULE FUNCTION '{"items": 1000}'``."""

import json
import os
import sys
from importlib import import_module


def main() -> None:
    """Take the measure that the arguments name, print its result as JSON, and leave whatever still runs."""
    module, function, given = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    result = getattr(import_module(f"bench.peers.{module}"), function)(**given)
    print(json.dumps(result), flush=True)  # noqa: T201 - this is the child's answer
    os._exit(0)


if __name__ == "__main__":
    main()
