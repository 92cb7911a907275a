"""Who may open a page: signed in, and allowed."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from calls.access import may_watch
from calls.models import User
from calls.selectors.voicemails import may_hear

__all__ = ["hearing", "signed_in", "watching"]

View = Callable[..., HttpResponse]


def watching(view: View) -> View:
    """Supervisors and admins; others get 403, the anonymous the sign-in page."""
    return _guarded(view, may_watch)


def hearing(view: View) -> View:
    """Who may hear messages: agents, supervisors and admins; others as above."""
    return _guarded(view, may_hear)


def _guarded(view: View, may_open: Callable[[Any], bool]) -> View:
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_open(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def signed_in(request: HttpRequest) -> User:
    """The user of a guarded request."""
    assert isinstance(request.user, User), "guarded by one of these"
    return request.user
