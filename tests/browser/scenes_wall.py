"""What can happen at the wall: alerts, agents and callers who wait, as rows with their events."""

import array
import math
from datetime import timedelta
from typing import Any

from django.utils import timezone

from calls.events import change
from calls.models import Agent, Alert, AlertRule, Call, Queue, Waiting
from streams import audio
from streams.levels import Levels
from tests import people

RATE = 8000
FRAME = 160


def tone(dbfs: float, hertz: int = 440) -> Any:
    """The levels of a tick in which the caller is a tone of that loudness, and the other side is silent."""
    top = 32768 * 10 ** (dbfs / 20) * math.sqrt(2)  # of a sine whose RMS is `dbfs`
    sine = [round(top * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(5 * FRAME)]
    levels = Levels()
    for start in range(0, len(sine), FRAME):
        levels.add(
            "MZ", "inbound", audio.pcm_to_ulaw(array.array("h", sine[start : start + FRAME]).tobytes())
        )
        levels.add("MZ", "outbound", b"\xff" * FRAME)
    levels.drain()
    return {track: round(one.rms_dbfs, 1) for track, one in levels.latest["MZ"].items() if one}


def wait(call: int, queue: str = "Support", seconds_ago: float = 0) -> int:
    """The call waits in a queue; the id of the wait."""
    place, _ = Queue.objects.get_or_create(name=queue)
    at = timezone.now() - timedelta(seconds=seconds_ago)
    with change() as told:
        Call.objects.filter(pk=call).update(queue=place)
        one = Waiting.objects.create(call_id=call, queue=place, entered_at=at, created_at=at)
        told.emit(kind="waiting.entered", noun="waiting", key=one.pk, call=call)
        told.emit(kind="call.changed", noun="call", key=call, call=call)
    return one.pk


def leave(waiting: int, result: str = "answered") -> None:
    """The wait ends."""
    with change() as told:
        one = Waiting.objects.get(pk=waiting)
        one.left_at, one.result = timezone.now(), result
        one.save()
        told.emit(kind="waiting.left", noun="waiting", key=one.pk, call=one.call_id)
        told.emit(kind="call.changed", noun="call", key=one.call_id, call=one.call_id)


def raise_alert(
    call: int, name: str = "Wants to cancel", severity: str = "warning", quote: str = "cancel"
) -> int:
    """A rule finds something; the alert's id."""
    rule, _ = AlertRule.objects.get_or_create(name=name, defaults={"severity": severity, "words": quote})
    with change() as told:
        count = Alert.objects.filter(call=call).count()
        one = Alert.objects.create(
            rule=rule, call_id=call, key=str(count), kind=rule.kind, name=name, severity=severity, quote=quote
        )
        told.emit(kind="alert.raised", noun="alert", key=one.pk, call=call)
    return one.pk


def sit_down(status: str = "ready", reason: str = "") -> int:
    """Jonas opens his desk, or chooses another status; the agent's id."""
    now = timezone.now()
    jonas = people.agent_jonas()
    with change() as told:
        Agent.objects.filter(pk=jonas.pk).update(
            status=status, reason=reason, since=now, present_until=now + timedelta(minutes=5), phone_ok=True
        )
        told.emit(kind="agent.changed", noun="agent", key=jonas.pk)
    return jonas.pk
