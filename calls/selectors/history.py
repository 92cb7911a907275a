"""Past and present calls by filter, a page at a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from calls.access import Scope
from calls.models import Call, CallState, Utterance

__all__ = ["PAGE", "Found", "Wanted", "search"]

PAGE = 50
QUOTE = 160  # characters of a line that holds the words looked for


@dataclass(frozen=True)
class Wanted:
    """A filter; empty fields ask for nothing. `until` is the last day asked for, at its start."""

    words: str = ""
    since: datetime | None = None
    until: datetime | None = None
    number: int | None = None
    agent: int | None = None
    state: str = ""
    caller: str = ""


@dataclass(frozen=True)
class Found:
    """One page: calls with `lines` (how many were said) and `quote` (the first that holds the words)."""

    calls: list[Any]
    page: int
    has_more: bool


def search(wanted: Wanted, *, page: int, scope: Scope) -> Found:
    """Those that the scope sees, newest first; one query, two with words to look for."""
    query = (
        scope.of(_filtered(wanted))
        .select_related("number", "contact", "agent", "queue")
        .annotate(lines=Count("utterances"))
    )
    start = (page - 1) * PAGE
    rows: list[Any] = list(query.order_by("-started_at", "-id")[start : start + PAGE + 1])
    calls = rows[:PAGE]
    _quote(calls, wanted.words)
    return Found(calls, page=page, has_more=len(rows) > PAGE)


def _filtered(wanted: Wanted) -> QuerySet[Call]:
    query = Q()
    if wanted.since:
        query &= Q(started_at__gte=wanted.since)
    if wanted.until:
        query &= Q(started_at__lt=wanted.until + timedelta(days=1))
    if wanted.number:
        query &= Q(number=wanted.number)
    if wanted.agent:
        query &= Q(agent=wanted.agent)
    if wanted.caller:
        query &= _caller(wanted.caller)
    return Call.objects.filter(query & _state(wanted.state) & _said(wanted.words))


def _caller(text: str) -> Q:
    digits = text.replace(" ", "")
    names = Q(contact__name__icontains=text) | Q(caller_name__icontains=text)
    return names | Q(caller__icontains=digits)


def _state(state: str) -> Q:
    if state == "live":
        return ~Q(state=CallState.ENDED)
    if state == "ended":
        return Q(state=CallState.ENDED)
    return Q(outcome=state) if state else Q()


def _said(words: str) -> Q:
    return Q(Exists(Utterance.objects.filter(call=OuterRef("pk"), text__icontains=words))) if words else Q()


def _quote(calls: list[Any], words: str) -> None:
    for call in calls:
        call.quote = ""
    if not words:
        return
    lines = Utterance.objects.filter(call__in=[call.pk for call in calls], text__icontains=words)
    first: dict[int, str] = {}
    for call_id, text in lines.order_by("start_ms", "id").values_list("call_id", "text"):
        first.setdefault(call_id, text)
    for call in calls:
        call.quote = _around(first.get(call.pk, ""), words)


def _around(text: str, words: str) -> str:
    """The part of a line around the words."""
    if len(text) <= QUOTE:
        return text
    at = max(0, text.lower().find(words.lower()) - QUOTE // 2)
    return ("…" if at else "") + text[at : at + QUOTE] + ("…" if at + QUOTE < len(text) else "")
