"""Final lines of a words file become utterances: from stream time to call time, once each."""

from collections.abc import Sequence
from pathlib import Path

from calls.events import Change
from calls.services import speaking, transcript
from streams.models import Stream
from streams.wordfile import Line, Reader, words_path

__all__ = ["collect", "said", "store", "turned"]


def store(*, sid: str, lines: Sequence[Line], into: Change | None = None) -> int:
    """Store the final lines of a stream that are not stored yet; how many that were.

    Lines of a stream without a row are dropped: its call was never let in, or has been erased.
    """
    stream = Stream.objects.select_related("leg").filter(sid=sid).first()
    if stream is None:
        return 0
    spoken = [_in_call_time(stream, line) for line in lines if _is_whole(line)]
    return transcript.add(lines=spoken, into=into) if spoken else 0


def said(*, sid: str, number: int, start_ms: int, end_ms: int, text: str, into: Change) -> None:
    """Store one line of the voice on this stream, as far as the caller has heard it."""
    stream = Stream.objects.select_related("leg").filter(sid=sid).first()
    if stream is None:
        return
    line = transcript.Line(
        call_id=stream.leg.call_id,
        stream_sid=sid,
        track="outbound",
        number=number,
        start_ms=stream.call_ms(start_ms),
        end_ms=stream.call_ms(end_ms),
        text=text,
        leg_kind=stream.leg.kind,
    )
    speaking.said(lines=[line], into=into)


def turned(*, sid: str, number: int, spoken_ms: int, gap_ms: int, into: Change) -> None:
    """Store how quickly the voice on this stream answered."""
    stream = Stream.objects.select_related("leg").filter(sid=sid).first()
    if stream is not None:
        at = stream.call_ms(spoken_ms)
        turn = speaking.Answered(stream.leg.call_id, sid, number, at, gap_ms)
        speaking.turned(turns=[turn], into=into)


def collect(journal: Path) -> tuple[list[Line], bool]:
    """All final lines beside a journal, and whether the engine has said that no more will come."""
    finals: list[Line] = []
    done = False
    with Reader(words_path(journal)) as reader:
        while lines := reader.read():
            finals.extend(line for line in lines if line["kind"] == "final")
            done = done or any(line["kind"] == "done" for line in lines)
    return finals, done


def _is_whole(line: Line) -> bool:
    return {"track", "number", "start_ms", "end_ms", "text"} <= line.keys()


def _in_call_time(stream: Stream, line: Line) -> transcript.Line:
    return transcript.Line(
        call_id=stream.leg.call_id,
        stream_sid=stream.sid,
        track=line["track"],
        number=line["number"],
        start_ms=stream.call_ms(line["start_ms"]),
        end_ms=stream.call_ms(line["end_ms"]),
        text=line["text"],
        confidence=line.get("confidence"),
        words=line.get("words") or [],
        leg_kind=stream.leg.kind,
    )
