"""`/` by role, and the wall of live calls with its figures."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from calls.access import may_use_desk, may_watch, me, scope_of
from calls.models import User
from calls.selectors import figures as kept
from calls.selectors import wall
from calls.selectors.feed import iso
from calls.views.asked import Wrong
from calls.views.guard import watching

__all__ = ["figures", "home", "live"]


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Supervisors and admins go to the wall, agents to their desk; others read what they may ask for."""
    if may_watch(request.user):
        return redirect("live")
    return redirect("desk") if may_use_desk(request.user) else render(request, "calls/home.html")


@require_safe
@never_cache
@watching
def live(request: HttpRequest) -> HttpResponse:
    """The wall, with the state of this moment; the socket goes on from its last id."""
    now = timezone.now()
    snapshot = wall.snapshot(now=now, scope=scope_of(request.user))
    shown = {"at": iso(now), **snapshot, "me": me(request.user)}
    return render(request, "calls/live.html", {"snapshot": shown, "page": "live"})


@require_safe
@never_cache
def figures(request: HttpRequest) -> JsonResponse:
    """The figures of this moment, for a page that asks again now and then; errors as a page reads them."""
    try:
        _check(request)
    except Wrong as wrong:
        return wrong.answer()
    return JsonResponse(kept.lately(now=timezone.now(), scope=scope_of(request.user)))


def _check(request: HttpRequest) -> None:
    if not isinstance(request.user, User):
        raise Wrong(401, "signed_out", gettext("You were signed out. Sign in and try again."))
    if not may_watch(request.user):
        raise Wrong(403, "not_allowed", gettext("Your account may not watch live calls."))
