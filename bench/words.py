"""`bench words`: how right the words are, that noises have none, and how soon they are there in real time.

The engine runs as the process that it is in service, on a journal directory; sound comes in by journals and
words go out by words files. Accuracy is measured at the speed the engine can follow, on every recording that
has a reference; times are measured with calls in real time, at the words file and on a supervisor's screen.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import screen
from bench.heard import Latencies, Spoken, latencies, percentile
from bench.machine import ROOT, cpu_seconds
from bench.noises import NOISES
from streams import journal, wordfile
from streams.engines.recording import read
from streams.scoring import Score, score, total

__all__ = ["figures"]

RECORDINGS = ROOT / "emulator" / "recordings"
LIVE = "conversation.wav"
CALLS = 5
STAGGER_S = 1.3  # between the calls' beginnings, so that they do not speak in chorus
FRAME_S = 0.02
DONE_S = 600
KINDS = (journal.INBOUND, journal.OUTBOUND)
TRACKS = ("inbound", "outbound")


@dataclass
class Call:
    """One stream of the measurement: the sound of its tracks, its journal, the lines with their arrival."""

    name: str
    tracks: tuple[bytes, ...]
    writer: journal.Writer
    reader: wordfile.Reader
    begun: float = 0.0
    sent: int = 0
    lines: list[tuple[float, wordfile.Line]] = field(default_factory=list)

    @property
    def frames(self) -> int:
        """Frames of its longest track."""
        return -(-max(len(track) for track in self.tracks) // 160)

    @property
    def done(self) -> bool:
        """Whether its engine has said that nothing more will come."""
        return bool(self.lines) and self.lines[-1][1]["kind"] == "done"

    def send(self) -> None:
        """The next frame of each track."""
        for kind, track in zip(KINDS, self.tracks, strict=False):
            frame = track[self.sent * 160 : self.sent * 160 + 160]
            if frame:
                self.writer.append(kind, self.sent * 20, self.sent, frame)
        self.sent += 1
        if self.sent == self.frames:
            self.writer.finish("stop", {})

    def listen(self) -> None:
        """Take the lines that have come."""
        now = time.monotonic()
        self.lines += [(now, line) for line in self.reader.read()]

    def text(self, track: str) -> str:
        """The final lines of a track."""
        finals = [line for _, line in self.lines if line["kind"] == "final" and line["track"] == track]
        return " ".join(line["text"] for line in sorted(finals, key=lambda line: line["start_ms"]))


def figures(args: argparse.Namespace) -> dict[str, Any]:
    """The figures of `bench words`; progress on standard error."""
    manifest = json.loads((RECORDINGS / "manifest.json").read_bytes())["files"]
    scores, speed = _accuracy(manifest)
    invented = _noises()
    live = _live(manifest[LIVE])
    _say(f"on screen: {CALLS} calls through the whole product")
    shown = screen.measure()
    whole = total(scores.values())
    return {
        "word_error_rate": {
            **_figure(_rounded(whole), "errors per word"),
            "words": whole.words,
            "recordings": {name: _rounded(one) for name, one in scores.items()},
        },
        "word_error_rate_in_real_time": _figure(_rounded(total(live.scores)), "errors per word"),
        "words_on_noise_and_tones": _figure(sum(invented.values()), "words"),
        **_soon("word_on_screen", shown.words),
        **_soon("final_after_last_word", shown.finals),
        **_soon("word_in_file", live.words),
        **_soon("final_in_file", live.finals),
        "calls_with_words_per_core": {
            **_figure(round(CALLS * 90 / live.core_percent, 1), "calls"),
            "calls": CALLS,
            "core_percent": live.core_percent,
        },
        "finals_only_times_real_time": _figure(speed, "x"),
        "_late_p99_ms": percentile(live.late, 99),
    }


def _soon(name: str, delays: list[float]) -> dict[str, Any]:
    """Median and 95th percentile of delays in ms."""
    return {f"{name}_p{part}_ms": _figure(percentile(delays, part), "ms") for part in (50, 95)}


def _figure(value: Any, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "peers": {}}


def _rounded(counts: Score) -> float | None:
    return None if counts.rate is None else round(counts.rate, 4)


def _accuracy(manifest: dict[str, Any]) -> tuple[dict[str, Score], float]:
    """The score of each recording with a reference, and how many times faster than real time it was heard."""
    said = {name: texts for name, entry in manifest.items() if (texts := _references(entry))}
    sound = {name: read(RECORDINGS / name).channels for name in said}
    _say(f"accuracy: {len(said)} recordings")
    began = time.monotonic()
    with _engine(0) as bench:
        calls = bench.run({name: sound[name] for name in said})
    took = time.monotonic() - began
    scores = {
        call.name: total(
            score(text, call.text(track)) for text, track in zip(said[call.name], TRACKS, strict=False)
        )
        for call in calls
    }
    seconds = sum(len(track) for tracks in sound.values() for track in tracks) / 8000
    return scores, round(seconds / took, 1)


def _references(entry: dict[str, Any]) -> list[str]:
    """What was said on each channel; [] without a reference or without speech."""
    if entry.get("text"):
        return [entry["text"]]
    turns = entry.get("turns") or []
    names = entry.get("channel_names") or []
    return [" ".join(turn["text"] for turn in turns if turn["track"] == name) for name in names if turns]


def _noises() -> dict[str, int]:
    """Words heard in each noise of a telephone line."""
    sound: dict[str, tuple[bytes, ...]] = {name: (make(),) for name, make in NOISES.items()}
    sound["dishes"] = (read(RECORDINGS / "noise_dishes.wav").channels[0],)
    _say(f"noise and tones: {len(sound)}")
    with _engine(0) as bench:
        return {call.name: len(call.text("inbound").split()) for call in bench.run(sound)}


@dataclass
class Live(Latencies):
    """Latencies of the calls in real time, what the engine used, and how late the sound was sent."""

    core_percent: float = 0.0
    scores: list[Score] = field(default_factory=list)
    late: list[float] = field(default_factory=list)


def _live(entry: dict[str, Any]) -> Live:
    """Calls side by side in real time, both tracks, partials each second."""
    tracks = read(RECORDINGS / LIVE).channels
    _say(f"real time: {CALLS} calls of {entry['duration']:.0f} s")
    live = Live([], [])
    with _engine(1000) as bench:
        calls = [bench.call(f"{LIVE} {number}", tracks) for number in range(CALLS)]
        used = cpu_seconds(bench.process.pid)
        began = time.monotonic()
        live.late = bench.play(calls)
        live.core_percent = round(
            100 * (cpu_seconds(bench.process.pid) - used) / (time.monotonic() - began), 1
        )
        bench.finish(calls)
    for call in calls:
        for name, track in zip(entry["channel_names"], TRACKS, strict=True):
            spoken = [
                Spoken(word["w"], call.begun + word["end"])
                for turn in entry["turns"]
                if turn["track"] == name
                for word in turn["words"]
            ]
            found = latencies(spoken, [each for each in call.lines if each[1].get("track") == track])
            live.scores.append(score(" ".join(each.word for each in spoken), call.text(track)))
            live.words += found.words
            live.finals += found.finals
    return live


class Bench:
    """An engine process with its journal directory."""

    def __init__(self, directory: Path, process: subprocess.Popen[bytes], stack: ExitStack) -> None:
        self.directory, self.process = directory, process
        self._stack, self._count = stack, 0

    def call(self, name: str, tracks: tuple[bytes, ...]) -> Call:
        """A stream that the engine will find."""
        self._count += 1
        sid = f"MZ{self._count:032x}"
        head = {"call": f"CA{self._count:032x}", "tracks": list(TRACKS), "words": True}
        writer = journal.Writer.create(self.directory, sid, head)
        self._stack.callback(writer.close)
        reader = self._stack.enter_context(wordfile.Reader(wordfile.words_path(writer.path)))
        return Call(name, tracks, writer, reader)

    def run(self, sound: dict[str, tuple[bytes, ...]]) -> list[Call]:
        """Everything at once, as fast as the engine can follow."""
        calls = [self.call(name, tracks) for name, tracks in sound.items()]
        for call in calls:
            for _ in range(call.frames):
                call.send()
        self.finish(calls)
        return calls

    def play(self, calls: list[Call]) -> list[float]:
        """In real time; how late each frame was, in ms."""
        late: list[float] = []
        start = time.monotonic() + 0.5
        for number, call in enumerate(calls):
            call.begun = start + number * STAGGER_S
        while any(call.sent < call.frames for call in calls):
            for call in calls:
                due = call.begun + (call.sent + 1) * FRAME_S
                if call.sent < call.frames and time.monotonic() >= due:
                    late.append((time.monotonic() - due) * 1000)
                    call.send()
                call.listen()
            time.sleep(0.002)
        return late

    def finish(self, calls: list[Call]) -> None:
        """Wait until every line is there."""
        limit = time.monotonic() + DONE_S
        while not all(call.done for call in calls):
            if self.process.poll() is not None or time.monotonic() > limit:
                raise SystemExit(
                    "the engine did not finish; are the models installed? manage.py speech install"
                )
            for call in calls:
                call.listen()
            time.sleep(0.005)


@contextmanager
def _engine(partial_ms: int) -> Iterator[Bench]:
    """An engine process on a new directory, stopped at the end."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-words-")))
        command = [sys.executable, "-m", "streams.engines.run", "--engine", "embedded", "--follow-parent"]
        process = stack.enter_context(
            subprocess.Popen(
                [*command, "--journal", str(directory), "--partial-ms", str(partial_ms)],
                cwd=ROOT,
                stderr=subprocess.DEVNULL,
            )
        )
        stack.callback(process.terminate)
        yield Bench(directory, process, stack)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
