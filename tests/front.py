"""A small front on loopback that sends requests on by their path, as nginx does before several processes."""

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

HEAD_LIMIT = 64 * 1024


class Front:
    """Listens on `port`; sends a path that begins with a key of `routes` to its port, all else `otherwise`.

    Each request gets a connection of its own (`Connection: close`), so that one client connection never
    carries requests for two servers. A WebSocket's bytes are passed on untouched.
    """

    def __init__(self, port: int, routes: dict[str, int], *, otherwise: int) -> None:
        self.port, self.routes, self.otherwise = port, routes, otherwise
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        begin = asyncio.start_server(self.serve, "127.0.0.1", self.port, limit=HEAD_LIMIT, backlog=512)
        self.server = asyncio.run_coroutine_threadsafe(begin, self.loop).result(5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self.end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    async def end(self) -> None:
        """Stop listening and drop what is open."""
        self.server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def target(self, head: bytes) -> int:
        """The port for a request head."""
        path = head.split(b" ", 2)[1].decode("latin-1")
        return next((port for start, port in self.routes.items() if path.startswith(start)), self.otherwise)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client connection: read the head, choose, pass bytes both ways until either side ends."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            there, back = await asyncio.open_connection("127.0.0.1", self.target(head))
            back.write(alone(head))
            await both(pipe(reader, back), pipe(there, writer))
            back.close()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, IndexError):
            pass  # a client or a server that went away is what some tests are about
        finally:
            writer.close()


def alone(head: bytes) -> bytes:
    """The head with `Connection: close`, unless it asks for another protocol."""
    lines = head.split(b"\r\n")
    if any(line.lower().startswith(b"upgrade:") for line in lines):
        return head
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([kept[0], b"Connection: close", *kept[1:]])


async def pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Pass bytes on until the source ends, then say so."""
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()


async def both(*pipes: Coroutine[Any, Any, None]) -> None:
    """Until both directions ended or one broke."""
    tasks = [asyncio.ensure_future(one) for one in pipes]
    _, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in rest:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
