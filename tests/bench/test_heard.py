"""Latencies of words, worked out by hand."""

import pytest

from bench.heard import Spoken, latencies, percentile
from bench.noises import NOISES


def line(kind: str, number: int, text: str) -> dict[str, object]:
    return {"kind": kind, "number": number, "text": text}


SPOKEN = [Spoken("how", 1.0), Spoken("old", 1.5), Spoken("is", 2.0), Spoken("it", 2.5)]


def test_a_word_counts_from_when_it_was_spoken_to_when_it_first_stood_there() -> None:
    lines = [
        (2.0, line("partial", 1, "How all")),
        (2.5, line("partial", 1, "How old is")),
        (3.0, line("final", 1, "How old is it?")),
    ]
    found = latencies(SPOKEN, lines)
    assert found.words == pytest.approx([1000, 1000, 500, 500])
    assert found.finals == pytest.approx([500])


def test_words_heard_wrong_were_never_shown_but_end_a_line() -> None:
    found = latencies(SPOKEN, [(3.5, line("final", 1, "how cold is eat"))])
    assert found.words == pytest.approx([2500, 1500])
    assert found.finals == pytest.approx([1000])


def test_each_utterance_is_measured_by_its_own_last_word() -> None:
    lines = [(2.0, line("final", 1, "how old")), (3.0, line("final", 2, "is it"))]
    assert latencies(SPOKEN, lines).finals == pytest.approx([500, 500])


def test_a_line_that_nobody_spoke_has_no_latency() -> None:
    assert latencies([], [(1.0, line("final", 1, "thank you"))]).finals == []


def test_percentiles() -> None:
    assert percentile([], 50) is None
    assert percentile([5, 1, 3], 50) == 3
    assert percentile([float(value) for value in range(100)], 95) == 95


@pytest.mark.parametrize("name", NOISES)
def test_noises_are_whole_seconds_of_sound(name: str) -> None:
    assert len(NOISES[name]()) % 8000 == 0
