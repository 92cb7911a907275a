"""Somebody who listened in opens a stream's socket once more, with its old signature and words."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from emulator.clock import Clock
from emulator.media.wire import ConnectError, Wire
from emulator.waiting import first
from emulator.world import iso

REPLAY_S = 10.0


class Replay:
    """One attempt; `facts` says how the server took it: refused, accepted, closed with which code."""

    def __init__(self, clock: Clock, url: str, signature: str | None, words: Sequence[bytes]) -> None:
        self._clock = clock
        self._url = url
        self._signature = signature
        self._words = words
        self._over = asyncio.Event()
        self.facts: dict[str, Any] = {
            "at": iso(clock.now()),
            "accepted": None,
            "error": 0,
            "closed": None,
            "broken": False,
            "answers": 0,
        }

    async def run(self) -> None:
        """Say the old words and stay until the server hangs up, or for ten seconds."""
        wire = Wire(self._answered, self._gone, self._clock.hold)
        try:
            with self._clock.hold():
                await wire.connect(self._url, self._signature)
        except ConnectError as error:
            self.facts |= {"accepted": False, "error": error.code}
            return
        self.facts["accepted"] = True
        wire.send(self._words)
        await first(self._over.wait(), self._clock.sleep(REPLAY_S))
        wire.abort()

    def _answered(self, opcode: int, data: bytes) -> None:
        self.facts["answers"] += 1

    def _gone(self, code: int | None, broken: bool) -> None:
        self.facts |= {"closed": code, "broken": broken or code is None}
        self._over.set()
