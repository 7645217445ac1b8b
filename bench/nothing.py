"""The same stack doing nothing: ``python -m bench.nothing`` reads each request and answers as a report is answered."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shotclock.clock import SystemClock
from shotclock.http import serving
from shotclock.settings import Settings

SAID = b'{"answer":"accepted","detail":"item-100000 is succeeded"}'


async def nothing(request: Request) -> Response:
    """Read the body and answer."""
    await request.body()
    return Response(SAID, 200, {"content-type": "application/json"})


def main() -> None:
    """Serve until the process is ended; print where first."""
    settings = Settings(listen="127.0.0.1:0")
    listening = serving.opened(settings.listen)
    print(f'{{"url": "{serving.url(listening)}", "at": "{SystemClock().now()}"}}', flush=True)  # noqa: T201 - for who started it
    app = Starlette(routes=[Route("/v1/reports", nothing, methods=["POST"])])
    with serving.served(app, listening, settings) as server:
        server.join()


if __name__ == "__main__":
    main()
