"""The media door on a real server and real sockets: hostile, broken and honest ones at once."""

import asyncio
import json
import logging
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from calls.models import Ticket
from contactcenter.sockets import application
from streams.live import runtime
from streams.models import Stream
from tests import factories, twilio
from tests.processes import free_port, until
from tests.streams.media import PUBLIC
from tests.twilio import TwilioSocket

pytestmark = pytest.mark.django_db(transaction=True)
SOCKETS, MESSAGES = 40, 50


@dataclass
class Server:
    """uvicorn in a thread of its own, with the product's sockets behind it."""

    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        config = uvicorn.Config(
            application,
            host="127.0.0.1",
            port=self.port,
            lifespan="off",
            log_config=None,
            ws="websockets-sansio",
            ws_max_size=1 << 20,  # so that our own limit is what is tried
            ws_per_message_deflate=False,
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        until(lambda: self.server.started, "the server listens")

    def _run(self) -> None:
        asyncio.run(self.server.serve())

    def open(self, ticket: Ticket) -> TwilioSocket:
        path = f"/media/{ticket.nonce}/"
        return TwilioSocket(f"ws://127.0.0.1:{self.port}{path}", signed=PUBLIC + path)

    def stop(self) -> None:
        runtime.shutdown()
        self.server.should_exit = True
        self.thread.join(20)


@pytest.fixture
def server(settings: Any, tmp_path: Path, transactional_db: None) -> Iterator[Server]:
    settings.JOURNAL_DIR = tmp_path / "journal"
    settings.MEDIA_MAX_FRAMES_PER_SECOND = 0  # what is sent here comes faster than any call
    one = Server()
    yield one
    one.stop()


def ticket() -> Ticket:
    return factories.ticket(factories.leg())


def row(sid: str) -> Stream:
    until(lambda: Stream.objects.filter(sid=sid, closed_at__isnull=False).exists(), f"{sid} is closed")
    return Stream.objects.get(sid=sid)


def test_an_honest_stream_is_kept_whole(server: Server) -> None:
    admitted, sid = ticket(), factories.sid("MZ")
    with server.open(admitted) as socket:
        socket.send(twilio.connected(), twilio.start(stream=sid, call=admitted.leg.sid))
        socket.send(*twilio.media_messages(100, stream=sid), twilio.stop(202, stream=sid))
    stream = row(sid)
    assert (stream.frames, stream.close_reason) == (200, "stop")


def test_a_replayed_address_is_refused_while_and_after_the_first_is_open(server: Server) -> None:
    admitted = ticket()
    with server.open(admitted), twilio.refused(403):
        server.open(admitted)
    with twilio.refused(403):
        server.open(admitted)


def test_an_unsigned_one_gets_403(server: Server) -> None:
    with twilio.refused(403):
        TwilioSocket(f"ws://127.0.0.1:{server.port}/media/{ticket().nonce}/", sign=False)


def test_a_connection_that_breaks_off_is_a_lost_stream(server: Server) -> None:
    admitted, sid = ticket(), factories.sid("MZ")
    socket = server.open(admitted)
    socket.send(twilio.connected(), twilio.start(stream=sid, call=admitted.leg.sid))
    socket.send(*twilio.media_messages(10, stream=sid))
    socket.drop()
    stream = row(sid)
    assert (stream.frames, stream.close_reason) == (20, "dropped")


def test_going_down_tells_twilio_and_writes_the_rows(server: Server) -> None:
    admitted, sid = ticket(), factories.sid("MZ")
    socket = server.open(admitted)
    socket.send(twilio.connected(), twilio.start(stream=sid, call=admitted.leg.sid))
    until(lambda: Stream.objects.filter(sid=sid).exists(), "the stream has its row")
    runtime.shutdown()
    assert socket.closed_with() == 4012
    assert row(sid).close_reason == "drained"


def test_of_two_thousand_generated_messages_every_good_frame_is_kept(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)

    sent = [hostile_call(server, chance) for _ in range(SOCKETS)]

    for sid, frames, reason in sent:
        stream = row(sid)
        assert (stream.frames, stream.close_reason) == (frames, reason), sid
    assert [r.getMessage() for r in caplog.records if r.exc_info or r.levelno >= logging.ERROR] == []


def hostile_call(server: Server, chance: random.Random) -> tuple[str, int, str]:
    """One socket of MESSAGES messages, good and bad; its SID, the good frames, how it must end."""
    admitted, sid = ticket(), factories.sid("MZ")
    socket = server.open(admitted)
    socket.send(twilio.connected(), twilio.start(stream=sid, call=admitted.leg.sid))
    frames = bad = 0
    for number in range(2, MESSAGES - 1):
        kind = chance.choice(["good", "good", "odd", "bad"])
        if kind == "bad" and bad < 15:
            bad += 1
            socket.send(broken(chance, sid, number))
        elif kind == "odd":
            socket.send(odd(chance, sid, number))
        else:
            payload = chance.randbytes(160)
            socket.send(twilio.media(number, frames + 1, 20 * frames, payload, stream=sid))
            frames += 1
    return sid, frames, end(socket, chance, sid)


def odd(chance: random.Random, sid: str, number: int) -> str:
    """Not in the protocol, but nobody's fault: it may come any number of times."""
    makers: list[Callable[[], str]] = [
        lambda: json.dumps({"event": f"new-{number}", "sequenceNumber": str(number), "streamSid": sid}),
        lambda: json.dumps({"event": "x" * chance.randrange(60_000)}),
        lambda: twilio.media(number, 1, 0, track="third", stream=sid),
        lambda: twilio.dtmf("5", number, stream=sid),
        lambda: twilio.mark("never sent", number, stream=sid),
    ]
    return chance.choice(makers)()


def broken(chance: random.Random, sid: str, number: int) -> str:
    """Wrong in one way or another, each counted and passed over."""
    good = json.loads(twilio.media(number, 1, 0, stream=sid))
    makers: list[Callable[[], str]] = [
        lambda: json.dumps(good)[: chance.randrange(1, 40)],
        lambda: "[" * 5000,
        lambda: json.dumps({**good, "sequenceNumber": chance.choice(["-1", "x", 2**63, 1e400, None, []])}),
        lambda: json.dumps({**good, "streamSid": chance.choice(["", factories.sid("MZ"), 5, None])}),
        lambda: json.dumps({**good, "media": chance.choice([None, [], "x", {}, {"track": "inbound"}])}),
        lambda: json.dumps({**good, "media": {**good["media"], "payload": "not base64 !"}}),
        lambda: json.dumps({**good, "media": {**good["media"], "timestamp": "9" * 5000}}),
        lambda: json.dumps({"event": chance.choice([None, 7, [], {}])}),
        lambda: "\x00\ufeff" + chance.choice(["null", "NaN", '"media"', "{}"]),
    ]
    return chance.choice(makers)()


def end(socket: TwilioSocket, chance: random.Random, sid: str) -> str:
    """One of the ways in which a stream ends; the reason that its row must have."""
    how = chance.choice(["stop", "dropped", "refused"])
    if how == "stop":
        socket.send(twilio.stop(MESSAGES, stream=sid))
        socket.connection.close()
    elif how == "dropped":
        socket.drop()
    else:
        socket.send(chance.choice([twilio.start(stream=sid), '{"event":"media","x":"' + "x" * 65_536 + '"}']))
        assert socket.closed_with() in {4412, 4413}
    return how
