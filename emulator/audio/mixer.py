"""Several voices in one ear: frames added sample by sample."""

from __future__ import annotations

import audioop
from collections.abc import Iterable

from emulator.audio.sound import SILENCE, Frame
from streams.audio import pcm_to_ulaw, ulaw_to_pcm


def mix(frames: Iterable[Frame]) -> Frame:
    """The sum of these frames, cut off at full scale; one voice alone is passed on as it is."""
    voices = [frame for frame in frames if frame is not SILENCE]
    if not voices:
        return SILENCE
    if len(voices) == 1:
        return voices[0]
    total = ulaw_to_pcm(voices[0].raw)
    for voice in voices[1:]:
        total = audioop.add(total, ulaw_to_pcm(voice.raw), 2)
    return Frame.of(pcm_to_ulaw(total))
