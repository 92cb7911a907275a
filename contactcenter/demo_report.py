"""What the demo can say at its end: what was sent by Twilio's side against what we have in rows."""

import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Sum

from calls.models import Call, Utterance
from contactcenter.children import ROOT
from contactcenter.judging import Track, judge
from streams.models import Stream
from streams.wordfile import SUFFIX, Reader

__all__ = ["figures", "sentence"]

SHIPPED = ROOT / "emulator" / "recordings"
LOOK_EVERY = 0.2


def figures(truth: list[dict[str, Any]], recordings: Path | None, *, limit: float) -> dict[str, Any]:
    """The last line of `demo --json`; waits up to `limit` seconds for streams to close and words to come.

    `frames_*` and `media_messages` count media messages; `word_error_rate` is null if nothing was scored.
    """
    _wait(limit)
    sent = sum(sum(stream["frames_sent"].values()) for stream in truth)
    received = Stream.objects.aggregate(frames=Sum("frames"))["frames"] or 0
    judged = truth if settings.TRANSCRIBER != "none" else []
    score = judge(_manifest(recordings or SHIPPED), judged, _heard())
    return {
        "calls": Call.objects.filter(legs__isnull=False).distinct().count(),  # not the made-up past
        "streams": Stream.objects.count(),
        "media_messages": received,
        "frames_sent": sent,
        "frames_lost": max(0, sent - received),
        "utterances": Utterance.objects.count(),
        "scored_words": score.words,
        "word_error_rate": None if score.rate is None else round(score.rate, 4),
    }


def sentence(found: dict[str, Any]) -> str:
    """The same for a person."""
    rate = found["word_error_rate"]
    words = "" if rate is None else f"; {rate:.1%} of {found['scored_words']} known words wrong"
    return (
        f"{found['calls']} calls, {found['streams']} streams, {found['media_messages']} frames received, "
        f"{found['frames_lost']} lost, {found['utterances']} lines written{words}."
    )


def _manifest(directory: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def _heard() -> dict[Track, str]:
    lines: dict[Track, list[str]] = defaultdict(list)
    spoken = Utterance.objects.exclude(speaker="other")  # prompts and announcements
    for utterance in spoken.order_by("start_ms", "number"):
        lines[Track(utterance.stream_sid, utterance.track)].append(utterance.text)
    return {track: " ".join(texts) for track, texts in lines.items()}


def _wait(limit: float) -> None:
    """Until every stream is closed and every line that an engine wrote has its row; or the limit."""
    end = time.monotonic() + limit
    while time.monotonic() < end and not (_are_closed() and _are_written()):
        time.sleep(LOOK_EVERY)


def _are_closed() -> bool:
    return not Stream.objects.open().exists()


def _are_written() -> bool:
    """Every journal that is still there has a words file that is done, and a row for each final line."""
    if settings.TRANSCRIBER == "none":
        return True
    for journal in settings.JOURNAL_DIR.glob("*.journal"):
        with Reader(journal.with_suffix(SUFFIX)) as reader:
            lines = list(iter(reader.read, []))
        flat = [line for chunk in lines for line in chunk]
        finals = sum(line["kind"] == "final" and bool(line.get("text")) for line in flat)
        is_done = any(line["kind"] == "done" for line in flat)
        if not is_done or Utterance.objects.filter(stream_sid=journal.stem).count() < finals:
            return False
    return True
