"""Events after an id, as the messages that browsers get: each noun once, in its present state.

Messages are made from the rows when they are read, so a replay shrinks to the nouns that were touched and
equals a fresh look. The number of queries is fixed by the kinds of nouns, not by how many there are.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from calls.access import NOWHERE
from calls.events import newest_id
from calls.models import Call, CallState, Event
from calls.selectors.nouns import LOADERS, command_message, iso, note_message, streams_of
from calls.selectors.touched import told_as, topics_of

__all__ = [
    "Batch",
    "Told",
    "after",
    "command_message",
    "encode",
    "gone",
    "iso",
    "note_message",
    "streams_of",
]

Body = dict[str, Any]
Named = tuple[str, str]  # noun and key
_NUMBERED = LOADERS.keys() - {"stream", "utterance", "turn", "command"}  # their keys are numbers


@dataclass(frozen=True)
class Told:
    """One message: `body` is a JSON object with `type`, `at`, the noun's key and state, without ids.

    `team` is that of its call now (None: of no team; NOWHERE: no call), `was` that of before if it moved.
    What is of no call may have `teams` instead: those of an agent. `topics` name whom it concerns. A noun
    that no page shows by itself has no body: desks look at it anew.
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
    teams: frozenset[int] | None = None
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
    messages = _in_their_teams(_messages(rows)) if rows else []
    return Batch(messages, upto=rows[-1].id if rows else last_id, whole=whole)


def _messages(rows: list[Event]) -> list[Told]:
    """One for each noun that pages are told of, in the order of their newest events."""
    topics = topics_of(rows)
    newest: dict[Named, Event] = {}
    concerned: dict[Named, frozenset[str]] = {}
    for row in rows:
        theirs = topics.get((row.noun, row.key), frozenset())
        named = told_as(row, theirs)
        newest[named] = row
        concerned[named] = concerned.get(named, frozenset()) | theirs
    states = _states(newest)
    ordered = sorted(newest.items(), key=lambda item: item[1].id)
    return [_told(named, row, states.get(named), concerned[named]) for named, row in ordered]


def encode(message: Body) -> str:
    """Compact JSON in ASCII, so that no odd character of a caller can break a socket."""
    return json.dumps(message, separators=(",", ":"))


def gone(call: int, *, at: datetime) -> str:
    """To who may no longer see a call: it went to another team. Not where to, nor why."""
    return encode({"type": "call", "at": iso(at), "event": "call.moved", "call": call, "gone": True})


def _told(named: Named, event: Event, state: Body | None, topics: frozenset[str]) -> Told:
    noun, key = named
    known = state or _gone(noun, key, event)
    of_a_call = noun != "agent"
    call = known.get("call") if isinstance(known.get("call"), int) else event.call_id
    body = {"type": noun, "at": iso(event.at), "event": event.kind, **known}
    return Told(
        id=event.id,
        noun=noun,
        key=key,
        call=call if of_a_call else None,
        body=encode(body) if noun in LOADERS else "",
        stream=str(known.get("stream", "")),
        track=str(known.get("track", "")),
        topics=topics,
        teams=None if of_a_call else frozenset(known.get("teams", ())),
        ended=noun == "call" and known.get("state", CallState.ENDED) == CallState.ENDED,
    )


def _gone(noun: str, key: str, event: Event) -> Body:
    """Of a row that is not there any more."""
    is_number = noun in _NUMBERED and key.isascii() and key.isdigit()
    body: Body = {noun: int(key) if is_number else key, "gone": True}
    return body if noun == "agent" else {**body, "call": event.call_id}


def _in_their_teams(messages: list[Told]) -> list[Told]:
    """Each with its call's team. Read after the states: what moved meanwhile is its new team's alone."""
    calls = {told.call for told in messages if told.call is not None}
    teams = dict(Call.objects.filter(pk__in=calls).order_by().values_list("pk", "team")) if calls else {}
    placed = [teams.get(told.call, NOWHERE) if told.call is not None else NOWHERE for told in messages]
    return [replace(told, team=team, was=team) for told, team in zip(messages, placed, strict=True)]


def _states(wanted: Iterable[Named]) -> dict[Named, Body]:
    keys: dict[str, set[str]] = {}
    for noun, key in wanted:
        keys.setdefault(noun, set()).add(key)
    now = timezone.now()
    found: dict[Named, Body] = {}
    for noun, load in LOADERS.items():
        if noun in keys:
            found.update({(noun, key): body for key, body in load(keys[noun], now)})
    return found
