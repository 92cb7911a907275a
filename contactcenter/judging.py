"""What was said on each track by the emulator's word, compared with what was written down. Pure.

The emulator logs which part of which recording a stream's track carried; the recordings' manifest says the
words of each and when they fall. A word counts when at least half of it was played.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from streams.scoring import Score, score, total

__all__ = ["Track", "judge", "spoken"]


class Track(NamedTuple):
    """One track of one stream."""

    stream: str
    name: str


def judge(
    manifest: Mapping[str, Any], streams: Iterable[Mapping[str, Any]], heard: Mapping[Track, str]
) -> Score:
    """Counts over all tracks that carried referenced recordings alone; `heard`: what was written of each."""
    said = spoken(manifest, streams)
    return total(score(text, heard.get(track, "")) for track, text in said.items())


def spoken(manifest: Mapping[str, Any], streams: Iterable[Mapping[str, Any]]) -> dict[Track, str]:
    """The words of each track that can be judged, in the order of stream time."""
    words: dict[Track, list[tuple[float, str]]] = defaultdict(list)
    unknown: set[Track] = set()
    for stream in streams:
        for piece in stream["played"]:
            track = Track(stream["stream_sid"], piece["track"])
            reference = _reference(manifest, piece)
            if reference is None:
                unknown.add(track)
            else:
                words[track] += _played(reference, piece)
    return {
        track: " ".join(word for _, word in sorted(found, key=lambda one: one[0]))
        for track, found in words.items()
        if track not in unknown
    }


def _reference(manifest: Mapping[str, Any], piece: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    """The words of the piece's channel with their times in seconds; None where no text is known."""
    entry = manifest.get("files", {}).get(piece["file"])
    if entry is None:
        return None
    if turns := entry.get("turns"):
        return [word for turn in turns if turn["track"] == piece["channel"] for word in turn["words"]]
    words: list[Mapping[str, Any]] | None = entry.get("words")
    return words


def _played(reference: list[Mapping[str, Any]], piece: Mapping[str, Any]) -> list[tuple[float, str]]:
    """(stream time in ms, word) for each word of which half or more lies in the piece."""
    shift = piece["stream_from_ms"] - piece["file_from_ms"]
    middles = ((500 * (word["start"] + word["end"]), word["w"]) for word in reference)
    return [
        (middle + shift, word)
        for middle, word in middles
        if piece["file_from_ms"] <= middle <= piece["file_to_ms"]
    ]
