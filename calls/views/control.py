"""`POST /calls/<id>/do/`: what a person asks of a live call. The answer is the command as it then stands."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from calls import audit
from calls.access import may_control_streams, scope_of
from calls.counters import denied
from calls.models import Command, User
from calls.selectors import call as calls
from calls.selectors.feed import command_message
from calls.services import taps
from calls.views.asked import Wrong, fields_of, id_of

__all__ = ["do"]


@dataclass(frozen=True)
class Asked:
    """A command as it was posted, with its call found."""

    call_id: int
    id: uuid.UUID
    by: User
    fields: dict[str, Any]
    now: datetime


@require_POST
def do(request: HttpRequest, call_id: str) -> JsonResponse:
    """Read, check, audit, do once; a repeated `id` gets the same command and causes nothing."""
    try:
        command = _do(request, int(call_id))
    except Wrong as wrong:
        denied(f"control.{wrong.code}")
        return wrong.answer()
    return JsonResponse(command_message(command))


def _do(request: HttpRequest, call_id: int) -> Command:
    user = _allowed(request)
    fields = _fields(request)
    if not calls.exists(call_id, scope_of(user)):  # another team's answers like one that does not exist
        raise _unknown_call()
    act = _ACTS.get(str(fields.get("kind", "")))
    if act is None:
        raise Wrong(400, "unknown_kind", "The kind must be stream.start or stream.stop.")
    asked = Asked(call_id, id_of(fields), user, fields, timezone.now())
    _refuse_foreign_repeat(asked)
    return act(asked, request.META.get("REMOTE_ADDR"))


def _allowed(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Wrong(401, "signed_out", "You were signed out. Sign in and try again.")
    if not may_control_streams(request.user):
        raise Wrong(403, "not_allowed", "Your account may not start and stop streams.")
    return request.user


def _fields(request: HttpRequest) -> dict[str, Any]:
    """A JSON object, or the fields of a form."""
    is_json = request.content_type == "application/json"
    return fields_of(request) if is_json else dict(request.POST.items())


def _refuse_foreign_repeat(asked: Asked) -> None:
    """An id that was used for another call tells nothing about that call."""
    known = Command.objects.filter(pk=asked.id).first()
    if known and (known.call_id, known.kind) != (asked.call_id, asked.fields["kind"]):
        raise Wrong(409, "id_in_use", "This id was used for another command. Choose a new one.")


def _start(asked: Asked, ip: str | None) -> Command:
    leg = calls.caller_leg(asked.call_id)
    if leg is None:
        raise _unknown_call()
    wanted = {name: _text(asked.fields, name) for name in ("name", "track")}
    parameters = _parameters(asked.fields.get("parameters"))
    audit.record(who=asked.by, what="stream.start", on=f"call {asked.call_id}", ip=ip)
    return taps.start(
        leg=leg,
        by=asked.by,
        name=wanted["name"],
        track=wanted["track"] or "both_tracks",
        parameters=parameters,
        command_id=asked.id,
        now=asked.now,
    )


def _stop(asked: Asked, ip: str | None) -> Command:
    stream = _text(asked.fields, "stream")
    ticket = calls.ticket_of(asked.call_id, stream) if stream else None
    if ticket is None:
        raise Wrong(404, "unknown_stream", "This call has no such stream.")
    audit.record(who=asked.by, what="stream.stop", on=f"call {asked.call_id}", ip=ip)
    sid = stream if stream.startswith("MZ") and stream != ticket.name else None
    return taps.stop(ticket=ticket, by=asked.by, command_id=asked.id, now=asked.now, stream_sid=sid)


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str) or len(value) > 200 or "\0" in value:
        raise Wrong(400, "bad_field", f"{name} must be a short text.")
    return value.strip()


def _parameters(value: Any) -> dict[str, str]:
    if value in (None, ""):
        return {}
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise Wrong(400, "bad_field", "parameters must be an object of texts.")
    return value


def _unknown_call() -> Wrong:
    return Wrong(404, "unknown_call", "There is no such call.")


_ACTS: dict[str, Callable[[Asked, str | None], Command]] = {"stream.start": _start, "stream.stop": _stop}
