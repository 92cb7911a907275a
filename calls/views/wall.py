"""`/` by role, and the wall of live calls."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from calls.access import may_use_desk, may_watch, scope_of
from calls.selectors import wall
from calls.selectors.feed import iso
from calls.views.guard import watching

__all__ = ["home", "live"]


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
    return render(request, "calls/live.html", {"snapshot": {"at": iso(now), **snapshot}, "page": "live"})
