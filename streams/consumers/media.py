"""The media socket as an ASGI application: a loop of its own, no channel layer, nothing awaited per frame.

Channels' own dispatch hops to a thread for every message and its receive waits on the layer too; at a
hundred messages a second and call that costs more than all the rest, and a lost layer would close the
call's socket. `as_asgi()` is there so that it stands in a URLRouter like any consumer.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from calls.counters import count
from streams.live.outlet import Outlet
from streams.live.runtime import runtime
from streams.live.socket import OVER, Facts, MediaSocket

__all__ = ["MediaConsumer"]

_log = logging.getLogger("contactcenter.media")
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class MediaConsumer:
    """One Twilio media socket on any ASGI server."""

    @classmethod
    def as_asgi(cls) -> Callable[[Message, Receive, Send], Awaitable[None]]:
        """An ASGI application with one consumer for each socket."""

        async def application(scope: Message, receive: Receive, send: Send) -> None:
            await cls()(scope, receive, send)

        return application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve the socket to its end; whatever ends it, the stream is closed in `finally`."""
        if (await receive())["type"] != "websocket.connect":
            return
        socket = MediaSocket(runtime())
        code: int | None = None
        try:
            if not await socket.handshake(facts(scope)):
                await send({"type": "websocket.close"})  # before accept: HTTP 403
                return
            await send({"type": "websocket.accept"})
            code = await self._serve(socket, receive, send)
        finally:
            socket.on_close(code)

    async def _serve(self, socket: MediaSocket, receive: Receive, send: Send) -> int | None:
        """Read until one side closes; the code of the other side's close, None after ours."""
        task = asyncio.current_task()
        assert task is not None

        def stop_reading() -> None:
            if asyncio.current_task() is not task:  # else the loop sees `close_code` by itself
                task.cancel()

        socket.opened(close=stop_reading)
        writing = asyncio.create_task(_write(socket, socket.outlet, send)) if socket.outlet else None
        try:
            ended = await self._read(socket, receive)
        except asyncio.CancelledError:
            if socket.close_code is None:  # the server cancels us, not our own watchdog
                raise
            task.uncancel()
            ended = None
        finally:
            if writing is not None:
                writing.cancel()
        if socket.close_code is not None:
            with contextlib.suppress(OSError):  # how servers say that the other side is gone already
                await send({"type": "websocket.close", "code": socket.close_code})
            return None
        return ended

    async def _read(self, socket: MediaSocket, receive: Receive) -> int | None:
        """Hand each message to the socket until it says that it is over, or the other side closed."""
        on_text = socket.on_text
        while socket.close_code is None:
            message = await receive()
            text = message.get("text")
            if text is not None:
                on_text(text)
            elif message["type"] == "websocket.disconnect":
                return int(message.get("code") or 1005)
            else:
                socket.on_bytes(message.get("bytes") or b"")
        return None


async def _write(socket: MediaSocket, outlet: Outlet, send: Send) -> None:
    """Send what a voice says, in its order; a transport that is gone ends the reading too.

    One that fails otherwise ends the socket: its caller would hear nothing any more, and goes on elsewhere.
    """
    try:
        while True:
            await send({"type": "websocket.send", "text": await outlet.get()})
    except OSError:
        return
    except Exception as error:
        sid = socket.stream_sid
        _log.error("media.write.failed", extra={"stream": sid, "error": type(error).__name__})
        count("media.write.failed")
        socket.hang_up(OVER, "failed", "media.voice.failed")


def facts(scope: Message) -> Facts:
    """What a handshake shows: the path as it was sent, Twilio's signature, the address it came from."""
    raw_path = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    signature = b""
    for name, value in scope["headers"]:
        if name == b"x-twilio-signature":
            signature = value
    client = scope.get("client") or ("", 0)
    return Facts(
        raw_path=raw_path.decode("ascii", "replace"),
        signature=signature.decode("ascii", "replace"),
        client=str(client[0]),
    )
