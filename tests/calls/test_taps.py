"""Streams on live calls: started and stopped by people, opened again when they are lost."""

import uuid
from datetime import timedelta

import pytest

from calls.models import AuditEvent, Call, Command, Leg, Ticket
from calls.services import taps, tickets
from tests import factories, people
from tests.calls import rest as twilio_rest
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def after(seconds):
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def rest():
    """Twilio says yes to every start and stop."""
    with twilio_rest.rest() as scripted:
        scripted.rules.append(
            lambda asked: (
                (201, twilio_rest.stream_body(factories.sid("MZ"))) if asked.method == "POST" else None
            )
        )
        yield scripted


@pytest.fixture
def leg():
    call = factories.call(started_at=NOON)
    return factories.leg(call, started_at=NOON)


def start(leg, **more):
    return taps.start(**{"leg": leg, "by": people.mina(), "command_id": uuid.uuid4(), "now": NOON, **more})


def stop(ticket, **more):
    return taps.stop(
        **{"ticket": ticket, "by": people.mina(), "command_id": uuid.uuid4(), "now": after(20), **more}
    )


# -- start and stop --------------------------------------------------------------------------------


def test_a_person_starts_a_stream(rest, leg):
    command = start(leg, name="assist", track="inbound_track", parameters={"why": "training"})
    assert command.state == "done"
    ticket = Ticket.objects.get()
    assert ticket.asked_by == people.mina()
    [asked] = rest.posts()
    assert asked.path == f"/Calls/{leg.sid}/Streams.json"
    assert asked.form["Url"] == f"wss://calls.example.com/media/{ticket.nonce}/"
    assert (asked.form["Name"], asked.form["Track"]) == ("assist", "inbound_track")
    assert (asked.form["Parameter2.Name"], asked.form["Parameter2.Value"]) == ("why", "training")


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"name": "a/b"}, "bad_name"),
        ({"name": "x" * 65}, "bad_name"),
        ({"track": "all"}, "31941"),
        ({"parameters": {"": "x"}}, "parameters"),
        ({"parameters": {"a": "x" * 499}}, "parameters"),
        ({"parameters": {f"p{n}": "x" for n in range(99)}}, "parameters"),
    ],
)
def test_what_twilio_would_refuse_is_told_before_it_is_asked(rest, leg, wish, code):
    command = start(leg, **wish)
    assert (command.state, command.code) == ("failed", code)
    assert command.text
    assert rest.asked == []


def test_a_fifth_track_is_told_before_twilio_refuses(rest, leg):
    start(leg)
    start(leg)
    command = start(leg, track="inbound_track")
    assert (command.state, command.code) == ("failed", "tracks_full")
    assert len(rest.posts()) == 2


def test_an_ended_call_cannot_be_streamed(rest, leg):
    Leg.objects.update(status="completed")
    leg.refresh_from_db()
    assert start(leg).code == "call_ended"
    assert rest.asked == []


def test_a_stop_goes_by_id_when_it_is_known_and_by_name_else(rest, leg):
    stream = factories.stream(leg)
    stop(stream.ticket, stream_sid=stream.sid)
    stop(stream.ticket)
    assert [asked.path for asked in rest.posts()] == [
        f"/Calls/{leg.sid}/Streams/{stream.sid}.json",
        f"/Calls/{leg.sid}/Streams/{stream.ticket.name}.json",
    ]


def test_a_bidirectional_stream_is_not_stopped_by_rest(rest, leg):
    stream = factories.stream(leg, ticket=factories.ticket(leg, kind="voice", spent_at=NOON))
    command = stop(stream.ticket)
    assert (command.state, command.code) == ("failed", "voice")
    assert rest.asked == []


def wanted(leg):
    return Call.objects.get(pk=leg.call_id).tap_wanted


def test_stopping_the_last_tap_means_that_none_is_wanted(rest, leg):
    first, second = factories.stream(leg), factories.stream(leg)
    stop(first.ticket)
    assert wanted(leg)
    close(first, "stop")
    stop(second.ticket)
    assert not wanted(leg)
    start(leg)
    assert wanted(leg)


# -- lost taps -------------------------------------------------------------------------------------


def close(stream, reason, at=None):
    """What the streams room does when a stream ends."""
    at = at or after(10)
    stream.closed_at, stream.close_reason = at, reason
    stream.save()
    tickets.release(ticket_id=stream.ticket_id, now=at)


@pytest.fixture
def tap(leg):
    ticket = tickets.issue(leg=leg, origin="twiml", parameters={"call": "1"}, now=NOON)
    tickets.spend(nonce=ticket.nonce, now=after(1))
    return factories.stream(leg, ticket=ticket, opened_at=after(1))


@pytest.mark.parametrize("reason", ["dropped", "lease", "refused", "silent", "drained"])
def test_a_lost_tap_is_opened_again_at_once_and_once(rest, leg, tap, reason):
    close(tap, reason)
    assert taps.reopen_lost(now=after(10)) == 1
    assert taps.reopen_lost(now=after(10.25)) == 0
    [asked] = rest.posts()
    assert (asked.form["Name"], asked.form["Track"]) == ("tap-2", "both_tracks")
    assert Command.objects.get().by is None


