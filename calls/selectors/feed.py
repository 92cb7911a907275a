"""Events after an id, as the messages that browsers get: each noun once, in its present state.

Messages are made from the rows when they are read, so a replay shrinks to the nouns that were touched and
equals a fresh look. The number of queries is fixed by the kinds of nouns, not by how many there are.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, prefetch_related_objects

from calls.access import NOWHERE
from calls.events import newest_id
from calls.models import Call, CallState, Command, Event, Leg, Utterance
from calls.selectors.touched import topics_of

__all__ = ["Batch", "Told", "after", "command_message", "encode", "gone", "iso", "streams_of"]

Body = dict[str, Any]
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Told:
    """One message: `body` is a JSON object with `type`, `at`, the noun's key and state, without ids.

    `team` is that of its call now (None: of no team; NOWHERE: no call), `was` that of before if it moved.
    `topics` name whom it concerns. A noun that no page shows by itself has no body: desks look at it anew.
    """

    id: int
    noun: str
    key: str
    call: int | None
    body: str
    stream: str = ""
    track: str = ""
    topics: frozenset[str] = frozenset()
    team: int | None = NOWHERE
    was: int | None = NOWHERE
    ended: bool = False  # the call is over


@dataclass(frozen=True)
class Batch:
    """What happened after an id, up to and including `upto`; `whole` is False if events are missing."""

    messages: list[Told]
    upto: int
    whole: bool


def after(last_id: int, *, limit: int) -> Batch:
    """At most `limit` events after `last_id`. Not whole: the first one is gone or more than `limit` wait."""
    rows = list(Event.objects.filter(id__gt=last_id).order_by("id")[: limit + 1])
    known = rows[0].id == last_id + 1 if rows else newest_id() <= last_id  # else retention was there first
    whole = len(rows) <= limit and known
    rows = rows[:limit]
    newest = {(row.noun, row.key): row for row in rows}
    states = _states(newest)
    ordered = sorted(newest.values(), key=lambda row: row.id)
    topics = topics_of(ordered)
    messages = _in_their_teams(
        [
            _told(row, states.get((row.noun, row.key)), topics.get((row.noun, row.key), frozenset()))
            for row in ordered
        ]
    )
    return Batch(messages, upto=rows[-1].id if rows else last_id, whole=whole)


def encode(message: Body) -> str:
    """Compact JSON in ASCII, so that no odd character of a caller can break a socket."""
    return json.dumps(message, separators=(",", ":"))


def gone(call: int, *, at: datetime) -> str:
    """To who may no longer see a call: it went to another team. Not where to, nor why."""
    return encode({"type": "call", "at": iso(at), "event": "call.moved", "call": call, "gone": True})


def iso(moment: datetime) -> str:
    """ISO 8601 UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _told(event: Event, state: Body | None, topics: frozenset[str]) -> Told:
    known = state or {event.noun: event.key, "call": event.call_id, "gone": True}
    body = {"type": event.noun, "at": iso(event.at), "event": event.kind, **known}
    return Told(
        id=event.id,
        noun=event.noun,
        key=event.key,
        call=known.get("call") if isinstance(known.get("call"), int) else event.call_id,
        body=encode(body) if event.noun in _LOADERS else "",
        stream=str(known.get("stream", "")),
        track=str(known.get("track", "")),
        topics=topics,
        ended=event.noun == "call" and known.get("state", CallState.ENDED) == CallState.ENDED,
    )


def _in_their_teams(messages: list[Told]) -> list[Told]:
    """Each with its call's team. Read after the states: what moved meanwhile is its new team's alone."""
    calls = {told.call for told in messages if told.call is not None}
    teams = dict(Call.objects.filter(pk__in=calls).order_by().values_list("pk", "team")) if calls else {}
    placed = [teams.get(told.call, NOWHERE) if told.call is not None else NOWHERE for told in messages]
    return [replace(told, team=team, was=team) for told, team in zip(messages, placed, strict=True)]


def _states(wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Body]:
    keys: dict[str, set[str]] = {}
    for noun, key in wanted:
        keys.setdefault(noun, set()).add(key)
    found: dict[tuple[str, str], Body] = {}
    for noun, load in _LOADERS.items():
        if noun in keys:
            found.update({(noun, key): body for key, body in load(keys[noun])})
    return found


def _calls(keys: set[str]) -> list[tuple[str, Body]]:
    rows = Call.objects.select_related("number", "contact", "agent", "queue").filter(pk__in=_numbers(keys))
    return [(str(row.pk), row.as_message()) for row in rows]


def _streams(keys: set[str]) -> list[tuple[str, Body]]:
    legs = Leg.objects.filter(streams__sid__in=keys).distinct()
    return [(row.sid, row.as_message()) for row in streams_of(legs) if row.sid in keys]


def _gaps(keys: set[str]) -> list[tuple[str, Body]]:
    legs = Leg.objects.filter(streams__gaps__pk__in=_numbers(keys)).distinct()
    gaps = [gap for stream in streams_of(legs, gaps=True) for gap in stream.gaps.all()]
    return [(str(gap.pk), gap.as_message()) for gap in gaps if str(gap.pk) in keys]


def _utterances(keys: set[str]) -> list[tuple[str, Body]]:
    """By their public key `stream/track/number`, or by row id."""
    parts = [key.split("/") for key in keys if key.count("/") == 2]
    sids, numbers = {sid for sid, _, _ in parts}, _numbers({number for _, _, number in parts})
    rows = Utterance.objects.defer("words").filter(
        Q(stream_sid__in=sids, number__in=numbers) | Q(pk__in=_numbers(keys))
    )
    found = []
    for row in rows:
        body = row.as_message()
        found += [(key, body) for key in (str(body["utterance"]), str(row.pk)) if key in keys]
    return found


def _commands(keys: set[str]) -> list[tuple[str, Body]]:
    rows = Command.objects.select_related("by").filter(pk__in=_uuids(keys))
    return [(str(row.pk), command_message(row)) for row in rows]


def command_message(command: Command) -> Body:
    """A command as browsers get it: what was asked, by whom, and how it stands."""
    return {
        **command.as_message(),
        "by": command.by.get_username() if command.by else "",
        "stream": str(command.args.get("name") or command.args.get("stream") or ""),
        "created_at": iso(command.created_at),
        "settled_at": iso(command.settled_at) if command.settled_at else None,
    }


def streams_of(legs: Iterable[Leg], *, gaps: bool = False) -> list[Any]:
    """The stream rows of legs with their tickets, and gaps if asked for; by the relation alone."""
    found = list(legs)
    prefetch_related_objects(found, "streams__ticket", *(["streams__gaps"] if gaps else []))
    return [stream for leg in found for stream in leg.streams.all()]


def _uuids(keys: set[str]) -> set[str]:
    return {key for key in keys if _UUID.fullmatch(key)}


def _numbers(keys: set[str]) -> set[int]:
    return {int(key) for key in keys if key.isascii() and key.isdigit() and len(key) < 19}


_LOADERS: dict[str, Callable[[set[str]], list[tuple[str, Body]]]] = {
    "call": _calls,
    "stream": _streams,
    "utterance": _utterances,
    "gap": _gaps,
    "command": _commands,
}
