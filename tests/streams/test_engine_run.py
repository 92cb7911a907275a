"""The engine process on a directory of journals: claimed, resumed, finished; mostly scripted words."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams import journal, wordfile
from streams.engines import registry
from streams.engines.base import Options
from streams.engines.registry import make
from streams.engines.run import LIST_S, Runner
from streams.scoring import normalise
from tests.streams.sounds import MODELS, frames, quiet, recorded, tone
from tests.streams.waiting import until
from tools.house import ROOT

SID = "MZ" + "1" * 32
BUSY = {"words": True, "tracks": ["inbound", "outbound"], "language": "en-US"}


class Bench:
    """A journal directory, a runner on it, and a clock that moves with each turn."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.now = 100.0
        self.runner = self.another()

    def another(self) -> Runner:
        """A second engine process, as far as the files can tell."""
        return Runner(self.directory, make("scripted", Options(MODELS)))

    def turn(self, runner: Runner | None = None, seconds: float = LIST_S) -> None:
        """Let time pass, and one turn happen."""
        self.now += seconds
        (runner or self.runner).turn(self.now)

    def stream(self, sid: str = SID, **head: object) -> journal.Writer:
        """A new stream whose media process holds its journal."""
        return journal.Writer.create(self.directory, sid, {**BUSY, **head})

    def lines(self, sid: str = SID) -> list[wordfile.Line]:
        """Everything in a stream's words file."""
        with wordfile.Reader(wordfile.words_path(journal.journal_path(self.directory, sid))) as reader:
            return reader.read()

    def finals(self, sid: str = SID) -> list[tuple[str, int, str]]:
        """Track, number and text of each final line."""
        found = (line for line in self.lines(sid) if line["kind"] == "final")
        return [(line["track"], line["number"], line["text"]) for line in found]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.runner.close()


def speak(writer: journal.Writer, sound: bytes, at_ms: int = 0, kind: int = journal.INBOUND) -> None:
    for number, (frame, ms) in enumerate(frames(sound)):
        writer.append(kind, at_ms + ms, number, frame)


def test_a_stream_is_found_heard_and_done(bench: Bench) -> None:
    writer = bench.stream()
    speak(writer, tone(2, 440) + quiet(1))
    bench.turn()
    assert bench.finals() == [("inbound", 1, "one two")]
    writer.finish("stop", {})
    bench.turn()
    assert bench.lines()[-1] == {"kind": "done", "offset": writer.offset}
    assert not bench.runner.busy


def test_both_tracks_have_their_own_utterances(bench: Bench) -> None:
    writer = bench.stream()
    speak(writer, tone(1, 440) + quiet(1))
    speak(writer, tone(3, 440) + quiet(1), kind=journal.OUTBOUND)
    bench.turn()
    bench.turn()
    assert bench.finals() == [("inbound", 1, "one"), ("outbound", 1, "one two three")]


def test_what_we_send_keys_and_marks_are_not_heard(bench: Bench) -> None:
    writer = bench.stream()
    speak(writer, tone(2, 440) + quiet(1), kind=journal.SENT)
    writer.append(journal.KEY, 3000, 0, b"*")
    writer.append(journal.MARK, 3000, 0, b"hello")
    writer.finish("stop", {})
    bench.turn()
    assert [line["kind"] for line in bench.lines()] == ["done"]


def test_a_stream_that_wants_no_words_is_left_alone(bench: Bench) -> None:
    speak(bench.stream(words=False), tone(2, 440) + quiet(1))
    bench.turn()
    assert not bench.runner.busy
    assert not list(bench.directory.glob("*.words"))


def test_a_stream_has_one_engine_and_the_next_takes_over_when_it_is_gone(bench: Bench) -> None:
    writer, second = bench.stream(), bench.another()
    bench.turn()
    bench.turn(second)
    assert bench.runner.busy
    assert not second.busy
    bench.runner.close()
    speak(writer, tone(1, 440) + quiet(1))
    bench.turn(second)
    second.close()
    assert bench.finals() == [("inbound", 1, "one")]


@pytest.mark.parametrize("cut", range(20, 400, 37))
def test_a_restarted_engine_leaves_no_hole_and_hears_nothing_twice(bench: Bench, cut: int) -> None:
    spoken = tone(2, 440) + quiet(1) + tone(1, 440) + quiet(1) + tone(2, 440) + quiet(1)
    pieces = frames(spoken)
    writer = bench.stream()
    for number, (frame, ms) in enumerate(pieces[:cut]):
        writer.append(journal.INBOUND, ms, number, frame)
    bench.turn()
    bench.runner.close()
    bench.runner = bench.another()
    for number, (frame, ms) in enumerate(pieces[cut:], start=cut):
        writer.append(journal.INBOUND, ms, number, frame)
    writer.finish("stop", {})
    for _ in range(4):
        bench.turn()
    assert bench.finals() == [("inbound", 1, "one two"), ("inbound", 2, "one"), ("inbound", 3, "one two")]
    starts = [line["start_ms"] for line in bench.lines() if line["kind"] == "final"]
    assert starts == [0, 3000, 5000]


