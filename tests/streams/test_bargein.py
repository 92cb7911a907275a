"""Who interrupts is heard soon; coughs, clicks, dishes, keys and ourselves interrupt nobody."""

from pathlib import Path

import numpy as np
import pytest

from streams.audio import level, pcm_to_ulaw
from streams.engines.sound import ulaw_samples
from streams.speech.cache import SHIPPED
from streams.voices import bargein
from streams.voices.bargein import HANGOVER_MS, Listener, Verdict
from tests.streams.sounds import MODELS, NOISES, frames, quiet, recorded

SPEAKERS = (
    "cmd_230pm.wav", "cmd_book_a_room.wav", "cmd_brooklyn_bridge.wav", "cmd_half_an_hour.wav",
    "cmd_today.wav", "cmd_two_people.wav", "cmd_weather.wav", "jfk.wav", "phone_number_george.wav",
    "phone_number_jackson.wav", "phone_number_nicolas.wav", "phone_number_theo.wav",
)  # fmt: skip
UNDER_DB = 15.0  # the first frame less than this under the loudest is the speaker's first
DECIDED_MS = 160
ECHO_DB = -25.0
OURS = b"".join(path.read_bytes() for path in sorted(SHIPPED.glob("*.ulaw"))[:3])


def listener() -> Listener:
    ear = bargein.listener(MODELS)
    assert ear is not None
    return ear


def verdicts(ulaw: bytes, ours: bytes = b"", to: Listener | None = None, first_ms: int = 0) -> list[Verdict]:
    """What is said to each frame, while the caller hears `ours`."""
    to = to or listener()
    found = []
    for payload, at_ms in frames(ulaw):
        if ours:
            to.played(ours[8 * at_ms : 8 * at_ms + 160])
        found.append(to.heard(payload, first_ms + at_ms))
    return found


def began(found: list[Verdict]) -> list[int]:
    """In ms, the ends of the frames with which it was decided that somebody speaks."""
    return [20 * (number + 1) for number, verdict in enumerate(found) if verdict.began]


def onset(ulaw: bytes) -> int:
    levels = [level(payload).rms_dbfs for payload, _ in frames(ulaw)]
    return next(20 * number for number, loud in enumerate(levels) if loud > max(levels) - UNDER_DB)


def softer(ulaw: bytes, by_db: float) -> bytes:
    return coded(ulaw_samples(ulaw) * 10 ** (by_db / 20))


def mixed(one: bytes, other: bytes) -> bytes:
    size = min(len(one), len(other))
    return coded(ulaw_samples(one[:size]) + ulaw_samples(other[:size]))


