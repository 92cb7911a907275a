"""The rows of streams: opened, told and closed by whoever comes first, any number of times."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.utils import timezone

from calls.models import Call, Event, Leg, Ticket
from streams.models import Gap, Stream
from streams.services import streams
from streams.services.streams import Hole, Opening, Totals
from tests import factories
from tests.factories import NOON, sid

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def leg() -> Leg:
    return factories.leg(factories.call(started_at=NOON))


def opening(ticket: Ticket, seconds: float = 0, **facts: Any) -> Opening:
    facts.setdefault("sid", sid("MZ"))
    facts.setdefault("tracks", ["inbound", "outbound"])
    at = NOON + timedelta(seconds=seconds)
    return Opening(ticket_id=ticket.pk, parameters={}, process_id="none", at=at, **facts)


def kinds() -> list[str]:
    return list(Event.objects.values_list("kind", flat=True))


def test_opening_twice_is_one_row_and_one_event(leg: Leg) -> None:
    once = opening(factories.ticket(leg), 3)
    first, second = streams.open_stream(once), streams.open_stream(once)
    assert first.pk == second.pk
    assert first.call_offset_ms == 3000
    assert kinds() == ["stream.opened"]


def test_who_closes_first_says_why(leg: Leg) -> None:
    stream = streams.open_stream(opening(factories.ticket(leg)))
    reasons = ["dropped", "stop", "lease", "call_ended"]

    closed = [streams.close(sid=stream.sid, reason=reason, now=timezone.now()) for reason in reasons]

    assert closed == [True, False, False, False]
    stream.refresh_from_db()
    assert stream.close_reason == "dropped"
    assert kinds() == ["stream.opened", "stream.closed"]
    assert stream.ticket.released_at is not None


def test_closing_what_was_never_opened_changes_nothing() -> None:
    assert not streams.close(sid=sid("MZ"), reason="stop", now=timezone.now())
    assert kinds() == []


def test_progress_never_goes_back(leg: Leg) -> None:
    stream = streams.open_stream(opening(factories.ticket(leg)))
    said = [Totals(frames=10, bytes=1600, last_ms=100), Totals(frames=30, bytes=4800, last_ms=300, late=2)]

    for totals in [*said, said[0]]:
        streams.progress(sid=stream.sid, totals=totals)

    stream.refresh_from_db()
    assert (stream.frames, stream.bytes, stream.last_ms, stream.late) == (30, 4800, 300, 2)


def test_what_a_late_frame_filled_is_not_lost_any_more(leg: Leg) -> None:
    stream = streams.open_stream(opening(factories.ticket(leg)))
    streams.progress(sid=stream.sid, totals=Totals(frames=10, lost_ms=40))
    streams.progress(sid=stream.sid, totals=Totals(frames=11, lost_ms=20))
    stream.refresh_from_db()
    assert stream.lost_ms == 20


def test_a_gap_is_written_once_with_its_event(leg: Leg) -> None:
    stream = streams.open_stream(opening(factories.ticket(leg)))
    holes = [Hole("inbound", 100, 40), Hole("outbound", 100, 40), Hole("inbound", 100, 40)]
    assert streams.add_gaps(sid=stream.sid, holes=holes) == 2
    assert streams.add_gaps(sid=stream.sid, holes=holes) == 0
    assert kinds() == ["stream.opened", "gap.found", "gap.found"]


def test_between_a_lost_tap_and_the_next_is_a_hole_on_the_lost_one(leg: Leg) -> None:
    lost = streams.open_stream(opening(factories.ticket(leg), 2))
    totals = Totals(frames=500, last_ms=5000)
    streams.close(sid=lost.sid, reason="lease", now=NOON + timedelta(seconds=9), totals=totals)

    streams.open_stream(opening(factories.ticket(leg), 10.5))

    holes = list(Gap.objects.values_list("stream__sid", "track", "at_ms", "ms", "cause"))
    assert holes == [(lost.sid, track, 5000, 3500, "closed") for track in ("inbound", "outbound")]
    gap = Gap.objects.select_related("stream__leg").first()
    assert gap is not None
    assert gap.as_message()["start_ms"] == 7000  # in call time: from its last sound to the next stream


@pytest.mark.parametrize("reason", ["stop", "call_ended", "refused"])
def test_a_tap_that_was_ended_leaves_no_hole(leg: Leg, reason: str) -> None:
    before = streams.open_stream(opening(factories.ticket(leg)))
    streams.close(sid=before.sid, reason=reason, now=NOON + timedelta(seconds=9))
    streams.open_stream(opening(factories.ticket(leg), 10))
    assert not Gap.objects.exists()


def test_what_another_stream_of_the_leg_heard_is_no_hole(leg: Leg) -> None:
    streams.open_stream(opening(factories.ticket(leg, track="inbound_track"), 0, tracks=["inbound"]))
    lost = streams.open_stream(opening(factories.ticket(leg), 1))
    totals = Totals(frames=1, last_ms=1000)
    streams.close(sid=lost.sid, reason="dropped", now=NOON + timedelta(seconds=2), totals=totals)
    streams.open_stream(opening(factories.ticket(leg), 5))
    assert list(Gap.objects.values_list("track", "ms")) == [("outbound", 3000)]


def test_a_hole_is_shown_once_however_often_the_tap_is_lost(leg: Leg) -> None:
    for second in (0, 10, 20):
        one = streams.open_stream(opening(factories.ticket(leg), second))
        totals = Totals(frames=1, last_ms=1000)
        streams.close(sid=one.sid, reason="dropped", now=NOON + timedelta(seconds=second + 1), totals=totals)
    assert list(Gap.objects.order_by("id").values_list("track", "ms")) == [
        ("inbound", 9000),
        ("outbound", 9000),
        ("inbound", 9000),
        ("outbound", 9000),
    ]


@pytest.mark.parametrize("order", list(permutations(["socket", "stopped", "error", "sweep"])))
def test_the_end_of_a_stream_is_one_end_in_every_order(leg: Leg, order: tuple[str, ...]) -> None:
    stream = streams.open_stream(opening(factories.ticket(leg)))

    for source in order:
        end(stream, leg, source)

    stream.refresh_from_db()
    assert stream.closed_at is not None
    assert stream.frames == 7
    assert stream.error == "broken pipe"
    assert kinds() == ["stream.opened", "stream.closed"]


def end(stream: Stream, leg: Leg, source: str) -> None:
    now = timezone.now()
    if source == "socket":
        streams.close(sid=stream.sid, reason="stop", now=now, totals=Totals(frames=7))
    elif source == "sweep":
        streams.close(sid=stream.sid, reason="lease", now=now)
    else:
        error = "broken pipe" if source == "error" else ""
        name = stream.ticket.name
        streams.told(
            sid=stream.sid, call_sid=leg.sid, name=name, event=f"stream-{source}", error=error, now=now
        )


def test_a_stream_of_a_call_that_is_gone_is_gone_too(leg: Leg) -> None:
    streams.open_stream(opening(factories.ticket(leg)))
    Call.objects.all().delete()
    assert not Stream.objects.exists()
