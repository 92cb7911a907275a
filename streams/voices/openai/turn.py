"""Whose turn it is with the provider: who speaks, what is awaited and since when, what is owed. No socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from streams.voices.openai.line import Limits, ProviderLost

__all__ = ["Gone", "Turn"]

_MOST_ROUNDS: Final = 5
"""Tools one after the other without a word to the caller, before we take it for a circle."""
_MOST_REFUSED: Final = 50
_MOST_NOISES: Final = 3
"""How often the model goes on behind a noise before it waits for the caller."""
_MOST_SILENT: Final = 3
"""How often the model is told that the caller is silent, before we say goodbye."""


class Gone(Exception):
    """The caller says nothing any more."""


class Turn:
    """The state of one session after the other; times by `clock`, in seconds.

    A response is *owed* once something was told that asks for one, and *asked* for when no other is running.
    """

    def __init__(self, clock: Callable[[], float], limits: Limits) -> None:
        self._clock, self._limits = clock, limits
        self._rounds = self._passed_over = self._silences = self._noises = 0
        self._cut_at: float | None = None
        self.begin()

    def begin(self, *, spoken: bool = False) -> None:
        """A new session: nothing is running there, but what the caller has `spoken` is to be answered."""
        self.responding = ""
        self._speaking = self._owed = self._asked = self._probed = self._spoke = self._used = False
        self._stopped = spoken
        self._tools = 0
        self._event_at = self._busy_at = self._clock()

    @property
    def waiting(self) -> bool:
        """Whether the caller speaks, or has spoken and got no answer yet."""
        return self._speaking or self._stopped

    @property
    def spoken(self) -> bool:
        """Whether the caller has spoken and got no answer yet."""
        return self._stopped

    @property
    def missing(self) -> bool:
        """Whether a response is missing that neither the caller's sound nor a tool's answer brings about."""
        silent = bool(self.responding) and not self._spoke and not self._used
        return not self._tools and (self._owed or self._asked or (silent and not self._stopped))

    @property
    def quiet(self) -> bool:
        """Whether nobody speaks and nothing is to come."""
        return not (self.waiting or self._owed or self._asked or self._tools or self.responding)

    # -- what happens ---------------------------------------------------------------------------------

    def heard_of(self) -> None:
        """Some event came."""
        self._event_at = self._clock()

    def speech_started(self) -> None:
        """The caller speaks."""
        self._speaking, self._stopped, self._cut_at = True, False, None
        self._rounds = self._silences = self._noises = 0

    def speech_stopped(self) -> None:
        """The caller stopped."""
        self._speaking, self._stopped = False, True

    def pressed(self) -> None:
        """The caller pressed a key: they are there."""
        self._silences, self._noises, self._cut_at = 0, 0, None

    def interrupted(self) -> None:
        """We were made to stop; the provider may not have heard anybody speak."""
        if not self._speaking:
            self._cut_at = self._clock()

    def created(self, response: str) -> None:
        """A response begins; it answers all that was told until now."""
        self.responding, self._cut_at = response or "?", None
        self._spoke = self._used = self._owed = self._asked = False

    def spoke(self) -> None:
        """Sound came."""
        self._spoke, self._stopped, self._rounds = True, False, 0

    def done(self, status: str) -> None:
        """The response is over. Raises ProviderLost when it failed or goes in circles."""
        silent = not self._spoke and not self._used
        self._rounds += self._used and not self._spoke
        self.responding = ""
        if status == "failed" or (status == "incomplete" and silent):
            raise ProviderLost("failed")
        if self._rounds > _MOST_ROUNDS:
            raise ProviderLost("circle")
        if status == "completed":
            self._stopped = False

    def tool(self) -> None:
        """A tool is asked for."""
        self._tools += 1
        self._used = True

    def tool_answered(self) -> None:
        """The model was told what became of it."""
        self._tools = max(0, self._tools - 1)
        self._owed = True

    def owe(self) -> None:
        """Something was told that asks for a response."""
        self._owed = True

    def answered(self) -> None:
        """Somebody is there."""
        self._probed = False

    def passed_over(self) -> None:
        """One of our messages was refused, such as a response that had begun by itself. Not for ever."""
        self._asked = False
        self._passed_over += 1
        if self._passed_over > _MOST_REFUSED:
            raise ProviderLost("garbage")

    # -- what follows -----------------------------------------------------------------------------------

    def may_ask(self) -> bool:
        """Whether a response is to be asked for now; it counts as asked."""
        if not self._owed or self._asked or self._tools or self.responding or self.waiting:
            return False
        self._owed, self._asked = False, True
        self._event_at = self._clock()
        return True

    def busy(self) -> None:
        """Somebody speaks or presses keys, or something is under way."""
        self._busy_at = self._clock()

    def caller_silent(self) -> bool:
        """Whether the model is to be told that the caller is silent; counts as told. Raises Gone at last."""
        if self._clock() - self._busy_at < self._limits.silence_s:
            return False
        self._silences += 1
        if self._silences > _MOST_SILENT:
            raise Gone
        self._busy_at = self._clock()
        return True

    def cut_for_nothing(self) -> bool:
        """Whether an interruption was a mere noise: nothing to be answered followed it. Told once."""
        if self._cut_at is None or self._clock() - self._cut_at < self._limits.noise_s:
            return False
        self._cut_at = None
        self._noises += 1
        return self.quiet and self._noises <= _MOST_NOISES

    def unanswered(self) -> bool:
        """Whether it is time to ask if the provider is there; it counts as asked."""
        if self._awaited or self._clock() - self._event_at < self._limits.ask_s:
            return False
        self._probed, self._event_at = True, self._clock()
        return True

    def stalled(self) -> None:
        """Raises ProviderLost when what is awaited does not come."""
        if self._awaited and self._clock() - self._event_at >= self._limits.stall_s:
            raise ProviderLost("stall")

    @property
    def _awaited(self) -> bool:
        return bool(self.responding) or self._stopped or self._asked or self._probed
