"""Where utterances begin and end. One letter is one window of 32 ms: V voice, . silence."""

from itertools import pairwise

import numpy as np
import pytest

from streams.engines.segments import Clip, Limits, Segmenter
from streams.engines.vad import WINDOW, WINDOW_MS

CHANCE = {"V": 0.9, "v": 0.4, ".": 0.05}
LIMITS = Limits(
    hangover_ms=16 * WINDOW_MS, pad_ms=4 * WINDOW_MS, long_ms=100 * WINDOW_MS, long_hangover_ms=8 * WINDOW_MS,
    max_ms=200 * WINDOW_MS,
)  # fmt: skip


def heard(script: str, origin_ms: int = 0) -> list[Clip]:
    """The clips of a script; each window's samples hold its own number."""
    segmenter = Segmenter(LIMITS, origin_ms)
    windows = [(np.full(WINDOW, place, dtype=np.float32), CHANCE[sign]) for place, sign in enumerate(script)]
    found = [segmenter.push(window, chance) for window, chance in windows]
    return [clip for clip in [*found, segmenter.finish()] if clip]


def windows(clip: Clip) -> tuple[int, int]:
    """The first window of a clip's sound, and the one behind its last."""
    return int(clip.samples[0]), int(clip.samples[-1]) + 1


def test_silence_gives_nothing() -> None:
    assert heard("." * 200) == []


def test_voice_that_never_begins_surely_gives_nothing() -> None:
    assert heard("." * 10 + "v" * 50 + "." * 20) == []


def test_an_utterance_ends_after_its_hangover_with_a_little_silence_around() -> None:
    (clip,) = heard("." * 20 + "V" * 30 + "." * 40)
    assert windows(clip) == (20 - 4, 50 + 4)
    assert (clip.start_ms, clip.end_ms, clip.used_ms) == (20 * 32, 50 * 32, 54 * 32)
    assert clip.voiced_ms == 30 * 32


def test_times_count_from_the_origin() -> None:
    (clip,) = heard("." * 20 + "V" * 30 + "." * 40, origin_ms=5000)
    assert (clip.first_ms, clip.start_ms) == (5000 + 16 * 32, 5000 + 20 * 32)


def test_a_breath_does_not_part_an_utterance() -> None:
    (clip,) = heard("V" * 30 + "." * 15 + "V" * 30 + "." * 20)
    assert (clip.start_ms, clip.end_ms) == (0, 75 * 32)


def test_a_pause_parts_two_utterances_and_no_window_is_in_both() -> None:
    first, second = heard("V" * 30 + "." * 17 + "V" * 30 + "." * 20)
    assert windows(first) == (0, 34)
    assert windows(second)[0] >= 34
    assert second.start_ms == 47 * 32


def test_a_weak_voice_goes_on_but_does_not_begin() -> None:
    (clip,) = heard("v" * 10 + "V" * 5 + "v" * 20 + "." * 20)
    assert (clip.start_ms, clip.end_ms) == (10 * 32, 35 * 32)


def test_a_long_utterance_ends_at_a_shorter_pause() -> None:
    first, second = heard("V" * 120 + "." * 9 + "V" * 30 + "." * 20)
    assert first.end_ms == 120 * 32
    assert second.start_ms == 129 * 32


def test_an_endless_one_is_cut_at_its_best_pause_and_loses_nothing() -> None:
    first, second = heard("V" * 150 + "..." + "V" * 100 + "." * 20)
    assert 150 <= windows(first)[1] <= 153
    assert windows(second)[0] == windows(first)[1]
    assert second.end_ms == 253 * 32


def test_without_any_pause_everything_is_still_heard() -> None:
    found = heard("V" * 650 + "." * 20)
    joined = [window for clip in found for window in range(*windows(clip))]
    assert joined == list(range(654))
    assert all(clip.voiced.size * WINDOW_MS <= LIMITS.max_ms for clip in found)


def test_the_end_of_sound_ends_the_utterance() -> None:
    (clip,) = heard("." * 5 + "V" * 10)
    assert (clip.start_ms, clip.end_ms) == (5 * 32, 15 * 32)


def test_a_pause_is_told_once_when_the_padding_is_full() -> None:
    segmenter = Segmenter(LIMITS)
    told = []
    for place, sign in enumerate("V" * 10 + "." * 10):
        segmenter.push(np.zeros(WINDOW, dtype=np.float32), CHANCE[sign])
        if segmenter.pausing:
            told.append(place)
    assert told == [13]


def test_what_is_prepared_in_the_pause_is_the_very_clip_that_ends() -> None:
    segmenter = Segmenter(LIMITS)
    early, final = None, None
    for sign in "V" * 10 + "." * 20:
        clip = segmenter.push(np.zeros(WINDOW, dtype=np.float32), CHANCE[sign])
        early = segmenter.so_far() if segmenter.pausing else early
        final = clip or final
    assert early is not None
    assert final is not None
    assert early.same(final)


@pytest.mark.parametrize("seed", range(20))
def test_any_sound_is_cut_into_clips_that_follow_each_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    script = "".join(rng.choice(list("Vv."), size=3000, p=[0.5, 0.1, 0.4]).repeat(rng.integers(1, 12)))[:3000]
    edges = [windows(clip) for clip in heard(script)]
    assert all(before[1] <= after[0] for before, after in pairwise(edges))
    voiced = {place for place, sign in enumerate(script) if sign == "V"}
    assert voiced <= {window for edge in edges for window in range(*edge)}
