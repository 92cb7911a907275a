"""What the levels of open streams show is judged once a second, for calls that may be judged."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from django.db import OperationalError
from django.utils import timezone

from calls.models import Alert, AlertRule, Call, Event, Leg, Queue, Ticket
from calls.rules import Ear, Rule
from calls.selectors import alerts as selector
from streams.audio import Level
from streams.live import ticker as ticker_module
from streams.live.runtime import runtime
from streams.live.stream import LiveStream
from streams.live.watch import QUIET_SECONDS
from streams.models import Stream
from streams.services import aftercall, streams, watch
from streams.services.streams import Totals
from streams.services.watch import Watched
from streams.talk import Talk
from tests import factories, twilio
from tests.streams.media import Socket, media_side, rows, written

pytestmark = pytest.mark.django_db(transaction=True)

SPEECH, SHOUT = Level(-20.0, -8.0), Level(-4.0, -0.17)
OFFSET = 100_000  # the stream opens so long after its call began, in ms


@pytest_asyncio.fixture(autouse=True)
async def media(settings: Any, tmp_path: Path) -> AsyncIterator[None]:
    settings.JOURNAL_DIR = tmp_path / "journal"
    selector.forget()
    async with media_side():
        yield
    selector.forget()


@pytest.fixture
def ticket(transactional_db: None) -> Ticket:
    AlertRule.objects.all().delete()
    then = timezone.now() - timedelta(milliseconds=OFFSET)
    call = factories.call(started_at=then, answered_at=then)
    return factories.ticket(factories.leg(call, sid=twilio.CALL_SID))


@pytest.fixture
def silence(ticket: Ticket) -> AlertRule:
    return AlertRule.objects.create(name="Long silence", kind="silence", seconds=30)


async def opened(ticket: Ticket) -> tuple[Socket, LiveStream]:
    socket = Socket(f"/media/{ticket.nonce}/")
    assert await socket.connect()
    await socket.send(twilio.connected(), twilio.start(), *twilio.media_messages(5))
    await written()
    live = runtime().table.get(twilio.STREAM_SID)
    assert live is not None
    await runtime().watch.read()
    return socket, live


def hear(
    live: LiveStream, seconds: float, inbound: Level | None = None, outbound: Level | None = None
) -> None:
    """Levels of ten ticks a second, ahead of the real ones, which come too late to count."""
    at = live.begun_at + live.talk.at_ms / 1000
    for tick in range(1, round(seconds * 10) + 1):
        live.hear({"inbound": inbound, "outbound": outbound}, at + tick / 10)


async def alerts() -> list[Alert]:
    await runtime().watch.look()
    await written()
    return await rows(lambda: list(Alert.objects.order_by("pk")))


async def test_a_long_silence_is_an_alert_in_call_time_and_told_once(
    ticket: Ticket, silence: AlertRule
) -> None:
    _, live = await opened(ticket)
    hear(live, 10, SPEECH)
    hear(live, 29)
    assert await alerts() == []
    hear(live, 2)
    (alert,) = await alerts()
    hear(live, 5)
    assert await alerts() == [alert]
    assert (alert.rule_id, alert.quote, alert.call_id) == (
        silence.pk, "Nobody spoke for 31 s", ticket.leg.call_id,
    )  # fmt: skip
    assert alert.at_ms == pytest.approx(OFFSET + 10_000, abs=2000)
    kinds = await rows(lambda: list(Event.objects.values_list("kind", flat=True)))
    assert kinds == ["stream.opened", "alert.raised"]


async def test_each_kind_of_sound_rule_finds_its_own(ticket: Ticket) -> None:
    def rules() -> None:
        AlertRule.objects.create(name="Loud", kind="level", dbfs=-10, speaker="agent")
        AlertRule.objects.create(name="Clipped", kind="clipping")
        AlertRule.objects.create(name="Interrupts", kind="overtalk", seconds=5)

    await rows(rules)
    _, live = await opened(ticket)
    hear(live, 6, SPEECH, SHOUT)
    found = {alert.name: alert.quote for alert in await alerts()}
    assert found == {
        "Loud": "Agent −4.0 dBFS",
        "Clipped": "Agent clipped for 1.0 s of a second",
        "Interrupts": "Both spoke at once for 6 s",
    }


@pytest.mark.parametrize(
    "changed", [{"state": "ringing", "answered_at": None}, {"plan": {"step": "queue", "queue": 1}}]
)
async def test_music_before_anybody_answers_is_neither_silence_nor_overtalk(
    ticket: Ticket, silence: AlertRule, changed: dict[str, Any]
) -> None:
    await rows(lambda: AlertRule.objects.create(name="Interrupts", kind="overtalk", seconds=5))
    await rows(lambda: Call.objects.update(**changed))
    _, live = await opened(ticket)
    hear(live, 40, SPEECH, SHOUT)
    hear(live, 40)
    assert await alerts() == []


async def test_a_rule_of_another_queue_is_not_for_this_call(ticket: Ticket, silence: AlertRule) -> None:
    def elsewhere() -> None:
        silence.queue = Queue.objects.create(name="Sales")
        silence.save()

    await rows(elsewhere)
    _, live = await opened(ticket)
    hear(live, 40)
    assert await alerts() == []


async def test_nothing_is_judged_of_a_paused_stream(ticket: Ticket, silence: AlertRule) -> None:
    _, live = await opened(ticket)
    hear(live, 25)
    live.ingest.pause()
    hear(live, 60)
    assert await alerts() == []
    live.ingest.resume()
    hear(live, 20)
    assert await alerts() == []  # what was before the pause does not count on
    hear(live, 20)
    assert len(await alerts()) == 1


async def test_what_was_found_just_before_a_pause_or_a_question_for_a_code_is_not_told(
    ticket: Ticket, silence: AlertRule
) -> None:
    _, live = await opened(ticket)
    hear(live, 40)
    await rows(lambda: Stream.objects.update(paused=True))
    assert await alerts() == []


async def test_while_a_caller_gives_a_code_nothing_is_judged(ticket: Ticket) -> None:
    await rows(lambda: AlertRule.objects.create(name="Loud", kind="level", dbfs=-10))
    await rows(lambda: Call.objects.update(plan={"step": "verify"}))
    _, live = await opened(ticket)
    hear(live, 3, SHOUT)
    assert await alerts() == []


async def test_no_sound_at_all_is_a_lost_stream_and_no_silence(ticket: Ticket, silence: AlertRule) -> None:
    _, live = await opened(ticket)
    hear(live, 40)
    live.activity, live.heard_at = live.came(), live.heard_at - 2 * QUIET_SECONDS + 5
    assert await alerts() == []


async def test_while_the_database_is_away_streams_are_judged_as_they_were_known(
    ticket: Ticket, silence: AlertRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, live = await opened(ticket)

    def away(**_: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(watch, "known", away)
    await runtime().watch.read()
    hear(live, 31)
    assert len(await alerts()) == 1


async def test_health_tells_who_talks(ticket: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    async def publish(kind: str, text: str, *, source: str) -> bool:
        sent.append((kind, json.loads(text)))
        return True

    _, live = await opened(ticket)
    monkeypatch.setattr(ticker_module, "publish", publish)
    hear(live, 4, SPEECH, SPEECH)
    hear(live, 6)
    await runtime().ticker._tell_health()
    (talk,) = [message["streams"][twilio.STREAM_SID]["talk"] for kind, message in sent if kind == "health"]
    assert set(talk) == {"inbound_ms", "outbound_ms", "both_ms", "silent_ms", "silence_ms"}
    assert talk["both_ms"] == talk["inbound_ms"] == talk["outbound_ms"] == pytest.approx(4600, abs=300)
    assert talk["silence_ms"] == pytest.approx(6000, abs=300)


async def test_the_ticks_levels_are_heard(ticket: Ticket) -> None:
    socket, live = await opened(ticket)
    await socket.send(*twilio.media_messages(5, payload=b"\x80\x00" * 80, first_sequence=12, first_ms=100))
    before = live.talk.inbound.spoke_at
    await runtime().ticker.tick()
    assert live.talk.inbound.spoke_at > before


async def test_who_talked_is_kept_with_the_stream_and_stays_beside_its_figures(ticket: Ticket) -> None:
    socket, live = await opened(ticket)
    hear(live, 4, SPEECH, SHOUT)
    await socket.send(twilio.stop(12))
    await socket.drop(1000)
    await written()
    stream = await rows(Stream.objects.get)
    talk = stream.figures["talk"]
    assert talk["both_ms"] == pytest.approx(4000, abs=200)
    assert talk["outbound"]["loudest_dbfs"] == -4.0
    await rows(lambda: aftercall.clean(now=timezone.now()))
    stream = await rows(Stream.objects.get)
    assert stream.journal_state == "gone"
    assert stream.figures["talk"] == talk
    assert "sound_ms" in stream.figures


def test_progress_and_talk_are_one_write_and_a_late_one_takes_no_figures_back(
    ticket: Ticket, django_assert_num_queries: Any
) -> None:
    stream = factories.stream(ticket=ticket)
    with django_assert_num_queries(1):
        streams.progress(sid=stream.sid, totals=Totals(frames=5), talk={"both_ms": 7})
    stream.refresh_from_db()
    assert (stream.frames, stream.figures) == (5, {"talk": {"both_ms": 7}})
    Stream.objects.update(journal_state="gone", figures={"talk": {"both_ms": 9}, "lines": 3})
    streams.progress(sid=stream.sid, totals=Totals(frames=6), talk={"both_ms": 8})
    stream.refresh_from_db()
    assert (stream.frames, stream.figures) == (6, {"talk": {"both_ms": 9}, "lines": 3})


def test_on_an_agents_leg_the_sides_are_the_other_way_round() -> None:
    talk = Talk(met=True)
    for tick in range(1, 11):
        talk.hear(SHOUT, None, at_ms=100 * tick)
    stream = Watched(call_id=1, queue=None, offset_ms=0, of_person=False, judged=True, met=True)
    (found,) = watch.judge(rules=[Rule(1, "level", dbfs=-10)], stream=stream, talk=talk, ear=Ear())
    assert found.quote == "Agent −4.0 dBFS"


def test_a_look_at_many_streams_takes_three_queries(
    transactional_db: None, django_assert_num_queries: Any
) -> None:
    sids = [factories.stream(factories.leg(kind=kind)).sid for kind in Leg.Kind.values * 4]
    selector.forget()
    with django_assert_num_queries(3):
        found = watch.known(sids=[*sids, "MZ" + "0" * 32])
    assert set(found.streams) == set(sids)
    assert {each.of_person for each in found.streams.values()} == {True, False}
