"""The callers of the demo: always so many live calls, some always there, the others script after script."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from contactcenter.stage import Failed, Stage, ask

__all__ = ["VOICE_SCRIPT", "Callers"]

TOO_SHORT = 2.0  # seconds: a call that ends sooner never worked
TOO_MANY = 5  # of these in a row
BETWEEN = 10.0  # seconds: a call for somebody who sits ready is on its way for a moment
VOICE_SCRIPT = "callback"
VOICE_FROM = 2  # so many calls are wanted before one more speaks with the voice


@dataclass
class Callers:
    """Keeps N calls live, script after script, and remembers what Twilio's side saw of each.

    `steady` names scripts of which one call is always live, as long as one place is left for the others.
    """

    stage: Stage
    wanted: int
    scripts: list[dict[str, Any]]
    numbers: list[str]
    number_of: Callable[[int], str]
    steady: tuple[str, ...] = ()
    voice: str = ""  # the number that a voice answers
    live: dict[str, float] = field(default_factory=dict)
    playing: dict[str, str] = field(default_factory=dict)  # call → its script
    truth: dict[str, dict[str, Any]] = field(default_factory=dict)
    placed: int = 0
    turn: int = 0
    short: int = 0
    silent: int = 0
    extra_at: float = float("-inf")
    with_voice: str = ""  # the call that speaks with the voice, or did last

    def look(self, people_ready: int = 0) -> None:
        """Note which calls have ended, and place as many as are missing. Raises Failed.

        For people who sit Ready at their desks there is a call more, to the first number.
        """
        self._read()
        if self.short >= TOO_MANY:
            raise Failed(f"Calls end as soon as they begin. See {self.stage.directory}/serve.log")
        while len(self.live.keys() - {self.with_voice}) < self.wanted and not self.stage.ending.is_set():
            self._place()
        if self.wanted >= VOICE_FROM and self.voice and self.with_voice not in self.live:
            self.with_voice = self._call(len(self.scripts), self.voice, VOICE_SCRIPT)
        is_time = time.monotonic() - self.extra_at > BETWEEN
        if people_ready and is_time and not self.stage.ending.is_set():
            self.extra_at = time.monotonic()
            self._place(self.numbers[0])

    def hang_up(self) -> None:
        """End every live call and wait until Twilio's side says so, at most 10 s."""
        for sid in self.live:
            with suppress(OSError):  # it has just ended by itself
                ask(f"{self.stage.emulator_url}/emulator/calls/{sid}/hangup/", {})
        limit = time.monotonic() + 10
        while self.live and time.monotonic() < limit:
            time.sleep(0.1)
            self._read()

    def streams(self) -> list[dict[str, Any]]:
        """The truth of every stream of every call that was placed."""
        return [stream for call in self.truth.values() for stream in call["streams"]]

    def _read(self) -> None:
        for call in self._calls():
            sid = call["call_sid"]
            self.truth[sid] = {"streams": call["streams"]}
            if call["ended"] and sid in self.live:
                lasted = time.monotonic() - self.live.pop(sid)
                self.playing.pop(sid)
                self.short = self.short + 1 if lasted < TOO_SHORT else 0

    def _calls(self) -> list[dict[str, Any]]:
        """What Twilio's side tells of its calls; a slow answer now and then is no reason to end."""
        try:
            calls: list[dict[str, Any]] = ask(f"{self.stage.emulator_url}/emulator/log/")["calls"]
        except OSError as error:
            self.silent += 1
            if self.silent >= TOO_MANY:
                raise Failed(f"The emulator does not answer ({error}).") from None
            return []
        self.silent = 0
        return calls

    def _place(self, number: str = "") -> None:
        at, self.placed = self._next(), self.placed + 1
        self._call(at, number or self.numbers[at % len(self.numbers)], self.scripts[at]["name"])

    def _call(self, caller: int, number: str, script: str) -> str:
        wanted = {"from": self.number_of(caller), "to": number, "script": script}
        sid: str = ask(f"{self.stage.emulator_url}/emulator/calls/", wanted)["call_sid"]
        self.live[sid] = time.monotonic()
        self.playing[sid] = script
        return sid

    def _next(self) -> int:
        """The script whose turn it is: a steady one that is not there, else the next that is none of them."""
        names, steady = [one["name"] for one in self.scripts], self.steady[: max(0, self.wanted - 1)]
        for name in steady:
            if name in names and name not in self.playing.values():
                return names.index(name)
        others = [at for at, name in enumerate(names) if name not in steady] or list(range(len(names)))
        self.turn += 1
        return others[(self.turn - 1) % len(others)]
