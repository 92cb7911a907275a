"""`/desk/`: where an agent takes calls."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from calls.access import may
from calls.models import Agent
from calls.selectors import desk as desks
from calls.selectors import own
from calls.selectors.feed import iso
from calls.views import phone_page
from calls.views.phone import DESK

__all__ = ["desk"]


@require_safe
@never_cache
@login_required
@ensure_csrf_cookie
def desk(request: HttpRequest) -> HttpResponseBase:
    """The desk with the state of this moment; the socket goes on from there."""
    if not may(request.user, DESK):
        raise PermissionDenied
    agent = desks.agent_of(request.user.pk)
    if agent is None:
        return render(request, "calls/_desk_no_agent.html", {"page": "desk"}, status=409)
    return phone_page.served(lambda asked: _desk(asked, agent), request)


def _desk(request: HttpRequest, agent: Agent) -> HttpResponse:
    now = timezone.now()
    context = {
        "agent": agent,
        "state": {"at": iso(now), **desks.state(agent, now=now), "dial_to": _dial_to(request, agent)},
        "softphone": settings.SOFTPHONE_URL,
        "page": "desk",
    }
    return render(request, "calls/desk.html", context)


def _dial_to(request: HttpRequest, agent: Agent) -> str:
    """The number with which the field to dial begins: that of `?call=`, if they may call it."""
    asked = request.GET.get("call", "")
    whole = asked.isascii() and asked.isdigit() and len(asked) < 19
    return own.number_to_dial(agent, int(asked)) if whole else ""
