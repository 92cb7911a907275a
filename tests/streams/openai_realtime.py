"""OpenAI's Realtime API on a loopback port: its handshake and its messages, scripted by the test.

Both directions are held against the official client's own types: a field that it does not know, or one that
is missing, is a fault, and no test ends well with one.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, get_args

from aiohttp import WSMsgType, web
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import BaseModel, ValidationError

KEY = "sk-test-of-a-project"


def _by_type(union: Any) -> dict[str, type[BaseModel]]:
    models = get_args(get_args(union)[0])
    return {get_args(model.model_fields["type"].annotation)[0]: model for model in models}


FROM_US = _by_type(RealtimeClientEvent)
FROM_THEM = _by_type(RealtimeServerEvent)


def fault(event: dict[str, Any], known: dict[str, type[BaseModel]]) -> str:
    """What is wrong with an event, "" for nothing."""
    if event.get("type") not in known:
        return f"no event is called {event.get('type')}"
    try:
        model = known[event["type"]].model_validate(event)
    except ValidationError as error:
        return str(error)
    return ", ".join(f"{event['type']}: {name} is unknown" for name in _extra(model))


def _extra(value: Any) -> list[str]:
    if isinstance(value, BaseModel):
        own = list(value.model_extra or {})
        return own + [name for field in value.__dict__.values() for name in _extra(field)]
    return [name for one in value for name in _extra(one)] if isinstance(value, list) else []


class Session:
    """One socket. What we sent is in `received`, sound apart in `sound`."""

    def __init__(self, provider: "Provider", socket: web.WebSocketResponse) -> None:
        self.provider, self.socket = provider, socket
        self.received: list[dict[str, Any]] = []
        self.sound = b""
        self._read = 0
        self._count = 0

    async def got(self, kind: str) -> dict[str, Any]:
        """The next event of a kind that we send; what came before it is passed over."""
        await self.provider.until(lambda: any(one["type"] == kind for one in self.received[self._read :]))
        while True:
            event = self.received[self._read]
            self._read += 1
            if event["type"] == kind:
                return event

    def kinds(self) -> list[str]:
        """The kinds of all that we sent."""
        return [event["type"] for event in self.received]

    def told(self) -> list[tuple[str, str]]:
        """The messages that were put into the conversation: who, and the text."""
        items = [event["item"] for event in self.received if event["type"] == "conversation.item.create"]
        return [(item["role"], item["content"][0]["text"]) for item in items if item["type"] == "message"]

    def results(self) -> list[dict[str, str]]:
        """What we answered to tools."""
        items = [event["item"] for event in self.received if event["type"] == "conversation.item.create"]
        return [json.loads(item["output"]) for item in items if item["type"] == "function_call_output"]

    async def send(self, kind: str, **fields: Any) -> None:
        """Send an event, right or not at all."""
        self._count += 1
        event = {"event_id": f"event_{self._count}", "type": kind, **fields}
        assert not (wrong := fault(event, FROM_THEM)), wrong
        await self.raw(json.dumps(event))

    async def raw(self, text: str) -> None:
        """Send anything."""
        await self.socket.send_str(text)

    async def begins(self, response: str = "resp_1") -> None:
        await self.send("response.created", response={"id": response, "status": "in_progress"})

    async def speaks(
        self, ulaw: bytes, text: str = "", *, item: str = "item_1", response: str = "resp_1"
    ) -> None:
        """Part of what is said."""
        place = {"item_id": item, "response_id": response, "output_index": 0, "content_index": 0}
        if text:
            await self.send("response.output_audio_transcript.delta", delta=text, **place)
        await self.send("response.output_audio.delta", delta=base64.b64encode(ulaw).decode(), **place)

    async def ends_item(self, item: str = "item_1", response: str = "resp_1") -> None:
        message = {"id": item, "type": "message", "role": "assistant", "status": "completed", "content": []}
        await self.send("response.output_item.done", item=message, response_id=response, output_index=0)

    async def ends(self, response: str = "resp_1", status: str = "completed") -> None:
        await self.send("response.done", response={"id": response, "status": status})

    async def says(self, ulaw: bytes, text: str, *, item: str = "item_1", response: str = "resp_1") -> None:
        """A whole response."""
        await self.begins(response)
        await self.speaks(ulaw, text, item=item, response=response)
        await self.ends_item(item, response)
        await self.ends(response)

    async def calls(
        self, name: str, arguments: Any, *, call: str = "call_1", response: str = "resp_1"
    ) -> None:
        """Within a response, a tool."""
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        item = {
            "id": f"item_{call}",
            "type": "function_call",
            "status": "completed",
            "call_id": call,
            "name": name,
            "arguments": text,
        }
        await self.send("response.output_item.done", item=item, response_id=response, output_index=0)

    async def hears_speech(self, end_ms: int = 0) -> None:
        """It notices that the caller speaks, and that they stopped."""
        await self.send("input_audio_buffer.speech_started", audio_start_ms=0, item_id="item_caller")
        await self.send("input_audio_buffer.speech_stopped", audio_end_ms=end_ms, item_id="item_caller")

    async def fails(self, code: str, kind: str = "invalid_request_error") -> None:
        await self.send("error", error={"type": kind, "code": code, "message": "anna said 4111 1111"})


class Provider:
    """The server. `refuse`: statuses of the next handshakes; `answers`: whether sessions are set up."""

    def __init__(self) -> None:
        self.refuse: list[int] = []
        self.answers = True
        self.sessions: list[Session] = []
        self.handshakes: list[web.Request] = []
        self.faults: list[str] = []
        self.url = ""
        self._changed = asyncio.Event()

    async def session(self, number: int = 1) -> Session:
        """The session of this number, once it was told how to be."""
        await self.until(lambda: len(self.sessions) >= number)
        session = self.sessions[number - 1]
        await session.got("session.update")
        return session

    async def until(self, so: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not so():
                self._changed.clear()
                await self._changed.wait()

    def tell(self) -> None:
        """Something changed."""
        self._changed.set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.handshakes.append(request)
        if self.refuse:
            return web.Response(status=self.refuse.pop(0), text="no")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        session = Session(self, socket)
        self.sessions.append(session)
        await session.send("session.created", session={"type": "realtime"})
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._take(session, json.loads(message.data))
        return socket

    async def _take(self, session: Session, event: dict[str, Any]) -> None:
        if wrong := fault(event, FROM_US):
            self.faults.append(wrong)
        if event["type"] == "input_audio_buffer.append":
            session.sound += base64.b64decode(event["audio"])
        else:
            session.received.append(event)
        if event["type"] == "session.update" and self.answers:
            await session.send("session.updated", session={"type": "realtime"})
        self.tell()


@asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    """A provider that runs; at the end nothing that we sent was wrong."""
    one = Provider()
    app = web.Application()
    app.router.add_get("/v1/realtime", one.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    one.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield one
    finally:
        for session in one.sessions:
            await session.socket.close()
        await runner.cleanup()
    assert one.faults == []
