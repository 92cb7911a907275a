"""However a call ended, nothing of it is left: one shared assertion for every test that ends a call."""

from pathlib import Path

from django.db.models import Q

from calls.models import Call, CallState, Counter, Event, Participant, Ticket
from streams.models import Stream


def nothing_is_left(call: Call) -> None:
    """The call has ended, its streams are closed with a reason, its tickets released, its events whole.

    Nobody waits, rings, talks or sits in a conference for it any more.
    """
    call.refresh_from_db()
    assert call.state == CallState.ENDED
    assert call.ended_at is not None
    streams = Stream.objects.filter(leg__call=call)
    assert not streams.open().exists(), "a stream of an ended call is open"
    assert not streams.filter(close_reason="").exists(), "a stream was closed without a reason"
    alive = Ticket.objects.filter(leg__call=call, spent_at__isnull=False, released_at__isnull=True)
    assert not alive.exists(), "a ticket of an ended call still counts against Twilio's limits"
    assert not call.legs.filter(ended_at=None).exists(), "a leg of an ended call goes on"
    assert not call.waits.open().exists(), "an ended call waits"
    assert not call.offers.filter(ended_at=None).exists(), "an ended call is offered or talked in"
    seats = Participant.objects.filter(conference__call=call, joined_at__isnull=False, left_at=None)
    assert not seats.exists(), "somebody sits in a conference of an ended call"
    assert_events_whole()


def assert_events_whole() -> None:
    """Event ids run from 1 to the counter without a hole."""
    ids = list(Event.objects.order_by("id").values_list("id", flat=True))
    assert ids == list(range(ids[0], ids[0] + len(ids))) if ids else True
    assert Counter.objects.get().value == (ids[-1] if ids else Counter.objects.get().value)


def no_audio_is_left(journal_dir: Path, call: Call) -> None:
    """Neither journal nor words file of the call's streams exists, and the rows say so."""
    streams = Stream.objects.filter(leg__call=call)
    left = [path.name for one in streams for path in journal_dir.glob(f"{one.sid}*")]
    assert not left, f"left in the journal directory: {left}"
    assert not streams.filter(~Q(journal_state="gone")).exists()


def only_its_owner_may_read(directory: Path) -> None:
    """Every file below has mode 0600."""
    modes = {path: oct(path.stat().st_mode & 0o777) for path in directory.rglob("*") if path.is_file()}
    assert set(modes.values()) <= {"0o600"}, modes
