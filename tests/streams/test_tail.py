"""`manage.py tail` shows a stream as the tutorial does, from another process than the one that holds it."""

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from streams.journal import INBOUND, Writer
from streams.management.commands import tail
from tests import factories
from tests.streams.journals import LOUD, journal


@pytest.fixture
def directory(settings: Any, tmp_path: Path) -> Path:
    settings.JOURNAL_DIR = tmp_path / "journal"
    found: Path = settings.JOURNAL_DIR
    return found


class Pauses:
    """Instead of waiting, what happens in the meantime, one after the other."""

    def __init__(self, *happenings: Any) -> None:
        self.happenings = list(happenings)

    def sleep(self, seconds: float) -> None:
        if not self.happenings:
            raise KeyboardInterrupt  # Ctrl-C
        self.happenings.pop(0)()


def shown(monkeypatch: pytest.MonkeyPatch, *arguments: str, meanwhile: tuple[Any, ...] = ()) -> list[str]:
    monkeypatch.setattr(tail, "time", Pauses(*meanwhile))
    out = io.StringIO()
    call_command("tail", *arguments, stdout=out)
    return out.getvalue().splitlines()


def end(writer: Writer) -> None:
    writer.finish("stop", {})


def test_it_shows_what_the_tutorial_shows(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sid = factories.sid("MZ")
    writer = journal(directory, sid, frames=25, sound=LOUD)

    text = shown(monkeypatch, sid, meanwhile=(lambda: end(writer),))

    assert text == [
        f"Connected: stream {sid} of call CA{'1' * 32}",
        "Start: tracks inbound, outbound; what is said is written down",
        f"First media message, track inbound. Payload is: {base64.b64encode(LOUD).decode()}",
        "That's 160 bytes",
        "Additional media messages are not shown",
        "Stopped: stop. Received a total of 50 media messages",
    ]
    writer.close()


def test_without_a_name_it_takes_the_stream_that_is_open(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = journal(directory, factories.sid("MZ"))
    ended.finish("stop", {})
    ended.close()
    open_one = journal(directory, factories.sid("MZ"))
    text = shown(monkeypatch, meanwhile=(lambda: end(open_one),))
    assert open_one.path.stem in text[0]
    open_one.close()


def test_it_waits_for_the_next_stream_and_for_what_it_brings(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Writer] = []
    sid = factories.sid("MZ")
    text = shown(
        monkeypatch,
        meanwhile=(
            lambda: None,
            lambda: made.append(journal(directory, sid, frames=0)),
            lambda: made[0].append(INBOUND, 0, 2, LOUD),
            lambda: end(made[0]),
        ),
    )
    assert text[0].startswith("Waiting for a stream")
    assert text[-1] == "Stopped: stop. Received a total of 1 media messages"
    made[0].close()


def test_ctrl_c_ends_it_without_a_word_of_python(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch) == ["Waiting for a stream. Call one of your numbers.", ""]


def test_it_ends_with_the_process_that_held_the_stream(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = journal(directory, factories.sid("MZ"))
    text = shown(monkeypatch, writer.path.stem, meanwhile=(writer.close,))
    assert text[-1] == "The process that held the stream has ended. No more will come."


@pytest.mark.parametrize("name", ["MZ" + "0" * 32, "../../secret_key", "tap"])
def test_a_stream_that_is_not_here_is_said_so(directory: Path, name: str) -> None:
    with pytest.raises(CommandError):
        call_command("tail", name)
