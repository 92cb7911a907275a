"""Changes in the admin that browsers must hear of: made inside one `change()`, which numbers their events."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin.options import ModelAdmin
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse

from calls.events import Change, change
from calls.models import User
from calls.refusal import Refused

__all__ = ["TellingMixin", "afterwards", "person", "telling"]


class TellingMixin(ModelAdmin):  # type: ignore[type-arg]
    """A ModelAdmin whose save and delete can tell: `telling(request).emit(...)`."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show, or save and tell. What another took in the same moment, the second look finds and says."""
        if request.method != "POST":
            return super().changeform_view(request, *args, **kwargs)
        try:
            return self._inside_change(request, super().changeform_view, *args, **kwargs)
        except (IntegrityError, Refused):
            return self._inside_change(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ask, or delete and tell."""
        if request.method != "POST":
            return super().delete_view(request, *args, **kwargs)
        return self._inside_change(request, super().delete_view, *args, **kwargs)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without Django's deletion of many at once: each is asked about, and told of."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def _inside_change(self, request: HttpRequest, view: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        with change() as told:
            request.told = told  # type: ignore[attr-defined]
            request.afterwards = []  # type: ignore[attr-defined]
            answer: HttpResponse = view(request, *args, **kwargs)
        for act in request.afterwards:  # type: ignore[attr-defined]
            act()
        return answer


def telling(request: HttpRequest) -> Change:
    """The change in which this request is saved."""
    told: Change = request.told  # type: ignore[attr-defined]
    return told


def afterwards(request: HttpRequest, act: Callable[[], Any]) -> None:
    """Do this once the change is kept: what is slow or is a change of its own."""
    request.afterwards.append(act)  # type: ignore[attr-defined]


def person(request: HttpRequest) -> User:
    """Who is signed in to the admin."""
    assert isinstance(request.user, User)
    return request.user
