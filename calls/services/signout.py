"""An admin signs an agent out: no more offers, no desk, no session. The call they are on goes on."""

import logging
from datetime import datetime
from importlib import import_module

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session

from calls.events import change
from calls.models import Agent, User

__all__ = ["end_sessions", "force"]

_log = logging.getLogger("contactcenter.agents")


def force(*, agent: Agent, by: User | None, now: datetime) -> int:
    """Set the agent offline, free the desk's seat and end their sessions; how many sessions ended."""
    with change(at=now) as told:
        Agent.objects.filter(pk=agent.pk).update(
            status=Agent.Status.OFFLINE,
            reason="",
            since=now,
            idle_since=None,
            present_until=None,
            desk="",
            phone_ok=False,
        )
        told.emit(kind="agent.signed_out", noun="agent", key=agent.pk, by=by.pk if by else None)
    ended = end_sessions(user_id=agent.user_id, now=now)
    _log.info("agent.signed_out", extra={"agent": agent.pk, "sessions": ended})
    return ended


def end_sessions(*, user_id: int, now: datetime) -> int:
    """End every session of this user; how many there were. Each live session is looked into once."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    theirs = [
        session.session_key
        for session in Session.objects.filter(expire_date__gt=now).iterator(chunk_size=200)
        if store().decode(session.session_data).get(SESSION_KEY) == str(user_id)
    ]
    for key in theirs:
        store(key).delete()
    return len(theirs)
