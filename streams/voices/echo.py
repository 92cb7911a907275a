"""The echo: says what it hears, for tests and to hear what a caller sounds like. The # key ends it."""

from typing import ClassVar

from streams.voices.base import Frame, Key, Talk

__all__ = ["EchoVoice"]

GATHERED_BYTES = 800
"""A tenth of a second is said at once: a mark for each 20 ms would be more marks than sound."""


class EchoVoice:
    """Nothing interrupts it: it would be its own sound."""

    wants_frames: ClassVar[bool] = True
    wants_words: ClassVar[bool] = False
    interruptible: ClassVar[bool] = False

    async def talk(self, call: Talk) -> None:
        """Until the # key."""
        heard = b""
        while True:
            event = await call.hear()
            if isinstance(event, Key) and event.digit == "#":
                return
            if isinstance(event, Frame):
                heard += event.payload
            if len(heard) >= GATHERED_BYTES:
                await call.play(heard)
                heard = b""
