"""A file between its dry run and its import: kept for an hour, for the person who sent it.

It lies in a session of its own in the database, so that any web process finds it and an hour ends it.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any

from django.conf import settings

__all__ = ["Draft", "drop", "keep", "take"]

_KEPT = timedelta(hours=1)


@dataclass(frozen=True)
class Draft:
    """What was sent: the file's name and bytes, and how it is to be read."""

    name: str
    data: bytes
    update: bool
    region: str

    def digest(self) -> str:
        """Names this draft on its page, so that a page never imports a file that it did not show."""
        facts = f"{self.update} {self.region} ".encode()
        return hashlib.sha256(facts + self.data).hexdigest()[:32]


def keep(draft: Draft, *, by: int) -> str:
    """Put the draft away for person `by`; the key that takes it out again. Ended sessions are cleared."""
    _store().clear_expired()
    session = _store()()
    session["import"] = {
        "by": by,
        "name": draft.name,
        "data": base64.b64encode(draft.data).decode(),
        "update": draft.update,
        "region": draft.region,
    }
    session.set_expiry(_KEPT)
    session.create()
    return str(session.session_key)


def take(key: str, *, by: int) -> Draft | None:
    """The draft of this key, if it is this person's and an hour has not gone by. It stays until dropped."""
    kept = _store()(key).get("import") if key else None
    if not kept or kept["by"] != by:
        return None
    return Draft(kept["name"], base64.b64decode(kept["data"]), kept["update"], kept["region"])


def drop(key: str) -> None:
    """Delete the draft."""
    if key:
        _store()(key).delete()


def _store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore
