"""Follows the call that is recorded, from its lines, so that the recording ends when the call does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from emulator.capture import entries
from emulator.capture.reel import OVER, SILENCE, inner
from emulator.capture.schedule import TERMINAL
from emulator.clock import Clock

LOOK_S = 0.2


@dataclass(frozen=True)
class Limits:
    """Seconds: `whole` recording, `idle` without a word once a call began, `linger` after its end."""

    whole: float = 900.0
    idle: float = 60.0
    linger: float = 5.0


class Watch:
    """A listener of the tape. The first call that a webhook or its making tells of is the one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard = clock.seconds()
        self._sockets: set[int] = set()
        self._creating: set[int] = set()
        self._call = ""
        self._over: float | None = None

    def hear(self, line: entries.Line) -> None:
        """Take a line of the tape."""
        self._heard = self._clock.seconds()
        match line:
            case entries.Request(door="webhook"):
                form = {name: value for name, _, value in (*line.query, *line.form)}
                self._told(form.get("CallSid", ""), form.get("CallStatus", ""))
            case entries.Request(door="rest", method="POST") if line.path.endswith("/Calls.json"):
                self._creating.add(line.number)
            case entries.Answer(door="rest") if inner(line.json, "subresource_uris"):
                made = line.status == 201 and line.number in self._creating
                self._told(str(line.json.get("sid")), str(line.json.get("status")), begins=made)
            case entries.Handshake(status=101):
                self._sockets.add(line.socket)
            case entries.Gone() | entries.Closed():
                self._sockets.discard(line.socket)

    def _told(self, call: str, status: str, *, begins: bool = True) -> None:
        if begins and call.startswith("CA"):
            self._call = self._call or call
        if call and call == self._call and status in TERMINAL and self._over is None:
            self._over = self._clock.seconds()

    async def end(self, limits: Limits) -> str:
        """Wait until the recording should end; returns why, in words."""
        began = self._clock.seconds()
        while not (why := self._reason(limits, began)):
            await self._clock.sleep(LOOK_S)
        return why

    def _reason(self, limits: Limits, began: float) -> str:
        now = self._clock.seconds()
        if self._over is not None and now - self._over >= limits.linger and not self._sockets:
            return OVER
        if self._over is not None and now - self._over >= limits.linger + limits.idle:
            return f"{OVER}, a socket is not"
        if self._call and not self._sockets and now - self._heard >= limits.idle:
            return SILENCE
        return "the time was up" if now - began >= limits.whole else ""


async def first_of(watch: Watch, limits: Limits, stopped: asyncio.Event) -> str:
    """The end that `watch` sees, or that the user wants."""
    ending = asyncio.ensure_future(watch.end(limits))
    wanted = asyncio.ensure_future(stopped.wait())
    done, pending = await asyncio.wait({ending, wanted}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return ending.result() if ending in done else "stopped by the user"