def test_the_offset_of_a_final_is_where_its_track_goes_on(bench: Bench) -> None:
    writer = bench.stream()
    speak(writer, tone(1, 440) + quiet(1))
    bench.turn()
    final = next(line for line in bench.lines() if line["kind"] == "final")
    with journal.Reader(writer.path, final["offset"]) as reader:
        assert reader.read()[0].timestamp_ms == 1480 + 20


def test_a_late_engine_catches_up(bench: Bench) -> None:
    writer = bench.stream()
    for minute in range(5):
        speak(writer, tone(1, 440) + quiet(59), at_ms=60_000 * minute)
    writer.finish("stop", {})
    for _ in range(60):
        bench.turn()
    assert [number for _, number, _ in bench.finals()] == [1, 2, 3, 4, 5]
    assert bench.lines()[-1]["kind"] == "done"


def test_a_pause_ends_what_is_being_said(bench: Bench) -> None:
    writer = bench.stream()
    speak(writer, tone(1, 440))
    writer.pause(1000, paused=True)
    bench.turn()
    assert bench.finals() == [("inbound", 1, "one")]


def test_what_is_said_while_a_person_has_stopped_the_words_is_never_heard(bench: Bench) -> None:
    writer = bench.stream()
    speak(writer, tone(1, 440))
    writer.words(1000, False)
    speak(writer, tone(5, 440) + quiet(1), at_ms=1000)
    bench.turn()
    assert bench.finals() == [("inbound", 1, "one")]
    writer.words(7000, True)
    writer.append(journal.INBOUND, 6980, 900, tone(1, 440)[:160])  # late: of the time without words
    speak(writer, tone(2, 440) + quiet(1), at_ms=7000)
    bench.turn()
    bench.turn()
    assert bench.finals() == [("inbound", 1, "one"), ("inbound", 2, "one two")]
    assert [line["start_ms"] for line in bench.lines() if line["kind"] == "final"] == [0, 7000]


@pytest.mark.parametrize("cut", range(0, 12, 2))
def test_an_engine_that_takes_over_hears_nothing_of_that_time_either(bench: Bench, cut: int) -> None:
    writer = bench.stream()
    steps = [lambda at: speak(writer, tone(1, 440) + quiet(1), at_ms=at)] * 6
    for number, step in enumerate(steps):
        if number == 2:
            writer.words(4000, False)
        if number == 4:
            writer.words(8000, True)
        step(2000 * number)
        if number == cut // 2:
            bench.turn()
            bench.runner.close()
            bench.runner = bench.another()
    writer.finish("stop", {})
    for _ in range(4):
        bench.turn()
    starts = [line["start_ms"] for line in bench.lines() if line["kind"] == "final"]
    assert starts == [0, 2000, 8000, 10_000]


def test_an_engine_says_how_far_it_has_heard_also_when_nobody_speaks(bench: Bench) -> None:
    writer = bench.stream()
    bench.turn()
    speak(writer, quiet(8))
    for _ in range(20):
        bench.turn()
    heard = [line["end_ms"] for line in bench.lines() if line["kind"] == "heard"]
    assert heard[-1] == 7980
    assert len(heard) < 4
    bench.runner.close()
    assert bench.finals() == []


def test_a_stream_that_was_given_up_is_tried_again_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streams.engines.scripted import ScriptedSession

    speak(bench.stream(), tone(1, 440) + quiet(1))
    with monkeypatch.context() as patch:
        patch.setattr(ScriptedSession, "feed", None)
        for _ in range(6):
            bench.turn()
    bench.turn()
    assert not bench.runner.busy
    bench.turn(seconds=31)
    assert bench.finals() == [("inbound", 1, "one")]


def test_the_languages_of_each_engine_are_known_without_loading_it() -> None:
    for name in registry.ENGINES:
        engine = make(name, Options(MODELS))
        assert tuple(engine.languages) == registry.LANGUAGES[name]
        engine.stop()
    assert registry.hears("embedded", "en-GB")
    assert not registry.hears("embedded", "nl")
    assert registry.hears("scripted", "nl")


