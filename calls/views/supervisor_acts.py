"""What supervisors can do with a call, by kind: the permission it takes, and one service.

An act gives the command as it then is, or the noun that it wrote, as browsers get it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, gettext_noop

from calls import audit
from calls.access import may_control_streams, may_intervene, may_watch, scope_of
from calls.models import Alert, Call, Command
from calls.refusal import Refused
from calls.selectors import call as calls
from calls.selectors import phase, targets
from calls.selectors.nouns import command_message, in_words, note_message
from calls.services import alerts, help, moments, notes, supervision, taps, words
from calls.views.asked import Wanted, Wrong

__all__ = ["ACTS", "Act", "OnCall", "message"]

LONG = 32_000  # characters; what is too long for a field is told in words by its service
Body = dict[str, Any]


@dataclass(frozen=True)
class OnCall(Wanted):
    """One action of one person on a call that they may see."""

    call: Call

    def audit(self, what: str = "") -> None:
        """One row of the audit, before it is done."""
        audit.record(who=self.by, what=what or self.kind, on=f"call {self.call.pk}", ip=self.ip)

    def short(self, name: str) -> str:
        """A short text, "" if it is missing."""
        value = self.fields.get(name, "")
        if not isinstance(value, str) or len(value) > 200 or "\0" in value:
            raise Wrong(400, "bad_field", gettext("%(name)s must be a short text.") % {"name": name})
        return value.strip()


@dataclass(frozen=True)
class Act:
    """Who may, what is said to others, and what is done."""

    may: Callable[[Any], bool]
    refusal: str
    do: Callable[[OnCall], Command | Body]


def _start(asked: OnCall) -> Command:
    if asked.short("direction") not in ("", "unidirectional"):
        raise Refused("bidirectional", gettext(taps.ONE_WAY))
    leg = calls.caller_leg(asked.call.pk)
    if leg is None:
        raise Wrong(404, "unknown_call", gettext("There is no such call."))
    wanted = {name: asked.short(name) for name in ("name", "track")}
    parameters = _parameters(asked.fields.get("parameters"))
    asked.audit()
    return taps.start(
        leg=leg,
        by=asked.by,
        name=wanted["name"],
        track=wanted["track"] or "both_tracks",
        parameters=parameters,
        command_id=asked.id,
        now=asked.now,
    )


def _stop(asked: OnCall) -> Command:
    stream = asked.short("stream")
    ticket = calls.ticket_of(asked.call.pk, stream) if stream else None
    if ticket is None:
        raise Wrong(404, "unknown_stream", gettext("This call has no such stream."))
    asked.audit()
    sid = stream if stream.startswith("MZ") and stream != ticket.name else None
    return taps.stop(ticket=ticket, by=asked.by, command_id=asked.id, now=asked.now, stream_sid=sid)


def _parameters(value: Any) -> dict[str, str]:
    if value in (None, ""):
        return {}
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise Wrong(400, "bad_field", gettext("parameters must be an object of texts."))
    return value


def _coach(asked: OnCall) -> Command:
    asked.audit()
    return supervision.coach(call=asked.call, by=asked.by, command_id=asked.id, now=asked.now)


def _join(asked: OnCall) -> Command:
    asked.audit()
    return supervision.join(call=asked.call, by=asked.by, command_id=asked.id, now=asked.now)


def _take_over(asked: OnCall) -> Command:
    asked.audit()
    return supervision.take_over(call=asked.call, by=asked.by, command_id=asked.id, now=asked.now)


def _leave(asked: OnCall) -> Command:
    asked.audit()
    return supervision.leave(call=asked.call, by=asked.by, command_id=asked.id, now=asked.now)


def _end(asked: OnCall) -> Command:
    asked.audit()
    return supervision.end(call=asked.call, by=asked.by, command_id=asked.id, now=asked.now)


def _transfer(asked: OnCall) -> Command:
    to, reason = asked.inside("to"), asked.text("reason", 200, default="")
    kind, key = to.text("kind", 20), to.text("key", 40)
    if not targets.sees(scope_of(asked.by), kind=kind, key=key):
        raise Refused("target", gettext(_NO_TARGET.get(kind, _CHOOSE)))
    asked.audit()
    return supervision.transfer(
        call=asked.call, kind=kind, key=key, reason=reason, by=asked.by, command_id=asked.id, now=asked.now
    )


def _moment(asked: OnCall) -> Body:
    """Not audited: the moment itself tells who marked it."""
    text = asked.text("text", 200, default="")
    row = moments.mark(call=asked.call, text=text, by=asked.by, now=asked.now)
    return {"type": "moment", **row.as_message()}


def _note(asked: OnCall) -> Body:
    """Not audited: it is saved as they type, and the note itself tells who wrote it."""
    row = notes.save(call=asked.call, text=asked.text("text", LONG), by=asked.by, now=asked.now)
    return {"type": "note", **note_message(row)}


def _help_done(asked: OnCall) -> Body:
    asked.audit()
    help.done(call=asked.call, by=asked.by, now=asked.now)
    return {"type": "call", **_fresh(asked.call)}


def _acknowledge(asked: OnCall) -> Body:
    row = Alert.objects.filter(pk=asked.row("alert"), call=asked.call).first()
    if row is None:
        raise Wrong(404, "unknown_alert", gettext("This call has no such alert."))
    asked.audit()
    row = alerts.acknowledge(alert=row, by=asked.by, now=asked.now)
    return {"type": "alert", **row.as_message()}


def _words_stop(asked: OnCall) -> Body:
    stream = asked.text("stream", 34)
    return words.stop(call_id=asked.call.pk, stream=stream, by=asked.by, now=asked.now, ip=asked.ip)


def _words_start(asked: OnCall) -> Body:
    stream = asked.text("stream", 34)
    return words.start(call_id=asked.call.pk, stream=stream, by=asked.by, now=asked.now, ip=asked.ip)


def _fresh(call: Call) -> Body:
    return phase.message(phase.shown(Call.objects.filter(pk=call.pk)).get())


_STREAMS = gettext_noop("Your account may not start and stop streams.")
_CALLS = gettext_noop("Your account may not act on calls.")
_WATCH = gettext_noop("Your account may not watch live calls.")
_CHOOSE = gettext_noop("Choose an agent, a queue or a number.")
_NO_TARGET = {
    "agent": gettext_noop("There is no such agent to give the call to."),
    "queue": gettext_noop("There is no such queue to give the call to."),
}

ACTS: dict[str, Act] = {
    "stream.start": Act(may_control_streams, _STREAMS, _start),
    "stream.stop": Act(may_control_streams, _STREAMS, _stop),
    "call.coach": Act(may_intervene, _CALLS, _coach),
    "call.join": Act(may_intervene, _CALLS, _join),
    "call.takeover": Act(may_intervene, _CALLS, _take_over),
    "call.leave": Act(may_intervene, _CALLS, _leave),
    "call.end": Act(may_intervene, _CALLS, _end),
    "call.transfer": Act(may_intervene, _CALLS, _transfer),
    "moment": Act(may_watch, _WATCH, _moment),
    "note": Act(may_watch, _WATCH, _note),
    "help.done": Act(may_watch, _WATCH, _help_done),
    "alert.acknowledge": Act(may_watch, _WATCH, _acknowledge),
    "words.stop": Act(may_control_streams, _STREAMS, _words_stop),
    "words.start": Act(may_control_streams, _STREAMS, _words_start),
}


def message(found: Command | Body) -> Body:
    """What the page is answered with."""
    return in_words(command_message(found)) if isinstance(found, Command) else found
