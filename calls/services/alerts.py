"""Alerts: raised once for each thing that a rule found, acknowledged by one person.

`words_said`, `heard` and `help_asked` work inside a change that is under way; the worker asks `judge_calls`.
What calls.rules finds becomes a row here and nowhere else.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import gettext

from calls.counters import count
from calls.events import Change, change
from calls.models import Alert, AlertRule, Call, User, Utterance
from calls.refusal import Refused
from calls.rules import (
    Finding,
    Rule,
    found_help,
    found_length,
    found_stream_lost,
    room,
)
from calls.selectors import alerts as selector
from calls.text import clean

__all__ = ["acknowledge", "heard", "help_asked", "help_done", "judge_calls", "words_said"]

_log = logging.getLogger("contactcenter.alerts")
_MINUTE = timedelta(minutes=1)
_NEWS = timedelta(minutes=10)  # what was said in a call that ended longer ago is no news
_QUOTE = 300

Found = tuple[int, Finding]
"""A call and what was found in it."""


def words_said(told: Change, *, rows: Sequence[Utterance], calls: Mapping[int, Call]) -> int:
    """Judge new lines by the word rules; how many alerts were raised. Never raises: no line is lost to it."""
    try:
        found = _in_words(rows, calls, told.at)
        if not found:
            return 0
        with transaction.atomic():  # what fails here takes no line with it
            made = _make(found, told.at)
    except Exception as error:
        count("alerts.failed")
        _log.exception("alerts.failed", extra={"error": type(error).__name__})
        return 0
    return _tell(told, made)


def heard(told: Change, *, call_id: int, findings: Sequence[Finding]) -> int:
    """What the levels of a stream showed, if the call still goes on and nobody gives a code in it."""
    situation = selector.situations([call_id]).get(call_id)
    if situation is None or not situation.judged:
        return 0
    covered = [(call_id, finding) for finding in findings if finding.rule.covers(situation.queue)]
    return _tell(told, _make(covered, told.at))


def help_asked(told: Change, *, call: Call, reason: str, by: User, at: datetime) -> int:
    """The agent asks for help with a call; how many alerts were raised."""
    at_ms = _call_ms(call.started_at, at)
    rules = [rule for rule in selector.rules().of(AlertRule.Kind.HELP) if rule.covers(call.queue_id)]
    found = [(call.pk, found_help(rule, at_ms=at_ms, reason=reason)) for rule in rules]
    return _tell(told, _make(found, at), by=by)


def help_done(told: Change, *, call: Call, by: User, at: datetime) -> int:
    """Help has come: what asked for it is acknowledged by who says so; how many that were."""
    asked = Alert.objects.open().filter(call=call, kind=AlertRule.Kind.HELP)
    keys = list(asked.order_by("pk").values_list("pk", flat=True))
    return sum(_acknowledge(told, pk, call.pk, by, at) for pk in keys)


def acknowledge(*, alert: Alert, by: User, now: datetime) -> Alert:
    """Say that somebody looks after it; the alert as it stands then. Again by the same person is harmless.

    Raises Refused with the name of who was first, if that was somebody else.
    """
    with change(at=now) as told:
        was_first = _acknowledge(told, alert.pk, alert.call_id, by, now)
        found = Alert.objects.select_related(*Alert.SHOWN).filter(pk=alert.pk).first()
        if found is None:
            raise Refused("gone", gettext("This alert is not kept any more."))
        if not was_first and found.acknowledged_by_id != by.pk:
            who = found.acknowledged_by.shown() if found.acknowledged_by else "Somebody"
            raise Refused("acknowledged", gettext("%(who)s has acknowledged this already.") % {"who": who})
        return found


def judge_calls(*, now: datetime) -> int:
    """What time alone brings: calls that last too long, and calls without their stream; how many alerts."""
    rules = selector.rules()
    found = [*_too_long(rules.of(AlertRule.Kind.LENGTH), now)]
    found += _without_stream(rules.of(AlertRule.Kind.STREAM_LOST), now)
    new = _new(found)
    if not new:
        return 0
    with change(at=now) as told:
        return _tell(told, _make(new, now))


def _in_words(rows: Iterable[Utterance], calls: Mapping[int, Call], now: datetime) -> list[Found]:
    words = selector.rules().words
    if not words:
        return []
    return [
        (row.call_id, finding)
        for row in rows
        if (call := calls.get(row.call_id)) is not None and not _is_old(call, now)
        for finding in words.judge(
            row.text,
            speaker=row.speaker,
            queue=call.queue_id,
            at_ms=row.start_ms,
            utterance=f"{row.stream_sid}/{row.track}/{row.number}",
        )
    ]


def _is_old(call: Call, now: datetime) -> bool:
    return call.ended_at is not None and now - call.ended_at > _NEWS


def _too_long(rules: Sequence[Rule], now: datetime) -> list[Found]:
    if not rules:
        return []
    shortest = timedelta(seconds=min(rule.seconds for rule in rules))
    return [
        (call, finding)
        for call, queue, began in selector.live_calls(begun_before=now - shortest)
        for rule in rules
        if rule.covers(queue) and (finding := found_length(rule, ms=_call_ms(began, now)))
    ]


def _without_stream(rules: Sequence[Rule], now: datetime) -> list[Found]:
    if not rules:
        return []
    shortest = timedelta(seconds=min(rule.seconds for rule in rules))
    return [
        (call, finding)
        for call, queue, began, since in selector.untapped(since_before=now - shortest)
        for rule in rules
        if rule.covers(queue)
        and (finding := found_stream_lost(rule, ms=_call_ms(since, now), at_ms=_call_ms(began, since)))
    ]


def _make(found: Sequence[Found], now: datetime) -> list[Alert]:
    """The rows of what is new and has room. Of two who find the same at once one makes the row."""
    new = _new(found)
    if not new:
        return []
    kept = set(
        AlertRule.objects.filter(pk__in={each.rule.id for _, each in new}).values_list("pk", flat=True)
    )
    left = _room(new, now)
    made = []
    for call_id, finding in new:
        where = call_id, finding.rule.id
        if finding.rule.id not in kept:
            continue  # deleted since the rules were read
        if left[where] <= 0:
            count("alerts.held_back")
            continue
        alert, is_new = _row(call_id, finding, now)
        if is_new:
            left[where] -= 1
            made.append(alert)
    return made


def _new(found: Sequence[Found]) -> list[Found]:
    """Those that are no alert yet, each once."""
    by_key = {(finding.rule.id, call_id, finding.key): (call_id, finding) for call_id, finding in found}
    if not by_key:
        return []
    known = Alert.objects.filter(
        rule__in={key[0] for key in by_key},
        call__in={key[1] for key in by_key},
        key__in={key[2] for key in by_key},
    ).order_by()
    for key in known.values_list("rule", "call", "key"):
        by_key.pop(key, None)
    return list(by_key.values())


def _room(found: Sequence[Found], now: datetime) -> Counter[tuple[int, int]]:
    """How many more alerts each call may get of each rule."""
    pairs = {(call_id, finding.rule.id) for call_id, finding in found}
    counted = (
        Alert.objects.open()
        .filter(call__in={call_id for call_id, _ in pairs}, rule__in={rule_id for _, rule_id in pairs})
        .order_by()
        .values_list("call", "rule")
        .annotate(open=Count("pk"), recent=Count("pk", filter=Q(at__gt=now - _MINUTE)))
    )
    open_ = {(call, rule): (recent, all_) for call, rule, all_, recent in counted}
    rooms: Counter[tuple[int, int]] = Counter()
    for pair in pairs:
        recent, all_ = open_.get(pair, (0, 0))
        rooms[pair] = room(recent=recent, open_=all_)
    return rooms


def _row(call_id: int, finding: Finding, now: datetime) -> tuple[Alert, bool]:
    fields: dict[str, Any] = {
        "kind": finding.rule.kind,
        "name": finding.rule.name,
        "severity": finding.rule.severity,
        "at": now,
        "at_ms": max(0, finding.at_ms),
        "quote": clean(finding.quote, _QUOTE),
        "utterance": finding.utterance,
    }
    return Alert.objects.get_or_create(
        rule_id=finding.rule.id, call_id=call_id, key=finding.key, defaults=fields
    )


def _tell(told: Change, made: Sequence[Alert], *, by: User | None = None) -> int:
    for alert in made:
        count(f"alert.{alert.kind}")
        told.emit(
            kind="alert.raised", noun="alert", key=alert.pk, call=alert.call_id, by=by.pk if by else None
        )
    return len(made)


def _acknowledge(told: Change, alert: int, call: int, by: User, now: datetime) -> bool:
    """Whether it was open until now."""
    if not Alert.objects.open().filter(pk=alert).update(acknowledged_at=now, acknowledged_by=by):
        return False
    told.emit(kind="alert.acknowledged", noun="alert", key=alert, call=call, by=by.pk)
    return True


def _call_ms(began: datetime, at: datetime) -> int:
    return max(0, round((at - began) / timedelta(milliseconds=1)))
