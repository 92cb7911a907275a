"""`POST /desk/do/` and `GET /desk/search/`: what an agent does at the desk, and whom a call can go on to.

An answer holds the desk as it then is. Only people with a desk who are agents act here, and only on what is
their own; everything else is not found.
"""

import logging
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from calls.access import may_use_desk
from calls.counters import denied
from calls.models import Agent, Command, User
from calls.refusal import Refused
from calls.selectors import desk, targets
from calls.selectors.nouns import command_message, in_words, iso
from calls.services import commands
from calls.views.acts import ACTS
from calls.views.asked import Asked, Memory, Rate, Wrong, fields_of, id_of

__all__ = ["do", "search"]

PER_SECOND, BURST = 10.0, 40.0
_log = logging.getLogger("contactcenter.desk")
_rate = Rate(PER_SECOND, BURST)
_done = Memory()


@require_POST
@never_cache
def do(request: HttpRequest) -> JsonResponse:
    """Read, check, audit, do once; a repeated `id` does nothing and is answered with the desk as it is."""
    try:
        asked = _asked(request)
        command = _once(asked)
        return JsonResponse(
            {"desk": _desk(asked.agent), "command": in_words(command_message(command)) if command else None}
        )
    except Wrong as wrong:
        return _refuse(wrong)


@require_GET
@never_cache
def search(request: HttpRequest) -> JsonResponse:
    """Agents, queues and a number that fit `q`."""
    try:
        _, agent = _allowed(request)
        return JsonResponse(targets.search(agent=agent, typed=request.GET.get("q", ""), now=timezone.now()))
    except Wrong as wrong:
        return _refuse(wrong)


def _asked(request: HttpRequest) -> Asked:
    user, agent = _allowed(request)
    fields = fields_of(request)
    kind = fields.get("do")
    if not isinstance(kind, str) or kind not in ACTS:
        raise Wrong(400, "unknown_kind", gettext("The desk does not know how to do this. Reload the page."))
    ip = request.META.get("REMOTE_ADDR")
    return Asked(id_of(fields), kind, user, fields, timezone.now(), ip, agent)


def _allowed(request: HttpRequest) -> tuple[User, Agent]:
    user = request.user
    if not isinstance(user, User):
        raise Wrong(401, "signed_out", gettext("You were signed out. Sign in and try again."))
    if not may_use_desk(user):
        raise Wrong(403, "not_allowed", gettext("Your account may not use a desk."))
    if not _rate.spend(user.pk):
        raise Wrong(429, "rate", gettext("That was too much at once. Wait a moment and try again."))
    agent = desk.agent_of(user.pk)
    if agent is None:
        raise Wrong(403, "no_agent", gettext("You are not an agent yet. An admin can make you one."))
    return user, agent


def _once(asked: Asked) -> Command | None:
    known = commands.known(asked.id)
    if known is not None:
        if known.by_id != asked.by.pk:
            raise Wrong(409, "id_in_use", gettext("This id was used for another command. Choose a new one."))
        return known
    if _done.has(asked.by.pk, asked.id):
        return None
    command = _act(asked)
    _done.keep(asked.by.pk, asked.id)
    return command


def _act(asked: Asked) -> Command | None:
    try:
        return ACTS[asked.kind](asked)
    except Refused as refused:
        raise Wrong(409, refused.code, refused.text) from refused


def _desk(agent: Agent) -> dict[str, Any]:
    now = timezone.now()
    fresh = desk.agent_of(agent.user_id) or agent
    return {"at": iso(now), **desk.state(fresh, now=now, lines=False)}


def _refuse(wrong: Wrong) -> JsonResponse:
    denied("desk.refused")
    _log.info("desk.refused", extra={"code": wrong.code, "status": wrong.status})
    return wrong.answer()
