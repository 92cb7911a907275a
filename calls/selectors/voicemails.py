"""Messages that callers left: agents hear those for their queues, supervisors those of their teams' calls."""

from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from calls.access import may_use_desk, may_watch, scope_of
from calls.models import Queue, User, Utterance, Voicemail

__all__ = ["PAGE", "UNHEARD_COUNTED", "Found", "find", "listed", "may_hear", "unheard"]

PAGE = 25
LINES_SHOWN = 12  # the last ones of the call: the message is its end
UNHEARD_COUNTED = 100


@dataclass(frozen=True)
class Found:
    """One page: messages with `lines`, the last ones of their call."""

    messages: list[Any]
    page: int
    has_more: bool


def may_hear(person: User) -> bool:
    """Whether there can be messages for this person at all: who takes calls, or watches them."""
    return may_use_desk(person) or may_watch(person)


def listed(person: User, *, page: int) -> Found:
    """Newest first; two queries, and one more for the teams of who watches some."""
    rows = _for(person).select_related("call__contact", "call__number", "queue", "heard_by")
    start = (page - 1) * PAGE
    found: list[Any] = list(rows.order_by("-created_at", "-id")[start : start + PAGE + 1])
    messages = found[:PAGE]
    _add_lines(messages)
    return Found(messages, page, has_more=len(found) > PAGE)


def find(person: User, pk: int) -> Voicemail | None:
    """One of them; another's is not found, exactly like what does not exist."""
    return _for(person).select_related("call").filter(pk=pk).first()


def unheard(person: User) -> int:
    """How many of them nobody has heard yet, counted up to UNHEARD_COUNTED."""
    return _for(person).filter(heard_at__isnull=True).order_by()[:UNHEARD_COUNTED].count()


def _for(person: User) -> QuerySet[Voicemail]:
    seen = Q(pk__in=[])
    if may_use_desk(person):
        seen |= Q(queue__in=Queue.objects.filter(agents__user=person.pk).values("pk"))
    if may_watch(person):
        scope = scope_of(person)
        if scope.teams is None:
            return Voicemail.objects.all()
        seen |= scope.where("call__")
    return Voicemail.objects.filter(seen)


def _add_lines(messages: list[Any]) -> None:
    calls = {message.call_id for message in messages}
    last = Window(RowNumber(), partition_by=F("call"), order_by=[F("start_ms").desc(), F("id").desc()])
    rows = Utterance.objects.filter(call__in=calls).defer("words").annotate(place=last)
    lines: dict[int, list[Utterance]] = {}
    for row in rows.filter(place__lte=LINES_SHOWN).order_by("start_ms", "id"):
        lines.setdefault(row.call_id, []).append(row)
    for message in messages:
        message.lines = lines.get(message.call_id, [])
