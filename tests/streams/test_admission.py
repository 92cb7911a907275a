"""Who may open a media socket: all others are refused before accept or at `start`, by name, and counted."""

import threading
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from django.utils import timezone

from calls.counters import REGISTRY
from calls.models import Call, IngestKey, Ticket
from calls.services import tickets
from streams.models import Stream
from tests import factories, twilio
from tests.streams.media import PUBLIC, Socket, media_side, rows, written

pytestmark = pytest.mark.django_db(transaction=True)
NOWHERE = "f" * 32


@pytest_asyncio.fixture(autouse=True)
async def media(settings: Any, tmp_path: Path) -> AsyncIterator[None]:
    settings.JOURNAL_DIR = tmp_path / "journal"
    async with media_side():
        yield


@pytest.fixture
def ticket(transactional_db: None) -> Ticket:
    return factories.ticket(factories.leg(sid=twilio.CALL_SID))


@pytest.fixture
def key(transactional_db: None) -> IngestKey:
    return tickets.issue_key(number=factories.number(), by=None, now=timezone.now())


def denials(event: str) -> float:
    return REGISTRY.get_sample_value("cc_denied_total", {"event": event}) or 0


@pytest.fixture
def refusals(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The names of the refusals logged so far."""

    def names() -> list[str]:
        return [r.getMessage() for r in caplog.records if r.name == "contactcenter.media" and r.levelno >= 30]

    return names


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def nothing_was_kept(settings: Any) -> bool:
    return not settings.JOURNAL_DIR.exists() or not list(settings.JOURNAL_DIR.iterdir())


@pytest.mark.parametrize(
    "signature",
    ["", "x", "é" * 28, "A" * 10_000, twilio.signature(PUBLIC + f"/media/{NOWHERE}/")],
    ids=["none", "short", "not ASCII", "10 kB", "of another address"],
)
async def test_an_unsigned_handshake_is_refused_and_spends_nothing(
    signature: str, ticket: Ticket, refusals: Callable[[], list[str]]
) -> None:
    before = denials("media.handshake.denied")

    assert not await Socket(f"/media/{ticket.nonce}/", signed=signature).connect()

    assert refusals() == ["media.handshake.denied"]
    assert denials("media.handshake.denied") == before + 1
    await rows(ticket.refresh_from_db)
    assert ticket.spent_at is None


async def test_a_signature_by_a_foreign_token_is_refused(
    ticket: Ticket, refusals: Callable[[], list[str]]
) -> None:
    assert not await Socket(f"/media/{ticket.nonce}/", token="a foreign token").connect()
    assert refusals() == ["media.handshake.denied"]


async def test_the_signature_covers_the_public_address_and_no_header(ticket: Ticket) -> None:
    foreign = twilio.signature(f"wss://evil.example/media/{ticket.nonce}/")
    assert not await Socket(f"/media/{ticket.nonce}/", signed=foreign).connect()


@pytest.mark.parametrize(
    ("sent", "signed"),
    [
        ("/media/{}/", "wss://calls.example.com/media/{}/"),
        ("/media/{}/", "wss://calls.example.com/media/{}"),
        ("/media/{}", "wss://calls.example.com/media/{}/"),
        ("/media/{}/", "wss://calls.example.com:443/media/{}/"),
    ],
    ids=["as given", "signed without slash", "sent without slash", "signed with port"],
)
async def test_each_form_in_which_twilio_may_sign_is_let_in(sent: str, signed: str, ticket: Ticket) -> None:
    signature = twilio.signature(signed.format(ticket.nonce))
    socket = Socket(sent.format(ticket.nonce), signed=signature)
    assert await socket.connect()
    await socket.drop()


async def test_the_next_token_is_good_too(ticket: Ticket) -> None:
    socket = Socket(f"/media/{ticket.nonce}/", token="next-token")
    assert await socket.connect()
    await socket.drop()


async def test_an_unknown_nonce_is_refused(refusals: Callable[[], list[str]], db: None) -> None:
    assert not await Socket(f"/media/{NOWHERE}/").connect()
    assert refusals() == ["media.nonce.unknown"]


async def test_a_nonce_is_good_once(ticket: Ticket, refusals: Callable[[], list[str]]) -> None:
    first, replay = Socket(f"/media/{ticket.nonce}/"), Socket(f"/media/{ticket.nonce}/")

    assert await first.connect()
    assert not await replay.connect()
    assert refusals() == ["media.nonce.reused"]
    await first.send(twilio.connected(), twilio.start())  # the first is untouched
    await first.drop()
    assert not await Socket(f"/media/{ticket.nonce}/").connect()  # nor is it good again afterwards


async def test_a_nonce_is_good_for_a_minute(ticket: Ticket, refusals: Callable[[], list[str]]) -> None:
    await rows(Ticket.objects.update, expires_at=timezone.now() - timedelta(seconds=1))
    assert not await Socket(f"/media/{ticket.nonce}/").connect()
    assert refusals() == ["media.nonce.expired"]


async def test_a_revoked_nonce_is_refused(ticket: Ticket, refusals: Callable[[], list[str]]) -> None:
    await rows(tickets.release, ticket_id=ticket.pk, now=timezone.now())
    assert not await Socket(f"/media/{ticket.nonce}/").connect()
    assert refusals() == ["media.nonce.expired"]


async def test_unknown_and_revoked_ingest_addresses_are_refused(
    key: IngestKey, refusals: Callable[[], list[str]]
) -> None:
    assert not await Socket(f"/media/k/{NOWHERE}/").connect()
    await rows(tickets.revoke_key, key=key, now=timezone.now())
    assert not await Socket(f"/media/k/{key.key}/").connect()
    assert refusals() == ["media.key.unknown"] * 2


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (twilio.start(account="AC" + "b" * 32), "account"),
        (twilio.start(account=""), "account"),
        (twilio.start(account="AC" + "é" * 32), "account"),
        (twilio.start(call="CA" + "9" * 32), "call"),
        (twilio.start(call=""), "call"),
        (twilio.start(stream="MZ../../../../etc/passwd"), "stream"),
        (twilio.start(stream="MZ" + "2" * 31 + "\n"), "stream"),
        (twilio.start().replace("audio/x-mulaw", "audio/l16"), "bad_format"),
        (twilio.start(tracks=("both",)), "bad_field"),
    ],
    ids=[
        "foreign account",
        "no account",
        "account not ASCII",
        "another call",
        "no call",
        "path as stream",
        "line end in stream",
        "other sound",
        "unknown tracks",
    ],
)
async def test_a_start_that_does_not_fit_its_ticket_is_denied(
    start: str, reason: str, ticket: Ticket, refusals: Callable[[], list[str]], settings: Any, caplog: Any
) -> None:
    socket = Socket(f"/media/{ticket.nonce}/")
    assert await socket.connect()

    await socket.send(twilio.connected(), start)

    assert await socket.closed_with() == 4412
    assert refusals() == ["media.start.denied"]
    assert caplog.records[-1].reason == reason
    await written()
    assert nothing_was_kept(settings)
    assert await rows(Stream.objects.count) == 0
    await rows(ticket.refresh_from_db)
    assert ticket.released_at is not None, "the leg has its track back"


async def test_over_an_ingest_address_the_account_is_matched(
    key: IngestKey, refusals: Callable[[], list[str]]
) -> None:
    socket = Socket(f"/media/k/{key.key}/")
    assert await socket.connect()
    await socket.send(twilio.connected(), twilio.start(account="AC" + "b" * 32))
    assert await socket.closed_with() == 4412
    assert refusals() == ["media.start.denied"]


async def test_strangers_beyond_the_limit_write_one_line_more_and_do_not_keep_twilio_out(
    ticket: Ticket, refusals: Callable[[], list[str]], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.live.socket._unsigned", fresh_unsigned())
    settings.MEDIA_UNSIGNED_PER_MINUTE = 5

    for _ in range(20):
        assert not await Socket(f"/media/{NOWHERE}/", signed="").connect()

    assert refusals() == ["media.handshake.denied"] * 5 + ["media.prestart.limit"]
    honest = Socket(f"/media/{ticket.nonce}/")
    assert await honest.connect()
    await honest.drop()


async def test_refused_handshakes_leave_nothing_behind(settings: Any, db: None) -> None:
    assert not await Socket(f"/media/{NOWHERE}/", signed="").connect()
    await written()
    before = open_files()

    for _ in range(200):
        assert not await Socket(f"/media/{NOWHERE}/", signed="").connect()

    assert open_files() <= before
    assert nothing_was_kept(settings)


async def test_with_the_database_away_new_sockets_are_refused(
    ticket: Ticket, refusals: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def away(**_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(tickets, "spend", away)
    assert not await Socket(f"/media/{ticket.nonce}/").connect()
    assert refusals() == ["media.unavailable"]


async def test_a_database_that_does_not_answer_is_waited_for_a_few_seconds_only(
    ticket: Ticket, refusals: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()
    monkeypatch.setattr(tickets, "spend", lambda **_: answered.wait(10))
    monkeypatch.setattr("streams.live.socket.CLAIM_SECONDS", 0.05)
    assert not await Socket(f"/media/{ticket.nonce}/").connect()
    answered.set()
    assert refusals() == ["media.unavailable"]


def fresh_unsigned() -> Any:
    from streams.live.refusals import Unsigned

    return Unsigned()


async def test_over_ingest_addresses_few_sockets_may_wait_for_their_start(
    key: IngestKey, ticket: Ticket, refusals: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.live.socket.UNSTARTED_KEYS", 2)
    address = f"/media/k/{key.key}/"
    waiting = [Socket(address), Socket(address)]
    for socket in waiting:
        assert await socket.connect()

    assert not await Socket(address).connect()
    assert refusals() == ["media.prestart.limit"]

    ours = Socket(f"/media/{ticket.nonce}/")
    assert await ours.connect(), "streams of ours are let in all the same"
    await waiting[0].drop()
    again = Socket(address)
    assert await again.connect()
    for socket in (waiting[1], again, ours):
        await socket.drop()


@pytest.mark.parametrize(
    ("token", "is_in"), [("irish", True), ("irish-next", True), (twilio.TOKEN, False), ("austral", False)]
)
async def test_a_stream_is_signed_by_a_token_of_its_calls_region(
    token: str, is_in: bool, ticket: Ticket, settings: Any, refusals: Callable[[], list[str]]
) -> None:
    settings.TWILIO_REGIONS = {
        "ie1": {"tokens": ["irish", "irish-next"], "key": "", "secret": ""},
        "au1": {"tokens": ["austral"], "key": "", "secret": ""},
    }
    await rows(Call.objects.update, region="ie1")
    socket = Socket(f"/media/{ticket.nonce}/", token=token)
    assert await socket.connect() is is_in
    await rows(ticket.refresh_from_db)
    assert (ticket.spent_at is not None) is is_in  # a stranger spends nothing
    assert refusals() == ([] if is_in else ["media.region.foreign"])


@pytest.mark.parametrize("token", ["first-token", "next-token"])
async def test_during_a_rotation_either_token_opens_a_stream(token: str, ticket: Ticket) -> None:
    assert await Socket(f"/media/{ticket.nonce}/", token=token).connect()


async def test_a_call_that_others_stream_is_of_the_region_that_signed(key: IngestKey, settings: Any) -> None:
    settings.TWILIO_REGIONS = {"ie1": {"tokens": ["irish"], "key": "", "secret": ""}}
    socket = Socket(f"/media/k/{key.key}/", token="irish")
    assert await socket.connect()
    await socket.send(twilio.connected(), twilio.start())
    live = await written()
    await live.table.settled()
    await written()
    assert (await rows(Call.objects.get)).region == "ie1"
