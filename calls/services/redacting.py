"""New lines lose card numbers and security codes before they are stored, and so do those just before them.

People say a card number in groups and pause between; each group is a line of its own, and only the last one
shows what they were. Lines that were stored without it are changed and told again.
"""

from collections.abc import Sequence

from calls import redaction
from calls.events import Change
from calls.models import Utterance

__all__ = ["redact"]

_LOOK_BACK_MS = redaction.GOES_ON_MS + 15_000  # a line is at most 15 s long
_LINES = 8


def redact(told: Change, rows: Sequence[Utterance]) -> None:
    """Hide in these rows, not stored yet, and in the stored ones before them. One query more, and only for
    lines with a digit, written or spoken.
    """
    new = sorted((row for row in rows if redaction.has_digits(row.text)), key=_place)
    if not new:
        return
    stored = _before(new)
    lines = sorted([*stored, *rows], key=_place)
    changed = {id(line): line for row in new for line in _hide(row, lines)}
    for line in stored:
        if id(line) in changed:
            Utterance.objects.filter(pk=line.pk).update(text=line.text, words=line.words)
            key = f"{line.stream_sid}/{line.track}/{line.number}"
            told.emit(kind="utterance.hidden", noun="utterance", key=key, call=line.call_id)


def _before(new: Sequence[Utterance]) -> list[Utterance]:
    """What was said in their calls shortly before."""
    first, last = new[0].start_ms - _LOOK_BACK_MS, new[-1].start_ms
    calls = {row.call_id for row in new}
    return list(Utterance.objects.filter(call__in=calls, start_ms__gte=first, start_ms__lte=last))


def _place(row: Utterance) -> tuple[int, int]:
    return row.start_ms, row.number


def _hide(row: Utterance, lines: Sequence[Utterance]) -> list[Utterance]:
    """Hide in a row and in what the same person said right before; which lines were changed."""
    earlier = [line for line in lines if _place(line) < _place(row) and line.call_id == row.call_id]
    own = [line for line in earlier if _goes_on(line, row)][-_LINES:]
    asked = any(_is_asked(line, row) for line in earlier)
    group = [*own, row]
    row.words = redaction.hidden_words(row.words)
    texts = redaction.hidden_lines([line.text for line in group], asked=asked)
    changed = [(line, text) for line, text in zip(group, texts, strict=True) if line.text != text]
    for line, text in changed:
        line.text, words = text, redaction.hidden_words(line.words)
        # Words without anything to hide in a text that had: the number is complete only with other lines.
        line.words = words if _tells_of_hiding(words) else []
    return [line for line, _ in changed]


def _goes_on(line: Utterance, row: Utterance) -> bool:
    same = (line.stream_sid, line.track) == (row.stream_sid, row.track)
    return same and row.start_ms - line.end_ms <= redaction.GOES_ON_MS


def _is_asked(line: Utterance, row: Utterance) -> bool:
    return row.start_ms - line.end_ms <= redaction.ASKED_MS and redaction.asks_code(line.text)


def _tells_of_hiding(words: Sequence[object]) -> bool:
    return any(isinstance(word, dict) and word.get("text") in redaction.LABELS for word in words)
