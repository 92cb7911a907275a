"""The words of one stream, switched off and on by a person; its sound is not touched.

The row is what counts. Its process is told over the layer, and reads the row with each renewal of its lease.
"""

from datetime import datetime

from asgiref.sync import async_to_sync
from django.conf import settings
from django.utils.translation import gettext

from calls import channels
from calls.events import change
from calls.models import User
from calls.refusal import Refused
from streams.engines import registry
from streams.journal_reader import Reader, journal_path
from streams.models import Stream
from streams.record import HEAD

__all__ = ["switch"]


def switch(*, call_id: int, stream: str, wanted: bool, by: User, now: datetime) -> Stream:
    """Have the words of this call's open stream written down, or not; the stream as it is then.

    As it is already, nothing is told again; its process is hinted all the same. Not from an event loop.
    Raises Refused, with a sentence for people.
    """
    with change(at=now) as told:
        found = Stream.objects.select_related("leg__call", "ticket").filter(sid=stream, leg__call=call_id)
        row = found.first()
        _refuse(row)
        assert row is not None
        if Stream.objects.open().filter(pk=row.pk, words=not wanted).update(words=wanted):
            kind, facts = "stream.words", {"words": wanted}
            told.emit(kind=kind, noun="stream", key=row.sid, call=call_id, by=by.pk, facts=facts)
        row.words = wanted
    async_to_sync(channels.control)(row.sid, "words_on" if wanted else "words_off")
    return row


def _refuse(row: Stream | None) -> None:
    if row is None:
        raise Refused("unknown_stream", gettext("This call has no such stream."))
    if row.closed_at is not None:
        raise Refused("ended", gettext("This stream has ended. Nothing more is said in it."))
    if settings.TRANSCRIBER == "none":
        raise Refused(
            "no_words", gettext("Nothing is written down on this site: it has no speech recognition.")
        )
    if not row.leg.call.words_wanted:
        raise Refused(
            "no_words", gettext("Calls of this number are not written down. An admin can change that.")
        )
    language = _language(row.sid)
    if not registry.hears(settings.TRANSCRIBER, language):
        raise Refused(
            "language",
            gettext("Speech recognition here does not understand this language (%(language)s).")
            % {"language": language},
        )


def _language(sid: str) -> str:
    """The language that the stream's journal names; English where it is kept by another machine."""
    try:
        with Reader(journal_path(settings.JOURNAL_DIR, sid)) as reader:
            head = next((record for record in reader.read(0) if record.kind == HEAD), None)
    except FileNotFoundError:
        return "en"
    return str((head.facts() if head else {}).get("language") or "en")
