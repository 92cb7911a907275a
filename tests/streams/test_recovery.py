"""What a media process leaves behind when it dies is found, made whole and closed."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from calls.models import Ticket, Utterance
from streams.journal import END, Reader, journal_path
from streams.models import Gap, Stream
from streams.services import aftercall, leases, recovery
from streams.services.leases import EXPIRED_AFTER
from tests import factories
from tests.streams.journals import journal, lines

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def directory(settings: Any, tmp_path: Path) -> Path:
    settings.JOURNAL_DIR = tmp_path / "journal"
    settings.TRANSCRIBER = "embedded"
    found: Path = settings.JOURNAL_DIR
    return found


@pytest.fixture
def stream(directory: Path) -> Stream:
    return factories.stream(process=factories.process(host=leases.here()))


def records(stream: Stream, directory: Path) -> list[Any]:
    with Reader(journal_path(directory, stream.sid)) as reader:
        return reader.read()


def test_a_stream_whose_process_lives_is_left_alone(stream: Stream, directory: Path) -> None:
    held = journal(directory, stream.sid)
    late = timezone.now() + timedelta(hours=1)  # its lease has long expired, but the lock is held

    assert recovery.sweep(now=late) == 0

    stream.refresh_from_db()
    assert stream.closed_at is None
    held.close()


def test_a_stream_whose_process_died_is_closed_at_once_by_its_journal(
    stream: Stream, directory: Path
) -> None:
    journal(directory, stream.sid, frames=50).close()  # the kernel does this for a dead process

    assert recovery.sweep(now=timezone.now()) == 1

    stream.refresh_from_db()
    assert stream.close_reason == "lease"
    assert (stream.frames, stream.bytes, stream.last_ms) == (100, 16_000, 1000)
    stream.ticket.refresh_from_db()
    assert stream.ticket.released_at is not None
    last = records(stream, directory)[-1]
    assert (last.kind, last.facts()["reason"]) == (END, "lease")


def test_a_torn_tail_is_cut_and_nothing_before_it_is_lost(stream: Stream, directory: Path) -> None:
    journal(directory, stream.sid, frames=10).close()
    path = journal_path(directory, stream.sid)
    with path.open("ab") as file:
        file.write(b"\xc7\x01\xa0\x00half a record")

    recovery.sweep(now=timezone.now())

    stream.refresh_from_db()
    assert stream.frames == 20
    assert records(stream, directory)[-1].kind == END


def test_gaps_that_only_the_journal_knew_become_rows(stream: Stream, directory: Path) -> None:
    held = journal(directory, stream.sid, frames=5)
    held.gap("inbound", 100, 240, "lost")
    held.close()

    recovery.sweep(now=timezone.now())

    assert list(Gap.objects.values_list("track", "at_ms", "ms", "cause")) == [("inbound", 100, 240, "lost")]


def test_a_stream_that_had_ended_keeps_its_reason(stream: Stream, directory: Path) -> None:
    held = journal(directory, stream.sid)
    held.finish("stop", {})
    held.close()  # died before its row was closed
    recovery.sweep(now=timezone.now())
    stream.refresh_from_db()
    assert stream.close_reason == "stop"


def test_without_a_journal_the_lease_decides(directory: Path) -> None:
    now = timezone.now()
    alive = factories.stream(process=factories.process(host=leases.here(), seen_at=now))
    dead = factories.stream(process=factories.process(host="elsewhere", seen_at=now - EXPIRED_AFTER * 1.1))
    nobodys = factories.stream()

    assert recovery.sweep(now=now) == 2

    reasons = {one.sid: one.close_reason for one in Stream.objects.all()}
    assert reasons == {alive.sid: "", dead.sid: "lease", nobodys.sid: "lease"}


def test_a_stream_of_a_leg_that_has_ended_is_closed_with_it(stream: Stream, directory: Path) -> None:
    held = journal(directory, stream.sid)
    now = timezone.now()
    stream.leg.ended_at = now
    stream.leg.save()

    assert recovery.sweep(now=now + timedelta(seconds=5)) == 0  # Twilio's `stop` may still come
    assert recovery.sweep(now=now + timedelta(seconds=11)) == 1

    stream.refresh_from_db()
    assert stream.close_reason == "call_ended"
    held.close()


def test_a_ticket_whose_socket_never_started_is_given_back(directory: Path) -> None:
    now = timezone.now()
    old = factories.ticket(spent_at=now - timedelta(seconds=31))
    fresh = factories.ticket(spent_at=now - timedelta(seconds=3))
    recovery.sweep(now=now)
    assert set(Ticket.objects.filter(released_at__isnull=True)) == {fresh}
    assert Ticket.objects.get(released_at__isnull=False) == old


def test_words_that_were_still_to_come_are_stored_afterwards(stream: Stream, directory: Path) -> None:
    journal(directory, stream.sid).close()
    recovery.sweep(now=timezone.now())
    path = journal_path(directory, stream.sid)

    lines(path, "good morning")
    aftercall.clean(now=timezone.now())
    assert list(Utterance.objects.values_list("text", flat=True)) == ["good morning"]
    assert path.exists(), "the engine is not done"

    lines(path, "good morning", "how can I help", done=True)  # written again: the numbers tell
    aftercall.clean(now=timezone.now())
    assert sorted(Utterance.objects.values_list("text", flat=True)) == ["good morning", "how can I help"]
    assert not path.exists()


def test_a_journal_that_cannot_be_taken_over_keeps_no_other_stream_open(
    stream: Stream, directory: Path
) -> None:
    other = factories.stream(process=factories.process(host=leases.here()))
    for one in (stream, other):
        journal(directory, one.sid).close()
    broken = journal_path(directory, min(stream.sid, other.sid))
    broken.unlink()
    broken.mkdir()  # nothing can be read there

    recovery.sweep(now=timezone.now())

    assert Stream.objects.filter(closed_at__isnull=False).count() >= 1
    assert Stream.objects.get(sid=max(stream.sid, other.sid)).closed_at is not None


def test_a_stream_that_died_before_it_had_a_row_gives_its_ticket_back_at_once(directory: Path) -> None:
    now = timezone.now()
    leg = factories.leg(sid="CA" + "1" * 32)
    begun, of_another_call = (factories.ticket(one, spent_at=now) for one in (leg, factories.leg()))
    held = journal(directory, "MZ" + "4" * 32)
    next_one = factories.ticket(leg, name="tap-2", spent_at=now + timedelta(seconds=5))  # opened since

    recovery.sweep(now=now)
    assert not Ticket.objects.filter(released_at__isnull=False).exists()

    held.close()  # its process dies
    recovery.sweep(now=now)
    for ticket in (begun, of_another_call, next_one):
        ticket.refresh_from_db()
    assert begun.released_at is not None
    assert (of_another_call.released_at, next_one.released_at) == (None, None)
