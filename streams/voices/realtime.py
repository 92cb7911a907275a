"""The AI agent: OpenAI's Realtime API as a voice. Set-up, costs and limits: docs/realtime.md.

What it may do stands in `openai.tools`, how it goes on over lost sessions in `openai.conversation`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import ClassVar, Final

from calls import realtime_options
from calls.counters import count
from streams.voices.base import Ended, Hopeless, Talk
from streams.voices.openai.conversation import Conversation
from streams.voices.openai.line import Limits, ProviderLost
from streams.voices.openai.turn import Gone

__all__ = ["RealtimeVoice"]

HOPELESS: Final = frozenset({"denied", "no_key", "not_installed", "settings"})
"""Why a provider is lost that the next try would not find."""
_log = logging.getLogger("contactcenter.voice")


class RealtimeVoice:
    """Talks until an action ends it or the caller is silent; raises ProviderLost when the provider fails."""

    wants_frames: ClassVar[bool] = True
    # A session that is opened later is told them; they are not sent before.
    wants_words: ClassVar[bool] = True

    def __init__(self, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits or Limits(), clock

    async def talk(self, call: Talk) -> None:
        """Lead the conversation."""
        try:
            await self._talk(call)
        except ProviderLost as lost:
            count(f"voice.provider.{lost.reason}")
            _log.warning("voice.provider.lost", extra={"voice": call.briefing.voice, "reason": lost.reason})
            call.clear()
            if lost.reason in HOPELESS:
                raise Hopeless from lost
            raise

    async def _talk(self, call: Talk) -> None:
        try:
            options = realtime_options.read(call.briefing.settings)
        except ValueError:
            raise ProviderLost("settings") from None
        try:
            await Conversation(call, options, self._limits, self._clock).run()
        except BaseExceptionGroup as group:
            told = _telling(group)
            if not isinstance(told, Gone):
                raise told from None


def _telling(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Of what ended the parts of a conversation, what matters: that it is over, then that they are lost."""
    for kind in (Ended, ProviderLost, Gone):
        if (found := group.subgroup(kind)) is not None:
            return _first(found)
    return _first(group)


def _first(group: BaseException) -> BaseException:
    return _first(group.exceptions[0]) if isinstance(group, BaseExceptionGroup) else group
