"""What a voice is told before it says a word, and how quickly voices answered."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from calls import path, tables
from calls.briefing import Allowed, Briefing
from calls.models import Action, Call, Turn, Voice, VoiceTable
from calls.selectors import path as numbers
from calls.selectors.numbers import schedule_of
from calls.services import verification
from calls.text import e164

__all__ = ["briefing", "rows_of", "turns"]

TURNS_SHOWN = 500

Rows = Mapping[str, Mapping[str, str]]


def briefing(call_id: int) -> Briefing | None:
    """The voice that the call's plan names, with all it may know and do; None where no voice is to speak.

    At most five queries, however much there is.
    """
    call = _call(call_id)
    voice = call.voice if call is not None and path.speaks(call.plan, call.voice_id) else None
    if call is None or voice is None:
        return None
    hours = voice.hours or (call.number.hours if call.number else None)
    return Briefing(
        voice=voice.pk,
        name=voice.name,
        kind=voice.kind,
        text=voice.text,
        settings=voice.settings if isinstance(voice.settings, dict) else {},
        language=voice.language,
        actions=_actions(voice),
        tables=_tables(voice),
        caller=call.contact.name if call.contact else "",
        e164=e164(call.caller),
        facts={str(name): str(value) for name, value in call.facts.items()},
        verified=call.verified,
        may_verify=_may_verify(call),
        at=str(call.plan.get("at", "")),
        lost=int(call.plan.get("lost", 0)),
        schedule=schedule_of(hours) if hours else None,
        zone=hours.time_zone if hours else "UTC",
    )


@lru_cache(maxsize=64)
def rows_of(text: str) -> Rows:
    """The rows of a table by their first column; none of one that admin would refuse today."""
    try:
        return tables.read(text)
    except tables.TableError:
        return {}


def turns(call_id: int) -> list[dict[str, Any]]:
    """The newest turns of a call's voices, in order, as pages get them."""
    rows = Turn.objects.filter(call=call_id).order_by("-spoken_ms", "-id")[:TURNS_SHOWN]
    return [row.as_message() for row in reversed(rows)]


def _call(call_id: int) -> Call | None:
    related = Call.objects.select_related("voice__hours", "number__hours", "number__voice", "contact")
    return related.filter(pk=call_id).exclude(state=Call.State.ENDED).first()


def _actions(voice: Voice) -> tuple[Allowed, ...]:
    rows = Action.objects.filter(voice=voice).order_by("name")
    return tuple(Allowed(row.name, row.kind, row.description) for row in rows)


def _tables(voice: Voice) -> dict[str, Rows]:
    return {table.name: rows_of(table.text) for table in VoiceTable.objects.filter(voice=voice)}


def _may_verify(call: Call) -> bool:
    return call.number is not None and bool(verification.way(numbers.settings_of(call.number), call.contact))
