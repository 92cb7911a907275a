"""What is said in one stream is written down no more, or again, because a person wants it so.

The streams' rows are not ours: whoever keeps them connects the function that does it.
"""

from datetime import datetime
from typing import Any, Protocol

from django.utils.translation import gettext

from calls import audit
from calls.models import User
from calls.refusal import Refused

__all__ = ["Done", "Switch", "connect", "start", "stop"]


class Done(Protocol):
    """A stream after it was switched."""

    def as_message(self) -> dict[str, Any]: ...


class Switch(Protocol):
    """Switches the words of an open stream of this call, tells it, and hints its process. Raises Refused."""

    def __call__(self, *, call_id: int, stream: str, wanted: bool, by: User, now: datetime) -> Done: ...


_connected: list[Switch] = []


def connect(switch: Switch) -> None:
    """From now on this switches the words; there is one."""
    _connected[:] = [switch]


def stop(*, call_id: int, stream: str, by: User, now: datetime, ip: str | None = None) -> dict[str, Any]:
    """Write down nothing more of the stream with this SID: its message. Sound and levels go on.

    Nothing of the time until `start` is ever written down. Stopped already, it stays so. Raises Refused:
    `unknown_stream`, `ended`, `no_words`, `language`.
    """
    return _switch(call_id=call_id, stream=stream, wanted=False, by=by, now=now, ip=ip)


def start(*, call_id: int, stream: str, by: User, now: datetime, ip: str | None = None) -> dict[str, Any]:
    """Write down again what is said from now on: the stream's message. Raises Refused as `stop` does.

    On a stream whose words fail there is nothing to free: an engine that ended is started again by the
    process that watches it, and one that gave a stream up tries it again each half minute.
    """
    return _switch(call_id=call_id, stream=stream, wanted=True, by=by, now=now, ip=ip)


def _switch(
    *, call_id: int, stream: str, wanted: bool, by: User, now: datetime, ip: str | None
) -> dict[str, Any]:
    if not _connected:
        raise Refused("no_words", gettext("Nothing is written down here: no streams are kept."))
    audit.record(who=by, what="words.start" if wanted else "words.stop", on=f"stream {stream[:34]}", ip=ip)
    done = _connected[0](call_id=call_id, stream=stream, wanted=wanted, by=by, now=now)
    return {"type": "stream", **done.as_message()}
