"""DBOS's side: workflows on a queue that do nothing, on SQLite, in one process."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dbos import DBOS, DBOSConfig, Queue, SetWorkflowID


def _item(number: int, fault: str = "", seen: str = "") -> int:
    if number == 0 and fault == "permanent":
        message = "can never succeed"
        raise ValueError(message)
    if number == 0 and fault == "hung":
        time.sleep(3600)
    if seen:
        with Path(seen).open("a", encoding="utf-8") as told:
            told.write(f"{number}\n")
    return 1


item = DBOS.workflow(name="item")(_item)


def _launch(folder: str, address: str = "") -> Queue:
    config: DBOSConfig = {
        "name": "bench",
        "system_database_url": address or f"sqlite:///{folder}/dbos.sqlite",
        "log_level": "ERROR",
        "run_admin_server": False,
    }
    DBOS(config=config)
    DBOS.launch()
    return DBOS.register_queue("bench", concurrency=8, polling_interval_sec=0.05)


def timed(items: int, folder: str, address: str = "") -> dict[str, float]:
    """Return the rate of one fan-in, from the first call to the last result; on PostgreSQL if there is an address."""
    queue = _launch(folder, address)
    start = time.monotonic()
    handles = [queue.enqueue(item, number) for number in range(items)]
    assert sum(handle.get_result() for handle in handles) == items
    return {"rate": items / (time.monotonic() - start)}


def faulty(fault: str, folder: str, limit: float) -> dict[str, str]:
    """Enqueue a fan-in of ten with one fault; say what became of it."""
    queue = _launch(folder)
    seen = f"{folder}/seen"
    handles = []
    for number in [*range(10), *([0] if fault == "duplicate" else [])]:
        with SetWorkflowID(f"item-{number}"):
            handles.append(queue.enqueue(item, number, fault, seen))
    with ThreadPoolExecutor() as pool:
        found = pool.submit(lambda: sum(handle.get_result() for handle in handles[:10]))
        try:
            told = f"results of {found.result(timeout=limit)} of 10"
        except TimeoutError:
            told = f"no result in {limit:.0f} s, and no clock that would end the wait"
        except Exception as error:  # noqa: BLE001 - whatever it raises is what is observed
            told = f"the wait raised {type(error).__name__}: {error}"[:140]
        ran = len(Path(seen).read_text(encoding="utf-8").split()) if Path(seen).exists() else 0
        print_and_leave(f"{told}; functions ran {ran} times")
    return {}


def print_and_leave(told: str) -> None:
    """Print the observation and end the process, whatever hangs in it."""
    import json  # noqa: PLC0415 - used on the way out alone
    import os  # noqa: PLC0415 - likewise

    print(json.dumps({"observed": told}), flush=True)  # noqa: T201 - this is the child's answer
    os._exit(0)
