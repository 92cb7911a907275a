"""Which stream of a call a listener hears just now, or why none."""

from dataclasses import dataclass

from django.utils.translation import gettext, gettext_noop

from calls.models import Call, CallState, Ticket
from calls.path import asks_secret
from streams.models import Stream

__all__ = ["Heard", "heard"]

NO_STREAM = gettext_noop(
    "No stream is open: the sound of this call is not forked. It starts by itself when one opens."
)
PAUSED = gettext_noop("The stream is paused: nothing is heard until it goes on.")
SECRET = gettext_noop("The caller is giving a code. Nothing is heard meanwhile.")


@dataclass(frozen=True)
class Heard:
    """`sid` and `tracks` of the stream; without one, `why` in words. `over`: the call has ended."""

    sid: str = ""
    tracks: tuple[str, ...] = ()
    why: str = ""
    over: bool = False


def heard(*, call_id: int) -> Heard:
    """The newest open stream of the call that is not paused, and none while the caller gives a code."""
    call = Call.objects.filter(pk=call_id).values_list("state", "plan").first()
    if call is None or call[0] == CallState.ENDED:
        return Heard(over=True)
    if asks_secret(call[1]):
        return Heard(why=gettext(SECRET))
    rows = Stream.objects.open().filter(leg__call=call_id).order_by("-opened_at", "-id")
    streams = list(rows.values_list("sid", "tracks", "paused", "ticket__kind"))
    for sid, tracks, paused, kind in streams:
        if not paused:  # Twilio streams the caller alone to a voice; what the voice says we know ourselves
            return Heard(
                sid=sid, tracks=("inbound", "outbound") if kind == Ticket.Kind.VOICE else tuple(tracks)
            )
    return Heard(why=gettext(PAUSED if streams else NO_STREAM))
