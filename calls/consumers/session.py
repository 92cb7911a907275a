"""Who is behind an open socket: still signed in, still allowed?"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare

from calls.access import may_watch
from calls.models import User

__all__ = ["NOT_ALLOWED", "SIGNED_OUT", "admitted"]

SIGNED_OUT = 4401
NOT_ALLOWED = 4403


def admitted(session_key: str | None, *, may: Callable[[User], bool] = may_watch) -> User | int:
    """The person behind a session, or the close code for who may no longer. Reads both anew.

    Signed out: no session or an expired one, another password since, an account that was disabled.
    """
    user = _user(session_key)
    if user is None:
        return SIGNED_OUT
    return user if may(user) else NOT_ALLOWED


def _user(session_key: str | None) -> User | None:
    if not session_key:
        return None
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key).load()
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = User.objects.filter(pk=session.get(SESSION_KEY), is_active=True).first()
    return user if user and _same_password(user, session) else None


def _same_password(user: User, session: dict[str, Any]) -> bool:
    kept = session.get(HASH_SESSION_KEY, "")
    return bool(kept) and constant_time_compare(kept, user.get_session_auth_hash())
