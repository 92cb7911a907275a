"""Media sockets on a grown installation: two processes, PostgreSQL, and a Redis that comes and goes."""

import asyncio
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio as redis

from tests import twilio
from tests.processes import ACCOUNT_SID, AUTH_TOKEN, Postgres, Redis, Running, free_port, until
from tests.product import Site
from tests.twilio import TwilioSocket

TICKET = """
from calls.models import Call, Leg, Ticket
from django.utils import timezone
from datetime import timedelta
call = Call.objects.create(state="live")
leg = Leg.objects.create(sid={call!r}, call=call, status="in-progress")
Ticket.objects.create(nonce={nonce!r}, leg=leg, name="tap", expires_at=timezone.now() + timedelta(seconds=60))
"""


class Grown(Site):
    """An installation with two media processes."""

    ports: tuple[int, int]

    def admit(self) -> tuple[str, str, str]:
        """A call that may stream: its CallSid, the nonce, the StreamSid that it will have."""
        call, nonce = "CA" + secrets.token_hex(16), secrets.token_hex(16)
        self.run(TICKET.format(call=call, nonce=nonce))
        return call, nonce, "MZ" + secrets.token_hex(16)

    def socket(self, nonce: str, process: int = 0) -> TwilioSocket:
        """A socket to one of the two, signed for the public address."""
        path = f"/media/{nonce}/"
        signed = self.url.replace("http", "ws", 1) + path
        return TwilioSocket(f"ws://127.0.0.1:{self.ports[process]}{path}", token=AUTH_TOKEN, signed=signed)

    def stream(self, sid: str) -> list[Any]:
        """The row's reason and frames; [] while there is none."""
        asked = f"list(Stream.objects.filter(sid={sid!r}).values_list('close_reason', 'frames'))"
        rows = self.ask(asked)
        return list(rows[0]) if rows else []


@pytest.fixture
def grown(tmp_path: Path, redis_server: Redis, postgres: Postgres) -> Iterator[Grown]:
    one = Grown(tmp_path)
    one.settings = {"DATABASE_URL": postgres.database(), "REDIS_URL": redis_server.url, "TRANSCRIBER": "none"}
    one.ports = (free_port(), free_port())
    try:
        one.prepare()
        for number, port in enumerate(one.ports):
            one.serve("--role", "media", port=port, name=f"media-{number}")
        yield one
    finally:
        one.close()


def begin(site: Grown, socket: TwilioSocket, call: str, sid: str) -> None:
    socket.send(twilio.connected(), twilio.start(stream=sid, call=call, account=ACCOUNT_SID))
    socket.send(*twilio.media_messages(10, stream=sid))
    until(lambda: bool(site.stream(sid)), "the stream has its row")


def test_a_nonce_that_one_process_has_taken_is_refused_by_the_other(grown: Grown) -> None:
    call, nonce, sid = grown.admit()
    with grown.socket(nonce, 0) as first:
        begin(grown, first, call, sid)
        with twilio.refused(403):
            grown.socket(nonce, 1)
        first.send(twilio.stop(22, stream=sid, call=call))
    until(lambda: grown.stream(sid) == ["stop", 20], "the first stream ends as it should")


def test_redis_dies_and_returns_and_the_media_socket_does_not_notice(
    grown: Grown, redis_server: Redis
) -> None:
    call, nonce, sid = grown.admit()
    with grown.socket(nonce) as socket:
        begin(grown, socket, call, sid)
        for round_ in range(1, 3):
            redis_server.kill()
            socket.send(*speech(sid, round_))
            redis_server.start()
            assert sid in asyncio.run(levels(redis_server.url)), "the levels come again"
        socket.send(twilio.stop(1000, stream=sid, call=call))
    until(lambda: grown.stream(sid) == ["stop", 60], "every frame is counted, and the row is closed")


def test_a_killed_process_loses_nothing_that_it_had(grown: Grown) -> None:
    call, nonce, sid = grown.admit()
    socket = grown.socket(nonce)
    begin(grown, socket, call, sid)
    socket.send(*speech(sid, 1))
    until(lambda: frames_on_disk(grown, sid) == 40, "the frames are in the journal")

    killed: Running = grown.processes["media-0"]
    killed.kill()
    grown.start("worker", ["manage.py", "worker"], lambda: True)

    until(lambda: grown.stream(sid) == ["lease", 40], "the stream is closed by its journal")
    socket.drop()


def speech(sid: str, round_: int) -> list[str]:
    """20 frames, 10 of each track, after those of the rounds before."""
    return list(twilio.media_messages(10, stream=sid, first_sequence=2 + 20 * round_, first_ms=200 * round_))


def frames_on_disk(site: Grown, sid: str) -> int:
    """How many records of 160 bytes of sound the journal has."""
    path = site.directory / "data" / "journal" / f"{sid}.journal"
    data = path.read_bytes()
    return sum(data.count(bytes([0xC7, kind]) + (160).to_bytes(2, "little")) for kind in (1, 2))


async def levels(url: str) -> dict[str, Any]:
    """The next levels that a web process would get."""
    client = redis.Redis.from_url(url, socket_timeout=None)
    async with client.pubsub() as listener:
        await listener.psubscribe("*")
        async with asyncio.timeout(20):
            async for message in listener.listen():
                if message["type"] == "pmessage" and b'"levels"' in message["data"]:
                    start = message["data"].index(b'{"type":"levels"')
                    text = message["data"][start:]
                    found: dict[str, Any] = json.JSONDecoder().raw_decode(text.decode("utf-8", "replace"))[0]
                    return dict(found["levels"])
    raise AssertionError("no levels")
