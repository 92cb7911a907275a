"""`POST /desk/token/` and `/live/token/`: with what an agent's or a supervisor's page becomes a phone."""

import logging
from dataclasses import asdict

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from calls import tokens
from calls.access import may, may_intervene
from calls.counters import denied
from calls.models import Agent, User
from calls.selectors import phone
from calls.selectors.feed import iso
from calls.services.supervision import identity

__all__ = ["DESK", "supervisor_token", "token"]

DESK = "calls.use_desk"
_log = logging.getLogger("contactcenter.desk")
_REFUSALS = {
    "signed_out": (401, gettext_noop("You were signed out. Sign in and try again.")),
    "not_allowed": (
        403,
        gettext_noop("Your account may not use a desk. Ask an administrator for the role Agent."),
    ),
    "not_supervisor": (
        403,
        gettext_noop("Your account may not act on calls. Ask an administrator for the role Supervisor."),
    ),
    "no_agent": (
        409,
        gettext_noop("Your account is no agent yet. Ask an administrator to add you under Agents."),
    ),
    "identity": (
        409,
        gettext_noop(
            "Your phone has a name that is kept for supervisors. Ask an administrator for another identity."
        ),
    ),
    "no_key": (
        503,
        gettext_noop(
            "This site cannot make phones in the browser yet: it has no Twilio API key. An administrator "
            "sets TWILIO_API_KEY and TWILIO_API_SECRET. Until then, use your own telephone."
        ),
    ),
}


@require_POST
@never_cache
def token(request: HttpRequest) -> JsonResponse:
    """A token for the agent who asks; `preflight` tells whether the phone's own try of the line may be used.

    Twilio's preflight places a call out, which our tokens do not allow; a stand-in for the SDK places none.
    """
    if not request.user.is_authenticated:
        return _refused("signed_out")
    if not may(request.user, DESK):
        return _refused("not_allowed")
    agent = Agent.objects.filter(user=request.user.pk).first()
    if agent is None:
        return _refused("no_agent")
    if agent.is_as_supervisor():
        return _refused("identity")
    return _token(agent.identity)


@require_POST
@never_cache
def supervisor_token(request: HttpRequest) -> JsonResponse:
    """The same for the page of a supervisor, whose identity is no agent's."""
    if not isinstance(request.user, User):
        return _refused("signed_out")
    if not may_intervene(request.user):
        return _refused("not_supervisor")
    return _token(identity(request.user))


def _token(name: str) -> JsonResponse:
    try:
        made = tokens.phone(identity=name, region=phone.region(), now=timezone.now())
    except tokens.NoKey:
        return _refused("no_key")
    facts = {**asdict(made), "expires_at": iso(made.expires_at)}
    return JsonResponse({**facts, "preflight": bool(settings.SOFTPHONE_URL)})


def _refused(code: str) -> JsonResponse:
    status, text = _REFUSALS[code]
    denied(f"desk.token.{code}")
    _log.warning("desk.token.refused", extra={"code": code})
    return JsonResponse({"error": {"code": code, "text": gettext(text)}}, status=status)