def test_when_frames_stop_coming_the_line_is_ended(bench: Bench) -> None:
    speak(bench.stream(), tone(1, 440))
    bench.turn()
    assert bench.finals() == []
    bench.turn(seconds=1.5)
    assert bench.finals() == [("inbound", 1, "one")]


def test_a_torn_record_is_waited_for(bench: Bench) -> None:
    writer = bench.stream()
    speak(writer, tone(1, 440))
    whole = writer.path.read_bytes()
    writer.path.write_bytes(whole[:-50])
    bench.turn()
    writer.path.write_bytes(whole)
    speak(writer, quiet(1), at_ms=1000)
    bench.turn()
    assert bench.finals() == [("inbound", 1, "one")]


def test_words_wait_while_the_disk_is_full(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = bench.stream()
    bench.turn()
    speak(writer, tone(1, 440) + quiet(1))

    def full(self: wordfile.Writer, line: wordfile.Line) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(wordfile.Writer, "write", full)
        bench.turn()
    assert bench.finals() == []
    bench.turn()
    assert bench.finals() == [("inbound", 1, "one")]


def test_a_deleted_journal_is_let_go(bench: Bench) -> None:
    writer = bench.stream()
    bench.turn()
    writer.path.unlink()
    bench.turn()
    assert not bench.runner.busy


def test_one_bad_stream_does_not_stop_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from streams.engines.scripted import ScriptedSession

    feed = ScriptedSession.feed

    def fragile(self: ScriptedSession, ulaw: bytes, timestamp_ms: int) -> None:
        if ulaw == b"poison":
            raise RuntimeError("bad sound")
        feed(self, ulaw, timestamp_ms)

    monkeypatch.setattr(ScriptedSession, "feed", fragile)
    bad, good = "MZ" + "a" * 32, "MZ" + "b" * 32
    bench.stream(bad).append(journal.INBOUND, 0, 1, b"poison")
    speak(bench.stream(good), tone(1, 440) + quiet(1))
    for _ in range(6):
        bench.turn()
    assert bench.finals(good) == [("inbound", 1, "one")]
    assert len([record for record in caplog.records if record.message == "speech.stream.failed"]) == 3


def test_words_files_are_for_their_owner_alone(bench: Bench) -> None:
    writer = bench.stream()
    bench.turn()
    assert wordfile.words_path(writer.path).stat().st_mode & 0o777 == 0o600


def test_a_language_that_the_engine_does_not_hear_is_left_to_another(tmp_path: Path) -> None:
    class English:
        languages = ("en",)

    writer = journal.Writer.create(tmp_path, SID, {**BUSY, "language": "de-DE"})
    runner = Runner(tmp_path, English())  # type: ignore[arg-type]
    runner.turn(1.0)
    writer.close()
    assert not runner.busy
    assert not list(tmp_path.glob("*.words"))


# The process itself, with the real engine.


def command(directory: Path, *arguments: str) -> list[str]:
    own = ["--journal", str(directory), "--engine", "embedded"]
    return [sys.executable, "-m", "streams.engines.run", *own, *arguments]


def refused(directory: Path, *arguments: str, **environment: str) -> str:
    """What the engine says when it cannot start."""
    done = subprocess.run(
        command(directory, *arguments),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )
    assert done.returncode == 1
    return done.stderr


@contextmanager
def engine(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command(directory), cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def test_a_killed_engine_is_followed_by_another_which_ends_cleanly(bench: Bench) -> None:
    first, then = (recorded(name) + quiet(1) for name in ("cmd_brooklyn_bridge.wav", "cmd_weather.wav"))
    writer = bench.stream()
    speak(writer, first)
    with engine(bench.directory):
        until(lambda: bool(bench.finals()))
    speak(writer, then, at_ms=len(first) // 8)
    writer.finish("stop", {})
    with engine(bench.directory) as second:
        until(lambda: bench.lines()[-1]["kind"] == "done")
        second.send_signal(signal.SIGTERM)
        assert second.wait(10) == 0
    said = [(number, " ".join(normalise(text))) for _, number, text in bench.finals()]
    assert said == [(1, "how old is the brooklyn bridge"), (2, "whats the weather like")]


def test_an_engine_without_models_says_what_to_do(tmp_path: Path) -> None:
    assert "speech install" in refused(tmp_path, "--models", str(tmp_path))


@pytest.mark.parametrize("value", ["100", "often"])
def test_a_partial_interval_that_is_none_is_refused(tmp_path: Path, value: str) -> None:
    assert "ENGINE_PARTIAL_MS" in refused(tmp_path, ENGINE_PARTIAL_MS=value)
