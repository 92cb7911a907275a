"""The figures above the wall, by queue, so that a page sums what its filter wants.

What is counted is a wait: a caller's way through queues until an agent answers, the caller hangs up, or they
are led elsewhere. It lasts from when they began to wait, whichever queues they came through, and counts
once: in the queue in which it ended, or in which it stands. So a call that moved or overflowed from one
queue to another is the second one's alone. Who comes back to a queue in which they were answered before,
because an agent's page was lost or they were transferred, is not counted there again.

- **Answered**: an agent took the call. **In target**: within the queue's `target_seconds`.
- **Abandoned**: the caller hung up after more than `SHORT_SECONDS` of waiting. Who hangs up sooner counts in
  no queue.
- **Service level** = in target / (answered + abandoned), here of the waits that ended in the last 30 minutes.
- **Offered**: answered, abandoned, led to a message, a call back or elsewhere, and those who still wait.
- **Longest wait**: in seconds, of all that were offered; who still waits is among them.

A wait belongs to the day on which it ended; a day begins at midnight of the site's `TIME_ZONE`. `calls` are
those of people who called us, each once, by when it began: `answered` by an agent, a voice or a telephone,
`missed` when it ended with nobody there.
"""

import threading
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
)
from django.utils import timezone

from calls.access import Scope
from calls.models import Call, CallState, Waiting
from calls.selectors import teams
from calls.selectors.nouns import iso

__all__ = ["KEPT", "LATELY", "SHORT_SECONDS", "figures", "forget", "lately", "midnight"]

SHORT_SECONDS = 5
LATELY = timedelta(minutes=30)
KEPT = timedelta(seconds=2)

Body = dict[str, Any]
_ANSWERED, _ABANDONED = Waiting.Result.ANSWERED, Waiting.Result.ABANDONED
_WENT_ON = (Waiting.Result.OVERFLOW, Waiting.Result.MOVED)
_NOBODY = {"offered": 0, "answered": 0, "abandoned": 0, "longest_wait_s": 0}
_kept: dict[Scope, tuple[datetime, Body]] = {}
_lock = threading.Lock()


def lately(*, now: datetime, scope: Scope) -> Body:
    """The figures as they were at most two seconds ago: in each process they are read once for a scope."""
    with _lock:
        for other in [other for other, (at, _) in _kept.items() if not _is_fresh(at, now)]:
            del _kept[other]
        if scope not in _kept:
            _kept[scope] = (now, figures(now=now, scope=scope))
        return _kept[scope][1]


def forget() -> None:
    """Read them anew the next time."""
    with _lock:
        _kept.clear()


def figures(*, now: datetime, scope: Scope) -> Body:
    """The figures of the queues and calls that a scope sees; four queries, however many there are."""
    today = midnight(now)
    queues = {queue.pk: queue.target_seconds for queue in teams.queues(scope)}
    counted = _counted(queues)
    days = _today(counted, today, now)
    half_hours = _last30(counted, queues, now)
    found = {str(queue): {"last30": half_hours[queue], "today": days.get(queue, _NOBODY)} for queue in queues}
    return {"at": iso(now), "queues": found, "calls": {"today": _calls(scope, today)}}


def midnight(now: datetime) -> datetime:
    """When this day began where the site is."""
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)


def _is_fresh(at: datetime, now: datetime) -> bool:
    return timedelta(0) <= now - at < KEPT


def _counted(queues: dict[int, int]) -> QuerySet[Waiting]:
    """The waits of these queues that count, each once."""
    same_call = Waiting.objects.filter(call=OuterRef("call"))
    led_on = same_call.filter(entered_at=OuterRef("entered_at"), pk__gt=OuterRef("pk"), queue__isnull=False)
    before = same_call.filter(queue=OuterRef("queue"), result=_ANSWERED, pk__lt=OuterRef("pk"))
    short = Q(result=_ABANDONED, left_at__lte=F("entered_at") + timedelta(seconds=SHORT_SECONDS))
    rows = Waiting.objects.filter(queue__in=list(queues)).exclude(short)
    return rows.exclude(Q(result__in=_WENT_ON) & Q(Exists(led_on))).exclude(Exists(before)).order_by()


def _today(counted: QuerySet[Waiting], start: datetime, now: datetime) -> dict[int, Body]:
    """By when the wait ended, and those that still go on."""
    rows = counted.filter(Q(left_at__gte=start) | Q(left_at__isnull=True)).values("queue")
    lasted = ExpressionWrapper(F("left_at") - F("entered_at"), output_field=DurationField())
    return {
        row["queue"]: {
            "offered": row["offered"],
            "answered": row["answered"],
            "abandoned": row["abandoned"],
            "longest_wait_s": _longest(row, now),
        }
        for row in rows.annotate(
            offered=Count("pk"),
            answered=Count("pk", filter=Q(result=_ANSWERED)),
            abandoned=Count("pk", filter=Q(result=_ABANDONED)),
            longest=Max(lasted),
            waits_since=Min("entered_at", filter=Q(left_at__isnull=True)),
        )
    }


def _longest(row: Any, now: datetime) -> int:
    lasted = row["longest"] or timedelta(0)
    waits = now - row["waits_since"] if row["waits_since"] else timedelta(0)
    return max(0, int(max(lasted, waits).total_seconds()))


def _last30(counted: QuerySet[Waiting], queues: dict[int, int], now: datetime) -> dict[int, Body]:
    """By when the wait ended."""
    found = {queue: {"answered": 0, "in_target": 0, "abandoned": 0} for queue in queues}
    ended: Any = counted.filter(left_at__gt=now - LATELY, result__in=(_ANSWERED, _ABANDONED))
    for queue, result, began, left in ended.values_list("queue", "result", "entered_at", "left_at"):
        row = found[queue]
        row["answered" if result == _ANSWERED else "abandoned"] += 1
        row["in_target"] += result == _ANSWERED and left - began <= timedelta(seconds=queues[queue])
    return found


def _calls(scope: Scope, start: datetime) -> Body:
    # by the index of states and times
    rows = scope.of(Call.objects.filter(state__in=CallState.values, started_at__gte=start))
    return rows.filter(direction=Call.INBOUND).aggregate(
        volume=Count("pk"),
        answered=Count("pk", filter=Q(answered_at__isnull=False)),
        missed=Count("pk", filter=Q(outcome=Call.Outcome.MISSED)),
    )
