"""When words were there: lines with their arrival against words with the time they were spoken. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from streams.scoring import align, normalise

__all__ = ["Latencies", "Spoken", "latencies", "percentile"]


@dataclass(frozen=True)
class Spoken:
    """A word of the reference and the moment at which it had been spoken, in s."""

    word: str
    at: float


@dataclass
class Latencies:
    """In ms: from a word spoken until it stood there; from an utterance's last word until it was final."""

    words: list[float] = field(default_factory=list)
    finals: list[float] = field(default_factory=list)


def percentile(values: list[float], percent: float) -> float | None:
    """The value below which so many percent lie; None of nothing."""
    if not values:
        return None
    return round(sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))], 1)


def latencies(spoken: list[Spoken], lines: Iterable[tuple[float, Any]]) -> Latencies:
    """Of one track: `lines` are (arrival in s, line of its words file), in order of arrival.

    Only words that were heard rightly count: what stands there wrong was never shown.
    """
    shown: dict[int, list[tuple[float, list[str]]]] = {}
    finals: list[tuple[int, float, list[str]]] = []
    for arrival, line in lines:
        if line["kind"] in ("partial", "final"):
            words = normalise(line["text"])
            shown.setdefault(line["number"], []).append((arrival, words))
            if line["kind"] == "final":
                finals.append((line["number"], arrival, words))
    finals.sort(key=lambda final: final[0])
    return _measured(spoken, shown, finals)


def _measured(
    spoken: list[Spoken],
    shown: dict[int, list[tuple[float, list[str]]]],
    finals: list[tuple[int, float, list[str]]],
) -> Latencies:
    reference = [(word, each.at) for each in spoken for word in normalise(each.word)]
    heard = [(number, place) for number, _, words in finals for place in range(len(words))]
    pairs = align([word for word, _ in reference], [word for _, _, words in finals for word in words])
    at = {heard[j]: reference[i] for i, j in pairs if i is not None and j is not None}
    found = Latencies()
    for number, arrival, words in finals:
        first = _first_shown(words, shown[number])
        known = [(place, *at[number, place]) for place in range(len(words)) if (number, place) in at]
        found.words += [1000 * (first[place] - when) for place, word, when in known if word == words[place]]
        if known:
            found.finals.append(1000 * (arrival - known[-1][2]))
    return found


def _first_shown(words: list[str], lines: list[tuple[float, list[str]]]) -> dict[int, float]:
    """When each word of a final line first stood in one of its utterance's lines, the final included."""
    first: dict[int, float] = {}
    for arrival, shown in lines:
        for i, j in align(words, shown):
            if i is not None and j is not None and words[i] == shown[j]:
                first.setdefault(i, arrival)
    return first