def coded(samples) -> bytes:
    return pcm_to_ulaw((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def cough(seed: int) -> bytes:
    """A burst of breath through a throat: sudden, noisy, over in a third of a second."""
    rng, at = np.random.default_rng(seed), np.arange(3200) / 8000
    shape = np.exp(-at / 0.03) + 0.45 * np.exp(-np.maximum(at - 0.06, 0) / 0.09) * (at > 0.06)
    hertz = np.fft.rfftfreq(3200, 1 / 8000)
    throat = sum(
        loud / (1 + ((hertz - middle) / wide) ** 2)
        for middle, wide, loud in ((rng.uniform(400, 700), 250, 1), (rng.uniform(1200, 1700), 350, 0.8))
    )
    burst = np.fft.irfft(np.fft.rfft(rng.normal(0, 1, 3200)) * throat, 3200) * shape
    return quiet(0.5) + coded(burst / np.abs(burst).max() * 0.6) + quiet(0.5)


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_a_speaker_is_heard_within_160_ms(speaker: str) -> None:
    sound = quiet(1) + recorded(speaker)
    first = began(verdicts(sound))[0]
    assert 1000 < first <= onset(sound) + DECIDED_MS


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_who_interrupts_us_is_heard_as_soon_through_our_echo(speaker: str) -> None:
    ours = (OURS * 9)[: 8 * 9000]
    sound = quiet(1) + recorded(speaker)
    first = began(verdicts(mixed(sound, softer(ours, ECHO_DB)), ours))[0]
    assert first - onset(sound) <= DECIDED_MS


@pytest.mark.parametrize("is_told", [True, False], ids=["told what plays", "not told"])
@pytest.mark.parametrize("delay_ms", [0, 60, 300, 600])
def test_our_own_echo_interrupts_nobody(delay_ms: int, is_told: bool) -> None:
    ours = OURS * 4
    back = quiet(delay_ms / 1000) + softer(ours, ECHO_DB)
    assert began(verdicts(back, ours + quiet(1) if is_told else b"")) == []


@pytest.mark.parametrize("noise", NOISES)
def test_noises_of_a_line_interrupt_nobody(noise: str) -> None:
    assert began(verdicts(NOISES[noise])) == []


def test_dishes_beside_the_telephone_interrupt_nobody() -> None:
    assert began(verdicts(softer(NOISES["dishes"], 10))) == []


def test_coughs_interrupt_nobody() -> None:
    assert [seed for seed in range(25) if began(verdicts(cough(seed)))] == []


def test_clicks_interrupt_nobody() -> None:
    click = quiet(0.2) + b"\x00\x80" * 20 + quiet(0.3)
    assert began(verdicts(click * 8)) == []


def test_where_nothing_of_ours_plays_a_soft_voice_is_heard_too() -> None:
    sound = quiet(1) + softer(recorded("cmd_weather.wav"), -20)
    assert began(verdicts(sound, quiet(4)))
    assert not began(verdicts(sound, OURS * 4)), "it might be ourselves"


def test_beginning_and_end_are_told_once_with_their_times() -> None:
    found = verdicts(quiet(1) + recorded("cmd_today.wav") + quiet(1))
    assert len(began(found)) == 1
    (end,) = [number for number, verdict in enumerate(found) if verdict.ended is not None]
    ended = found[end].ended
    assert ended is not None
    assert abs(ended - (1000 + 850)) < 250  # the manifest's end of the word, and how the voice dies away
    assert abs(20 * (end + 1) - ended - HANGOVER_MS) <= 20
    assert 1250 < found[end].since < 1400
    first = began(found)[0] // 20 - 1
    assert [number for number, verdict in enumerate(found) if verdict.speaking] == list(range(first, end))


def test_a_pause_for_breath_is_no_end() -> None:
    word = recorded("cmd_today.wav")[8 * 300 : 8 * 900]
    found = verdicts(quiet(1) + word + quiet(0.15) + word + quiet(1))
    assert len([verdict for verdict in found if verdict.ended is not None]) == 1


def test_behind_a_gap_it_listens_anew() -> None:
    ear = listener()
    word = recorded("cmd_today.wav")
    assert began(verdicts(quiet(1) + word[: 8 * 600], to=ear))
    after = verdicts(quiet(1) + word, to=ear, first_ms=9000)
    assert after[0].ended == pytest.approx(1600, abs=40), "what was said before the gap has ended"
    assert len(began(after)) == 1
    assert onset(quiet(1) + word) < began(after)[0] <= onset(quiet(1) + word) + DECIDED_MS


def test_what_comes_too_late_changes_nothing() -> None:
    sound = quiet(1) + recorded("cmd_today.wav")
    ear, disturbed = listener(), []
    for payload, at_ms in frames(sound):
        disturbed.append(ear.heard(payload, at_ms))
        assert ear.heard(payload, at_ms) == Verdict(disturbed[-1].speaking, since=disturbed[-1].since)
    assert disturbed == verdicts(sound)


def test_frames_of_any_length_are_heard() -> None:
    sound = quiet(1) + recorded("cmd_today.wav")
    ear = listener()
    found = [ear.heard(payload, at_ms) for payload, at_ms in frames(sound, 1600)]
    assert [verdict.began for verdict in found].count(True) == 1


def test_conversations_do_not_disturb_each_other() -> None:
    sound, noise = quiet(1) + recorded("cmd_today.wav"), NOISES["dishes"]
    one, other, found = listener(), listener(), []
    for payload, at_ms in frames(sound):
        found.append(one.heard(payload, at_ms))
        other.heard(noise[8 * at_ms : 8 * at_ms + 160], at_ms)
    assert found == verdicts(sound)


@pytest.mark.parametrize("damaged", [False, True])
def test_without_models_nobody_listens_and_that_is_said(damaged: bool, tmp_path: Path, caplog) -> None:
    if damaged:
        (tmp_path / "silero_vad.onnx").write_bytes(b"half of it")
    bargein.model.cache_clear()
    try:
        assert bargein.listener(tmp_path) is None
        assert "voice.deaf" in caplog.text
    finally:
        bargein.model.cache_clear()
