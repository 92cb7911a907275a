"""Alert rules ready to be judged, and what is known of the calls that they judge."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, Max, OuterRef, QuerySet, Subquery, prefetch_related_objects
from django.db.models.functions import Coalesce, Greatest

from calls import path
from calls.models import AlertRule, Call, CallState, Leg, Participant
from calls.phrases import Words, phrases
from calls.rules import SOUND, Rule

__all__ = [
    "KEPT_SECONDS",
    "Rules",
    "Situation",
    "forget",
    "live_calls",
    "rule_of",
    "rules",
    "situations",
    "untapped",
]

KEPT_SECONDS = 2.0
MANY = 2000  # live calls looked at in one round

# Steps at which the caller talks with nobody: outbound is music, prompts and questions.
_ALONE = {"queue", "agent", "voicemail", "verify", "end"}
_ENDED_ON_PURPOSE = {"call_ended"}


@dataclass(frozen=True)
class Rules:
    """The active rules of the site."""

    all: tuple[Rule, ...]
    words: Words
    sound: tuple[Rule, ...]

    def of(self, kind: str) -> tuple[Rule, ...]:
        """Those of one kind."""
        return tuple(rule for rule in self.all if rule.kind == kind)


_kept: tuple[float, Rules] | None = None


def rules() -> Rules:
    """The active rules, at most KEPT_SECONDS old; one query when they are read."""
    global _kept
    kept = _kept
    if kept is None or time.monotonic() - kept[0] > KEPT_SECONDS:
        kept = _kept = time.monotonic(), _read()
    return kept[1]


def forget() -> None:
    """Read the rules anew at the next look: one of them was changed in this process."""
    global _kept
    _kept = None


def rule_of(row: AlertRule) -> Rule:
    """The rule as calls.rules judges it."""
    return Rule(
        id=row.pk,
        kind=row.kind,
        name=row.name,
        severity=row.severity,
        queue=row.queue_id,
        phrases=phrases(row.words) if row.kind == AlertRule.Kind.WORDS else (),
        speaker=row.speaker,
        seconds=row.seconds or 0,
        dbfs=row.dbfs if row.dbfs is not None else 0.0,
    )


def _read() -> Rules:
    found = tuple(rule_of(row) for row in AlertRule.objects.filter(active=True).order_by("pk"))
    spoken = (rule for rule in found if rule.kind == AlertRule.Kind.WORDS)
    return Rules(found, Words(spoken), tuple(rule for rule in found if rule.kind in SOUND))


@dataclass(frozen=True, slots=True)
class Situation:
    """How a call stands for who judges its sound.

    `judged`: it goes on and nobody is giving a code; `met`: its two sides are people who are connected.
    """

    queue: int | None
    judged: bool
    met: bool


def situations(calls: Iterable[int]) -> dict[int, Situation]:
    """How these calls stand now; one query."""
    held = Participant.objects.filter(
        conference__call=OuterRef("pk"),
        leg__kind__in=(Leg.Kind.CALLER, Leg.Kind.PERSON),
        joined_at__isnull=False,
        left_at__isnull=True,
        held=True,
    )
    rows = Call.objects.filter(pk__in=list(calls)).order_by().annotate(on_hold=Exists(held))
    facts = rows.values_list("pk", "queue", "state", "answered_at", "plan", "on_hold")
    return {
        pk: _situation(queue, state, answered_at, plan, on_hold)
        for pk, queue, state, answered_at, plan, on_hold in facts
    }


def _situation(
    queue: int | None, state: str, answered_at: datetime | None, plan: dict[str, Any], on_hold: bool
) -> Situation:
    judged = state != CallState.ENDED and not path.asks_secret(plan)
    talks = state == CallState.LIVE and answered_at is not None and plan.get("step") not in _ALONE
    return Situation(queue, judged=judged, met=judged and talks and not on_hold)


def live_calls(*, begun_before: datetime) -> list[tuple[int, int | None, datetime]]:
    """Calls that go on and began before that moment: (call, queue, when it began), oldest first."""
    going = Call.objects.filter(state__in=(CallState.RINGING, CallState.LIVE), started_at__lte=begun_before)
    found = going.order_by("started_at", "pk").values_list("pk", "queue", "started_at")[:MANY]
    return [(pk, queue, began) for pk, queue, began in found]


def untapped(*, since_before: datetime) -> list[tuple[int, int | None, datetime, datetime]]:
    """Answered calls that want their stream and have had none open since before that moment.

    (call, queue, when it began, since when: the last one's end, or the answer). Three queries, however many.
    """
    legs = Leg.objects.filter(call=OuterRef("pk")).order_by()
    open_ = legs.filter(streams__isnull=False, streams__closed_at__isnull=True)
    last = Subquery(legs.values("call").annotate(last=Max("streams__closed_at")).values("last"))
    going = Call.objects.filter(state=CallState.LIVE, tap_wanted=True, answered_at__isnull=False)
    bare: QuerySet[Any] = going.filter(~Exists(open_)).annotate(
        since=Greatest("answered_at", Coalesce(last, "answered_at"))
    )
    found: list[Any] = list(bare.filter(since__lte=since_before).order_by("since", "pk")[:MANY])
    prefetch_related_objects(found, "legs__streams__ticket")
    return [
        (call.pk, call.queue_id, call.started_at, call.since)
        for call in found
        if not path.asks_secret(call.plan) and not _is_well(call)
    ]


def _is_well(call: Call) -> bool:
    """Whether a stream has opened since the call was read, or the last one was ended on purpose."""
    streams: list[Any] = [stream for leg in call.legs.all() for stream in leg.streams.all()]
    return any(stream.closed_at is None for stream in streams) or _is_over_on_purpose(streams)


def _is_over_on_purpose(streams: list[Any]) -> bool:
    """Whether the last stream ended with its leg, or was one of others, who stopped it themselves."""
    last = max(streams, key=lambda stream: stream.closed_at, default=None)
    if last is None:
        return False
    return last.close_reason in _ENDED_ON_PURPOSE or (
        last.close_reason == "stop" and last.ticket.origin == last.ticket.Origin.INGEST
    )
