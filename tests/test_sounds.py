"""The sounds that callers hear are what the tool makes, and what a telephone can carry."""

from emulator.audio.sound import read_wav
from tools import hold_music
from tools.house import ROOT


def test_the_music_on_hold_is_what_the_tool_makes() -> None:
    kept = (ROOT / "static" / "sounds" / "hold.wav").read_bytes()
    assert kept == hold_music.wav(hold_music.music())
    [channel] = read_wav(kept, "hold.wav")
    assert len(channel) == 16 * hold_music.RATE
