"""Each noun that pages show, as they get it: read by its keys, in a fixed number of queries for each noun.

Snapshots make their rows by the same functions, so an event and a fresh look say the same.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet, prefetch_related_objects
from django.utils.translation import gettext

from calls.models import (
    Agent,
    Alert,
    Call,
    Command,
    Leg,
    Listening,
    Moment,
    Note,
    Supervision,
    Turn,
    Utterance,
    Waiting,
)
from calls.remedies import explain
from calls.selectors import phase
from calls.selectors.agents import AgentState, states
from calls.stamp import iso

__all__ = [
    "LOADERS",
    "agent_messages",
    "command_message",
    "in_words",
    "iso",
    "note_message",
    "streams_of",
    "waiting_message",
]

Body = dict[str, Any]
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def agent_messages(rows: QuerySet[Agent], *, now: datetime) -> list[Body]:
    """What these agents do now, with their queues and teams; six queries, however many."""
    found = list(rows.select_related("user").prefetch_related("queues", "user__teams"))
    return [_agent(one) for one in states(now=now, agents=found)]


def command_message(command: Command) -> Body:
    """A command as browsers get it: what was asked, by whom, and how it stands."""
    return {
        **command.as_message(),
        "by": command.by.shown() if command.by else "",
        "stream": str(command.args.get("name") or command.args.get("stream") or ""),
        "created_at": iso(command.created_at),
        "settled_at": iso(command.settled_at) if command.settled_at else None,
    }


def in_words(message: Body) -> Body:
    """A command's message with its reason in the language that is active; it is written down in English.

    Not done for messages that several people get: each page's own door does it.
    """
    text, code = message["text"], message["code"]
    if not text:
        return message
    is_remedy = text == explain(code)[:300]
    return {**message, "text": explain(code, say=gettext) if is_remedy else gettext(text)}


def note_message(note: Note) -> Body:
    """A note as pages of its call get it; needs `by`."""
    return {
        "note": note.pk,
        "call": note.call_id,
        "by": note.by.shown() if note.by else "",
        "user": note.by_id,
        "text": note.text,
        "updated_at": iso(note.updated_at),
    }


def waiting_message(row: Waiting) -> Body:
    """A caller's wait as pages get it; needs `queue` and `agent`."""
    return {
        "waiting": row.pk,
        "call": row.call_id,
        "queue": row.queue_id,
        "queue_name": row.queue.name if row.queue else "",
        "agent": row.agent.name if row.agent else "",
        "entered_at": iso(row.entered_at),
        "priority": row.priority,
        "reason": row.reason,
        "left_at": iso(row.left_at) if row.left_at else None,
        "result": row.result,
    }


def streams_of(legs: Iterable[Leg], *, gaps: bool = False) -> list[Any]:
    """The stream rows of legs with their tickets, and gaps if asked for; by the relation alone."""
    found = list(legs)
    prefetch_related_objects(found, "streams__ticket", *(["streams__gaps"] if gaps else []))
    return [stream for leg in found for stream in leg.streams.all()]


def _agent(one: AgentState) -> Body:
    agent = one.agent
    return {
        "agent": agent.pk,
        "name": agent.name,
        "state": one.state,
        "reason": one.reason,
        "since": iso(one.since) if one.since else None,
        "present_until": iso(agent.present_until) if agent.present_until else None,
        "queues": sorted(queue.pk for queue in agent.queues.all()),
        "teams": sorted(team.pk for team in agent.user.teams.all()),
        "call": one.call,
    }


Loaded = list[tuple[str, Body]]


def _calls(keys: set[str], now: datetime) -> Loaded:
    rows = phase.shown(Call.objects.filter(pk__in=_numbers(keys)))
    return [(str(row.pk), phase.message(row)) for row in rows]


def _streams(keys: set[str], now: datetime) -> Loaded:
    legs = Leg.objects.filter(streams__sid__in=keys).distinct()
    return [(row.sid, row.as_message()) for row in streams_of(legs) if row.sid in keys]


def _gaps(keys: set[str], now: datetime) -> Loaded:
    legs = Leg.objects.filter(streams__gaps__pk__in=_numbers(keys)).distinct()
    gaps = [gap for stream in streams_of(legs, gaps=True) for gap in stream.gaps.all()]
    return [(str(gap.pk), gap.as_message()) for gap in gaps if str(gap.pk) in keys]


def _utterances(keys: set[str], now: datetime) -> Loaded:
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


def _turns(keys: set[str], now: datetime) -> Loaded:
    """By their public key `stream/number`."""
    parts = [key.split("/") for key in keys if key.count("/") == 1]
    sids, numbers = {sid for sid, _ in parts}, _numbers({number for _, number in parts})
    bodies = [row.as_message() for row in Turn.objects.filter(stream_sid__in=sids, number__in=numbers)]
    return [(str(body["turn"]), body) for body in bodies if body["turn"] in keys]


def _commands(keys: set[str], now: datetime) -> Loaded:
    rows = Command.objects.select_related("by").filter(pk__in={key for key in keys if _UUID.fullmatch(key)})
    return [(str(row.pk), command_message(row)) for row in rows]


def _agents(keys: set[str], now: datetime) -> Loaded:
    rows = Agent.objects.filter(pk__in=_numbers(keys))
    return [(str(body["agent"]), body) for body in agent_messages(rows, now=now)]


def _waits(keys: set[str], now: datetime) -> Loaded:
    rows = Waiting.objects.select_related("queue", "agent").filter(pk__in=_numbers(keys))
    return [(str(row.pk), waiting_message(row)) for row in rows]


def _notes(keys: set[str], now: datetime) -> Loaded:
    rows = Note.objects.select_related("by").filter(pk__in=_numbers(keys))
    return [(str(row.pk), note_message(row)) for row in rows]


def _plain(model: Any, *related: str) -> Callable[[set[str], datetime], Loaded]:
    """Rows whose own `as_message` needs no more than what `related` names."""

    def load(keys: set[str], now: datetime) -> Loaded:
        rows = model.objects.select_related(*related).filter(pk__in=_numbers(keys))
        return [(str(row.pk), row.as_message()) for row in rows]

    return load


def _numbers(keys: set[str]) -> set[int]:
    return {int(key) for key in keys if key.isascii() and key.isdigit() and len(key) < 19}


LOADERS: dict[str, Callable[[set[str], datetime], Loaded]] = {
    "call": _calls,
    "stream": _streams,
    "utterance": _utterances,
    "turn": _turns,
    "gap": _gaps,
    "command": _commands,
    "agent": _agents,
    "waiting": _waits,
    "alert": _plain(Alert, *Alert.SHOWN),
    "listening": _plain(Listening, "by"),
    "supervision": _plain(Supervision, "by"),
    "moment": _plain(Moment, "by"),
    "note": _notes,
}
