"""Sound: mu-law, PCM, rates and loudness, against figures that can be worked out on paper."""

import math
import struct

import pytest

from streams import audio


def tone(dbfs: float, hz: float = 1000, ms: int = 1000, rate: int = 8000) -> bytes:
    """A sine whose RMS is at `dbfs`, as 16-bit PCM."""
    peak = 32768 * 10 ** (dbfs / 20) * math.sqrt(2)
    samples = (round(peak * math.sin(2 * math.pi * hz * n / rate)) for n in range(rate * ms // 1000))
    return struct.pack(f"<{rate * ms // 1000}h", *samples)


def test_a_frame_is_160_bytes_for_20_ms():
    assert (audio.FRAME_MS, audio.FRAME_BYTES, audio.RATE) == (20, 160, 8000)


def test_mu_law_silence_is_zero():
    assert audio.ulaw_to_pcm(b"\xff\x7f") == b"\0\0\0\0"
    assert audio.pcm_to_ulaw(b"\0\0") == audio.SILENCE


def test_the_loudest_mu_law_bytes_are_the_standards():
    assert struct.unpack("<2h", audio.ulaw_to_pcm(b"\x00\x80")) == (-32124, 32124)


def test_every_mu_law_byte_survives_the_way_to_pcm_and_back():
    every = bytes(range(256))
    again = audio.pcm_to_ulaw(audio.ulaw_to_pcm(every))
    assert again == every.replace(b"\x7f", b"\xff")  # minus zero is zero


def test_half_a_sample_is_refused():
    with pytest.raises(ValueError, match="half a sample"):
        audio.pcm_to_ulaw(b"\0\0\0")
    with pytest.raises(ValueError, match="half a sample"):
        audio.resample(b"\0", 8000, 16000)


@pytest.mark.parametrize("dbfs", [-6.0, -20.0, -40.0, -50.0])
def test_a_tone_shows_its_level(dbfs: float):
    level = audio.level(audio.pcm_to_ulaw(tone(dbfs)))
    assert level.rms_dbfs == pytest.approx(dbfs, abs=0.5)
    assert level.peak_dbfs == pytest.approx(dbfs + 3.01, abs=0.7)


def test_a_square_wave_at_full_scale_has_equal_rms_and_peak():
    level = audio.level(b"\x00\x80" * 80)
    assert level.rms_dbfs == pytest.approx(level.peak_dbfs, abs=0.01)
    assert level.rms_dbfs == pytest.approx(20 * math.log10(32124 / 32768), abs=0.01)


@pytest.mark.parametrize("ulaw", [b"", b"\xff" * 160, b"\x7f"])
def test_silence_and_nothing_are_at_the_floor(ulaw: bytes):
    assert audio.level(ulaw) == (-96.0, -96.0)


@pytest.mark.parametrize("rate", [16000, 24000, 48000, 44100, 8000])
def test_another_rate_keeps_length_and_level(rate: int):
    there, _ = audio.resample(tone(-20, hz=440), 8000, rate)
    assert len(there) / 2 == pytest.approx(rate, rel=0.001)
    back, _ = audio.resample(there, rate, 8000)
    assert audio.level(audio.pcm_to_ulaw(back)).rms_dbfs == pytest.approx(-20, abs=0.5)


def test_pieces_with_their_state_sound_like_the_whole():
    sound = tone(-20, hz=440, ms=200)
    whole, _ = audio.resample(sound, 8000, 16000)
    pieces, state = b"", None
    for at in range(0, len(sound), 322):
        piece, state = audio.resample(sound[at : at + 322], 8000, 16000, state)
        pieces += piece
    assert pieces == whole


def test_a_rate_that_is_none_is_refused():
    with pytest.raises(ValueError, match="rate"):
        audio.resample(b"\0\0", 8000, 0)
