"""The product's pages on a real server, with a side door for tests: `python -m tests.browser.stage PORT`.

`POST /stage/<scene>/` runs one function of tests/browser/scenes*.py with the JSON in its body and answers
with its value; `/stage/tick/` publishes one tick as a media process does. Everything else is the product.
"""

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from contactcenter.asgi import application as product  # loads the settings

SCENES = sorted(path.stem for path in Path(__file__).parent.glob("scenes*.py"))


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The product, and the side door before it."""
    if scope["type"] == "http" and scope["path"].startswith("/stage/"):
        await side_door(scope, receive, send)
    else:
        await product(scope, receive, send)


async def side_door(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """One scene."""
    body = b""
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body"):
            break
    value = await play(scope["path"].split("/")[2], json.loads(body or b"{}"))
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})


async def play(name: str, arguments: dict[str, Any]) -> Any:
    """Run a scene in a thread with a database connection, or publish a tick from this loop."""
    from channels.db import database_sync_to_async

    from calls.channels import publish
    from tests.browser import scenes

    if name == "tick":
        kind = arguments["kind"]
        text = getattr(scenes, f"{kind}_text")(arguments["value"])
        return await publish(kind, text, source=arguments.get("source", "stage"))
    return await database_sync_to_async(scene(name))(**arguments)


def scene(name: str) -> Callable[..., Any]:
    """A function of one of the modules of scenes, by its name."""
    modules = [import_module(f"tests.browser.{module}") for module in SCENES]
    found = [getattr(module, name) for module in modules if hasattr(module, name)]
    if not found:
        raise LookupError(name)
    return cast(Callable[..., Any], found[0])


def main(port: int) -> None:
    """Serve on loopback until SIGTERM, with the product's own server."""
    from contactcenter.serving import DrainingServer

    DrainingServer(
        application=application,
        endpoints=[f"tcp:port={port}:interface=127.0.0.1:backlog=128"],
        websocket_timeout=-1,
        server_name="",
        verbosity=0,
    ).run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