def test_an_open_tap_is_left_alone(rest, leg, tap):
    assert taps.reopen_lost(now=after(10)) == 0


def test_a_tap_that_a_person_stopped_stays_closed(rest, leg, tap):
    stop(tap.ticket, stream_sid=tap.sid, now=after(9))
    close(tap, "stop")
    assert taps.reopen_lost(now=after(20)) == 0


def test_a_tap_that_we_stopped_ourselves_stays_closed(rest, leg, tap):
    stop(tap.ticket, by=None, now=after(9))
    Call.objects.update(tap_wanted=True)
    close(tap, "stop")
    assert taps.reopen_lost(now=after(20)) == 0


def test_a_stop_that_nobody_asked_for_waits_for_the_end_of_the_call(rest, leg, tap):
    close(tap, "stop")
    assert taps.reopen_lost(now=after(11.9)) == 0
    assert taps.reopen_lost(now=after(12)) == 1


def test_with_the_end_of_the_call_nothing_is_opened(rest, leg, tap):
    close(tap, "call_ended")
    assert taps.reopen_lost(now=after(20)) == 0
    close(tap, "dropped")
    Leg.objects.update(status="completed")
    assert taps.reopen_lost(now=after(20)) == 0
    Leg.objects.update(status="in-progress")
    Call.objects.update(state="ended", ended_at=after(12))
    assert taps.reopen_lost(now=after(20)) == 0


def test_a_stream_of_others_that_they_stopped_is_theirs(rest, leg):
    ticket = tickets.issue(leg=leg, origin="ingest", name="MZ" + "3" * 32, now=NOON)
    stream = factories.stream(leg, ticket=ticket)
    close(stream, "stop")
    assert taps.reopen_lost(now=after(20)) == 0
    close(stream, "dropped")
    assert taps.reopen_lost(now=after(20)) == 1


def test_a_tap_that_never_came_is_opened_by_rest(rest, leg):
    tickets.issue(leg=leg, origin="twiml", now=NOON)
    assert taps.reopen_lost(now=after(59)) == 0
    tickets.expire(now=after(60))
    assert taps.reopen_lost(now=after(60)) == 1


def test_a_reopened_tap_that_does_not_come_is_asked_for_again_soon(rest, leg, tap):
    close(tap, "dropped")
    taps.reopen_lost(now=after(10))
    tickets.expire(now=after(19))
    assert taps.reopen_lost(now=after(19)) == 0
    tickets.expire(now=after(20))
    assert taps.reopen_lost(now=after(20)) == 1
    assert [asked.form["Name"] for asked in rest.posts()] == ["tap-2", "tap-3"]


def test_a_start_that_a_person_saw_fail_is_not_repeated(leg):
    with twilio_rest.rest() as rest:
        assert start(leg).state == "failed"
        assert taps.reopen_lost(now=after(10)) == 0
        assert len(rest.posts()) == 1


def test_a_person_who_was_faster_is_enough(rest, leg, tap):
    close(tap, "dropped")
    start(leg, now=after(11))
    assert taps.reopen_lost(now=after(12)) == 0


def test_two_lost_taps_are_both_opened(rest, leg, tap):
    other = factories.stream(leg, ticket=factories.ticket(leg, track="inbound_track", spent_at=NOON))
    close(tap, "lease")
    close(other, "lease")
    assert taps.reopen_lost(now=after(11)) == 2
    assert sorted(asked.form["Track"] for asked in rest.posts()) == ["both_tracks", "inbound_track"]


def test_a_refusal_is_tried_again_at_growing_intervals_and_not_for_ever(leg, tap):
    close(tap, "dropped")
    with twilio_rest.rest() as rest:
        tried = [n for n in range(240) if taps.reopen_lost(now=after(10 + n))]
        assert tried[:5] == [0, 1, 3, 7, 15]
        assert len(rest.posts()) == 10


def test_a_tap_that_holds_again_is_reopened_at_once_later(rest, leg, tap):
    close(tap, "dropped")
    taps.reopen_lost(now=after(10))
    ticket = Ticket.objects.get(reopens=tap.ticket)
    tickets.spend(nonce=ticket.nonce, now=after(10.5))
    close(factories.stream(leg, ticket=ticket, opened_at=after(10.5)), "dropped", after(100))
    assert taps.reopen_lost(now=after(100)) == 1


def test_no_tap_is_forced_upon_a_full_leg(rest, leg, tap):
    close(tap, "dropped")
    for _ in range(4):
        factories.ticket(leg, track="inbound_track", spent_at=after(5), created_at=after(5))
    assert taps.reopen_lost(now=after(11)) == 0
    assert rest.asked == []
    assert AuditEvent.objects.count() == 0


def test_many_lost_taps_are_asked_for_together(rest, django_assert_max_num_queries):
    for _ in range(12):
        leg = factories.leg(factories.call(started_at=NOON))
        ticket = tickets.issue(leg=leg, origin="twiml", now=NOON)
        tickets.spend(nonce=ticket.nonce, now=after(1))
        close(factories.stream(leg, ticket=ticket), "lease")
    assert taps.reopen_lost(now=after(11)) == 12
    with django_assert_max_num_queries(1):
        assert taps.reopen_lost(now=after(12)) == 0
