"""One measure in a process of its own: ``python -m bench.child NAME '{"items": 1000}'`` prints its result as JSON."""

import json
import sys
from collections.abc import Callable, Mapping

from bench import alerting, bare, faults, ours, service


def main() -> None:
    """Take the measure that the arguments name."""
    name, given = sys.argv[1], json.loads(sys.argv[2])
    measures: dict[str, Callable[..., Mapping[str, object]]] = {
        **ours.MEASURES,
        **bare.MEASURES,
        **service.MEASURES,
        **alerting.MEASURES,
        "faulty": faults.faulty,
    }
    result = measures[name](**given)
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
