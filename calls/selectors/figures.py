"""The figures above the wall, by queue, so that a page sums what its filter wants.

What is counted is a wait: a caller's way through queues until an agent answers, the caller hangs up, or they
are led elsewhere. It lasts from when they began to wait, whichever queues they came through, and counts
once: in the queue in which it ended, or in which it stands. So a call that moved or overflowed from one
queue to another is the second one's alone. Who comes back to a queue in which they were answered that day,
because an agent's page was lost or they were transferred, is not counted there again.

- **Answered**: an agent took the call. **In target**: within the queue's `target_seconds`.
- **Abandoned**: the caller hung up after more than `SHORT_SECONDS` of waiting. Who hangs up sooner counts in
  no queue.
- **Service level** = in target / (answered + abandoned), here of the waits that ended in the last 30 minutes.
- **Offered**: answered, abandoned, led to a message, a call back or elsewhere, and those who still wait.
- **Longest wait**: in seconds, of all that were offered; who still waits is among them.

A wait belongs to the day on which it ended; a day begins at midnight of the site's `TIME_ZONE`. `calls` are
those of people who called us, each once, by when it began: `answered` by an agent, a voice or a telephone,
`missed` when it ended with nobody there. Who waits after a voice is answered by an agent, or not at all: who
then hangs up was abandoned, and not answered besides.
"""

import copy
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from calls.access import Scope
from calls.models import Call, CallState, Queue, Waiting
from calls.selectors import teams
from calls.selectors.nouns import iso

__all__ = ["KEPT", "LATELY", "SHORT_SECONDS", "figures", "forget", "lately", "midnight"]

SHORT_SECONDS = 5
LATELY = timedelta(minutes=30)
KEPT = timedelta(seconds=2)

Body = dict[str, Any]
_ANSWERED, _ABANDONED = Waiting.Result.ANSWERED, Waiting.Result.ABANDONED
_WENT_ON = (Waiting.Result.OVERFLOW, Waiting.Result.MOVED)
_NOTHING: Body = {
    "last30": {"answered": 0, "in_target": 0, "abandoned": 0},
    "today": {"offered": 0, "answered": 0, "abandoned": 0, "longest_wait_s": 0},
}
_kept: dict[Scope | None, tuple[datetime, Any]] = {}
_lock = threading.Lock()


class _Wait(NamedTuple):
    key: int
    call: int
    queue: int | None
    result: str
    began: datetime
    left: datetime | None

    def lasted(self, until: datetime | None) -> timedelta:
        """How long it took, or has taken until then."""
        end = self.left or until or self.began
        return end - self.began

    def is_short(self) -> bool:
        """Whether the caller hung up too soon to count."""
        return self.result == _ABANDONED and self.lasted(None) <= timedelta(seconds=SHORT_SECONDS)


def lately(*, now: datetime, scope: Scope) -> Body:
    """The figures as they were at most two seconds ago: in each process the queues' are read once for all
    scopes, those of calls once for each.
    """
    with _lock:
        for other in [other for other, (at, _) in _kept.items() if not _is_fresh(at, now)]:
            del _kept[other]
        if None not in _kept:
            _kept[None] = (now, _waits(now))
        if scope not in _kept:
            _kept[scope] = (now, _cut(_kept[None][1], now, scope))
        found: Body = _kept[scope][1]
        return found


def forget() -> None:
    """Read them anew the next time."""
    with _lock:
        _kept.clear()


def figures(*, now: datetime, scope: Scope) -> Body:
    """The figures of the queues and calls that a scope sees; four queries, however many there are."""
    return _cut(_waits(now), now, scope)


def _cut(waits: dict[int, Body], now: datetime, scope: Scope) -> Body:
    queues = teams.queues(scope).order_by().values_list("pk", flat=True)
    found = {str(queue): waits.get(queue, _NOTHING) for queue in queues}
    return {"at": iso(now), "queues": found, "calls": {"today": _calls(scope, midnight(now))}}


def _waits(now: datetime) -> dict[int, Body]:
    """Of each queue; two queries."""
    today = midnight(now)
    targets = dict(Queue.objects.order_by().values_list("pk", "target_seconds"))
    found = {queue: copy.deepcopy(_NOTHING) for queue in targets}
    for row in _counted(_read(min(today, now - LATELY))):
        if row.queue is None:
            continue
        if row.left is None or row.left >= today:
            _count_today(found[row.queue]["today"], row, now)
        if row.left is not None and row.left > now - LATELY:
            _count_lately(found[row.queue]["last30"], row, targets[row.queue])
    return found


def midnight(now: datetime) -> datetime:
    """When this day began where the site is."""
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)


def _is_fresh(at: datetime, now: datetime) -> bool:
    return timedelta(0) <= now - at < KEPT


def _read(since: datetime) -> list[_Wait]:
    """The waits that ended since then and those that go on, in the order in which they began.

    By the index of ends alone, and put together here: what joins a day's waits among themselves in the
    database may, if it guesses wrong, read all that ever waited for each of them.
    """
    rows = Waiting.objects.filter(Q(left_at__gte=since) | Q(left_at__isnull=True)).order_by()
    fields = ("pk", "call", "queue", "result", "entered_at", "left_at")
    return sorted(_Wait(*row) for row in rows.values_list(*fields))


def _counted(rows: list[_Wait]) -> Iterator[_Wait]:
    """Those that count, each once."""
    newest = {(row.call, row.began): row.key for row in rows if row.queue is not None}
    answered: set[tuple[int, int | None]] = set()
    for row in rows:
        led_on = row.result in _WENT_ON and newest.get((row.call, row.began), 0) > row.key
        back = (row.call, row.queue) in answered
        if row.result == _ANSWERED:
            answered.add((row.call, row.queue))
        if not (led_on or back or row.is_short()):
            yield row


def _count_today(day: Body, row: _Wait, now: datetime) -> None:
    day["offered"] += 1
    day["answered"] += row.result == _ANSWERED
    day["abandoned"] += row.result == _ABANDONED
    day["longest_wait_s"] = max(day["longest_wait_s"], int(row.lasted(now).total_seconds()))


def _count_lately(half_hour: Body, row: _Wait, target_seconds: int) -> None:
    half_hour["answered"] += row.result == _ANSWERED
    half_hour["abandoned"] += row.result == _ABANDONED
    in_time = row.lasted(row.left) <= timedelta(seconds=target_seconds)
    half_hour["in_target"] += row.result == _ANSWERED and in_time


def _calls(scope: Scope, start: datetime) -> Body:
    # by the index of states and times
    rows = scope.of(Call.objects.filter(state__in=CallState.values, started_at__gte=start))
    waited = Waiting.objects.filter(call=OuterRef("pk")).exclude(result__in=(_ANSWERED, *_WENT_ON))
    only_a_voice = Q(voice__isnull=False, agent__isnull=True) & Q(Exists(waited))
    return rows.filter(direction=Call.INBOUND).aggregate(
        volume=Count("pk"),
        answered=Count("pk", filter=Q(answered_at__isnull=False) & ~only_a_voice),
        missed=Count("pk", filter=Q(outcome=Call.Outcome.MISSED)),
    )
