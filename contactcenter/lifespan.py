"""Start and end of a serving process, whatever its server: uvicorn by ASGI lifespan, Daphne by serving."""

import logging
import sys
from inspect import iscoroutinefunction
from typing import Any

from asgiref.sync import sync_to_async

from contactcenter import lock
from contactcenter.draining import draining

__all__ = ["finish", "run"]

_log = logging.getLogger("contactcenter.serving")
# What lives in a process and has rows to write at its end; only if it was ever loaded.
_LIVING = ("streams.live.runtime",)


async def run(receive: Any, send: Any) -> None:
    """The ASGI lifespan protocol: one serving process without Redis; rows written before the end."""
    await receive()  # lifespan.startup
    try:
        lock.take()
    except lock.Held as error:
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()  # lifespan.shutdown
    draining.set()
    await finish()
    await send({"type": "lifespan.shutdown.complete"})


async def finish() -> None:
    """Let what lives in this process write its last rows; called once, after all sockets have closed."""
    for name in _LIVING:
        module = sys.modules.get(name)
        shutdown = getattr(module, "shutdown", None)
        if shutdown is None:
            continue
        try:
            if iscoroutinefunction(shutdown):
                await shutdown()
            else:
                await sync_to_async(shutdown, thread_sensitive=False)()
        except Exception:
            _log.exception("serve.finish.failed", extra={"part": name})
