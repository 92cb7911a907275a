"""`POST /calls/<id>/do/`: what a person asks of a call; and whom it could go on to.

The answer is the command as it then stands, or the noun that was written.
"""

from typing import Any

from django.db import IntegrityError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from calls.access import may_intervene, scope_of
from calls.counters import denied
from calls.models import Agent, Command, User
from calls.refusal import Refused
from calls.selectors import call as calls
from calls.selectors import targets
from calls.services import commands
from calls.views.asked import Memory, Rate, Wrong, fields_of, id_of
from calls.views.supervisor_acts import ACTS, Act, OnCall, message

__all__ = ["do", "search"]

PER_SECOND, BURST = 10.0, 40.0
_rate = Rate(PER_SECOND, BURST)
_done = Memory()


@require_POST
def do(request: HttpRequest, call_id: str) -> JsonResponse:
    """Read, check, audit, do once; a repeated `id` gets the same command and causes nothing."""
    try:
        return JsonResponse(_do(request, int(call_id)))
    except Wrong as wrong:
        denied(f"control.{wrong.code}")
        return wrong.answer()


@require_GET
@never_cache
def search(request: HttpRequest) -> JsonResponse:
    """Agents, queues and a number that fit `q`, for who may send calls on."""
    try:
        user = _person(request)
        if not may_intervene(user):
            raise Wrong(403, "not_allowed", gettext("Your account may not act on calls."))
        _spend(user)
        me, typed = Agent.objects.filter(user=user.pk).first(), request.GET.get("q", "")
        found = targets.search(agent=me, typed=typed, now=timezone.now(), scope=scope_of(user))
        return JsonResponse(found)
    except Wrong as wrong:
        denied(f"control.{wrong.code}")
        return wrong.answer()


def _do(request: HttpRequest, call_id: int) -> dict[str, Any]:
    user = _person(request)
    _spend(user)
    fields = _fields(request)
    act = _allowed(user, str(fields.get("kind", "")))
    call = calls.find(call_id, scope_of(user))
    if call is None:  # another team's answers like one that does not exist
        raise Wrong(404, "unknown_call", gettext("There is no such call."))
    if act is None:
        raise Wrong(
            400, "unknown_kind", gettext("The kind must be one of %(kinds)s.") % {"kinds": ", ".join(ACTS)}
        )
    kind, ip = str(fields["kind"]), request.META.get("REMOTE_ADDR")
    asked = OnCall(id_of(fields), kind, user, fields, timezone.now(), ip, call)
    return _once(act, asked)


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Wrong(401, "signed_out", gettext("You were signed out. Sign in and try again."))
    return request.user


def _allowed(user: User, kind: str) -> Act | None:
    """The act, None for an unknown one; who may do nothing at all learns no more than that."""
    act = ACTS.get(kind)
    first = act or ACTS["stream.start"]
    if not first.may(user):
        raise Wrong(403, "not_allowed", gettext(first.refusal))
    return act


def _spend(user: User) -> None:
    if not _rate.spend(user.pk):
        raise Wrong(429, "rate", gettext("That was too much at once. Wait a moment and try again."))


def _fields(request: HttpRequest) -> dict[str, Any]:
    """A JSON object, or the fields of a form."""
    is_json = request.content_type == "application/json"
    return fields_of(request) if is_json else dict(request.POST.items())


def _once(act: Act, asked: OnCall) -> dict[str, Any]:
    known = commands.known(asked.id)
    if known is not None:
        return message(_same(known, asked))
    if _done.has(asked.by.pk, asked.id):
        return {"type": "done"}
    try:
        found = act.do(asked)
    except (Refused, IntegrityError) as error:
        known = commands.known(asked.id)
        if known is not None:  # it was asked twice at once, and the other was first
            return message(_same(known, asked))
        if isinstance(error, Refused):
            raise Wrong(409, error.code, error.text) from error
        raise
    if not isinstance(found, Command):
        _done.keep(asked.by.pk, asked.id)
    return message(found)


def _same(known: Command, asked: OnCall) -> Command:
    """An id that was used for another call tells nothing about that call."""
    kinds = {"call.leave": Command.Kind.END_LEG, "call.transfer": Command.Kind.REDIRECT}
    if (known.call_id, known.kind) != (asked.call.pk, kinds.get(asked.kind, asked.kind)):
        raise Wrong(409, "id_in_use", gettext("This id was used for another command. Choose a new one."))
    return known
