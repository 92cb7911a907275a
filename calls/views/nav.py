"""What the bar above each page tells beside its links."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from calls.models import User
from calls.selectors import voicemails

__all__ = ["inbox"]


def inbox(request: HttpRequest) -> dict[str, Any]:
    """`inbox`: whether they may hear messages, and how many nobody has heard; asked only where shown."""
    return {"inbox": SimpleLazyObject(lambda: _inbox(getattr(request, "user", None)))}


def _inbox(user: object) -> dict[str, Any]:
    if not isinstance(user, User) or not voicemails.may_hear(user):
        return {"open": False}
    unheard = voicemails.unheard(user)
    most = unheard >= voicemails.UNHEARD_COUNTED
    return {"open": True, "unheard": unheard, "shown": f"{unheard - 1}+" if most else str(unheard)}
