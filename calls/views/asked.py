"""What pages ask for by POST: read, bounded, and each field of the kind that it must be."""

import json
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from typing import Any, Self

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext

from calls import audit
from calls.models import Agent, User

__all__ = ["BODY_BYTES", "Asked", "Memory", "Rate", "Wanted", "Wrong", "fields_of", "id_of"]

BODY_BYTES = 64 * 1024
_KEPT = 4096


class Wrong(Exception):
    """What was posted cannot be done: an HTTP status, a code for programs, a sentence for people."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text

    def answer(self) -> JsonResponse:
        """The same as the page gets it."""
        return JsonResponse({"error": {"code": self.code, "text": self.text}}, status=self.status)


@dataclass(frozen=True)
class Wanted:
    """One action of one person. Fields are read by what they must be; a wrong one raises Wrong."""

    id: uuid.UUID
    kind: str
    by: User
    fields: dict[str, Any]
    now: datetime
    ip: str | None

    def row(self, name: str) -> int:
        """The key of a row."""
        value = self.fields.get(name)
        if type(value) is not int or not 0 < value < 2**63:
            raise _bad(name, gettext("%(name)s must be a whole number."))
        return value

    def row_or_none(self, name: str) -> int | None:
        """The key of a row, or null."""
        return None if self.fields.get(name) is None else self.row(name)

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self.fields.get(name)
        if not isinstance(value, bool):
            raise _bad(name, gettext("%(name)s must be true or false."))
        return value

    def text(self, name: str, limit: int, *, default: str | None = None) -> str:
        """A text of at most `limit` characters; it may be missing only where there is a default."""
        value = self.fields.get(name, default)
        if not isinstance(value, str) or len(value) > limit:
            raise _bad(name, gettext("%(name)s must be a text of at most %(n)s characters."), n=limit)
        return value

    def inside(self, name: str) -> Self:
        """The fields of an object within."""
        value = self.fields.get(name)
        if not isinstance(value, dict):
            raise _bad(name, gettext("%(name)s must be an object."))
        return replace(self, fields=value)

    def moment(self, name: str) -> datetime:
        """A time in ISO 8601 with its offset, such as 2026-11-20T14:00:00Z."""
        value = self.fields.get(name)
        try:
            found = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            found = None
        if found is None or found.utcoffset() is None:
            raise _bad(name, gettext("%(name)s must be a time such as 2026-11-20T14:00:00Z."))
        return found


@dataclass(frozen=True)
class Asked(Wanted):
    """One action of one agent, at their desk."""

    agent: Agent

    def audit(self, on: str) -> None:
        """One row of the audit, before it is done."""
        audit.record(who=self.by, what=f"desk.{self.kind}", on=on, ip=self.ip)


class Rate:
    """So many actions a second and person, in this process; a burst may be larger."""

    def __init__(self, per_second: float, burst: float) -> None:
        self.per_second, self.burst = per_second, burst
        self._left: OrderedDict[int, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def spend(self, who: int) -> bool:
        """One more; False if it is one too many."""
        now = time.monotonic()
        with self._lock:
            left, at = self._left.pop(who, (self.burst, now))
            left = min(self.burst, left + (now - at) * self.per_second)
            self._left[who] = (left - 1 if left >= 1 else left, now)
            if len(self._left) > _KEPT:
                self._left.popitem(last=False)
            return left >= 1


class Memory:
    """Ids of what was done lately in this process: an answer that was lost is asked for again at once."""

    def __init__(self) -> None:
        self._done: OrderedDict[tuple[int, uuid.UUID], None] = OrderedDict()
        self._lock = Lock()

    def has(self, who: int, id_: uuid.UUID) -> bool:
        """Whether this person had it done."""
        return (who, id_) in self._done

    def keep(self, who: int, id_: uuid.UUID) -> None:
        """It is done."""
        with self._lock:
            self._done[who, id_] = None
            if len(self._done) > _KEPT:
                self._done.popitem(last=False)


def fields_of(request: HttpRequest) -> dict[str, Any]:
    """The JSON object that was posted. Raises Wrong."""
    try:
        value = json.loads(request.body) if len(request.body) <= BODY_BYTES else None
    except (ValueError, RecursionError, RequestDataTooBig):
        value = None
    if not isinstance(value, dict):
        raise Wrong(400, "bad_json", gettext("The body must be one JSON object of at most 64 kB."))
    return value


def id_of(fields: dict[str, Any]) -> uuid.UUID:
    """The id that the page chose. Raises Wrong."""
    try:
        return uuid.UUID(str(fields.get("id", ""))[:64])
    except ValueError:
        raise Wrong(400, "bad_id", gettext("The id must be a UUID that you choose.")) from None


def _bad(name: str, text: str, **values: object) -> Wrong:
    return Wrong(400, "bad_field", text % {"name": name, **values})
