"""`bench voice`: how soon a voice answers, what of it is ours, how soon it stops, what listening costs.

Callers of the demo speak with its self-service flow by recordings of people: they interrupt the menu, ask for
a call back, say day, time and yes, and begin again. The emulator's log is the judge: it says where in the
stream each recording was played, and when the first sound of each answer and each `clear` reached it.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from bench import interrupting, ours, web
from bench.heard import percentile
from bench.machine import ROOT
from calls.briefing import Briefing
from streams.audio import FRAME_BYTES, FRAME_MS, level
from streams.engines.install import model_dir
from streams.engines.recording import read
from streams.live.outlet import Outlet
from streams.live.runner import Part, Runner, Told
from streams.session import Session
from streams.voices import bargein
from streams.voices.base import Talk

__all__ = ["figures"]

RECORDINGS = ROOT / "emulator" / "recordings"
NUMBER = "+442079460103"  # the demo's, which a voice answers
CALLERS = 2
ROUNDS = 4  # of each caller: five turns and one interruption
STAGGER_S = 2.7
CALL_S = 240
LEAST_TURNS = 30
UNDER_DB = 20.0  # speech is what lies less than this under a recording's loudest frame
PROMPT: dict[str, Any] = {"wait": "prompt"}
QUIET: dict[str, Any] = {"wait": "quiet"}


def _after(prompt: str, seconds: float = 0.3) -> list[dict[str, Any]]:
    return [PROMPT, QUIET, {"play": prompt, "after": seconds}]


# Welcome and menu are one prompt to the ear; it is interrupted by what it asks for.
ROUND = [
    PROMPT,
    {"play": "say_call_me_back.wav", "after": 2.5},
    QUIET,
    *_after("cmd_today.wav"),
    *_after("say_yes.wav"),
    *_after("cmd_230pm.wav"),
    *_after("say_yes.wav"),
    *_after("say_yes.wav"),
]
SCRIPT = {
    "caller": {"name": "Bench", "does": [*ROUND * ROUNDS, {"hang_up": True, "after": 3}]},
    "patience": 60,
}


@dataclass
class Measured:
    """In ms: from the end of the caller's speech to our sound, from their first speech to our `clear`."""

    turns: list[float] = field(default_factory=list)
    clears: list[float] = field(default_factory=list)
    unanswered: int = 0
    late_p99_ms: float | None = None


def figures(args: argparse.Namespace) -> dict[str, Any]:
    """The figures of `bench voice`; progress on standard error."""
    listening = _cost(bargein.listener(model_dir()))
    heard = interrupting.measure()
    _say(f"a frame: {listening:.0f} µs; {len(heard.delays)} times speech was heard, {heard.missed} not")
    found = _conversations()
    if len(found.turns) < LEAST_TURNS:
        raise SystemExit(f"Only {len(found.turns)} turns could be measured, {found.unanswered} unanswered.")
    provided = ours.measure()
    _say(f"with a provider there {provided.there}, back {provided.back} ms")
    return {
        "turn_p50_ms": _figure(percentile(found.turns, 50), "ms"),
        "turn_p95_ms": _figure(percentile(found.turns, 95), "ms"),
        "turns": {**_figure(len(found.turns), "turns"), "unanswered": found.unanswered},
        "barge_in_p50_ms": _figure(percentile(found.clears, 50), "ms"),
        "barge_in_p95_ms": _figure(percentile(found.clears, 95), "ms"),
        **provided.figures(),
        "interruptions": _figure(len(found.clears), "times"),
        "speech_decided_p50_ms": _figure(percentile(heard.delays, 50), "ms"),
        "speech_decided_p95_ms": {
            **_figure(percentile(heard.delays, 95), "ms"),
            "times": len(heard.delays),
            "missed": heard.missed,
        },
        "interrupted_by_noise": {**_figure(len(heard.false), "times"), "by": heard.false},
        "voice_frame_us": _figure(round(listening), "µs"),
        "voice_frame_without_ear_us": _figure(round(_cost(None), 1), "µs"),
        "_late_p99_ms": found.late_p99_ms,
    }


def _figure(value: Any, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "peers": {}}


# -- conversations -----------------------------------------------------------------------------------


def _conversations() -> Measured:
    """Callers side by side, in real time."""
    with tempfile.TemporaryDirectory(prefix="bench-voice-") as directory, _demo(Path(directory)) as told:
        emulator = told["emulator"]["url"]
        calls = []
        for number in range(CALLERS):
            caller = {"from": f"+4477009005{number:02}", "to": NUMBER, "script": SCRIPT}
            calls.append(web.post(f"{emulator}/emulator/calls/", caller)["call_sid"])
            time.sleep(STAGGER_S)
        limit = time.monotonic() + CALL_S
        while time.monotonic() < limit:
            truth = web.get(f"{emulator}/emulator/log/")
            mine = [call for call in truth["calls"] if call["call_sid"] in calls]
            if all(call["ended"] for call in mine):
                break
            time.sleep(2)
        return _measured(truth, mine)


@contextmanager
def _demo(directory: Path) -> Iterator[dict[str, Any]]:
    """The demo without calls of its own, on data of its own."""
    command = [sys.executable, "manage.py", "demo", "--calls", "0", "--port", "0", "--json"]
    command += ["--seconds", "900", "--directory", str(directory / "demo")]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise SystemExit("The demo did not start.")
        try:
            yield json.loads(line)
        finally:
            process.terminate()
            process.stdout.read()


def _measured(truth: dict[str, Any], calls: list[dict[str, Any]]) -> Measured:
    found = Measured(late_p99_ms=truth["late_p99_ms"])
    for call in calls:
        for stream in call["streams"]:
            if stream["direction"] == "bidirectional" and stream["played"]:
                _measure(stream, found)
    return found


def _measure(stream: dict[str, Any], found: Measured) -> None:
    """One stream: what was said in it, each piece against what we did after it."""
    said = [_spoken(piece) for piece in stream["played"]]
    nexts = [start for start, _ in said[1:]] + [stream["last_ms"]]
    before = len(found.turns), len(found.clears)
    for (start, end), until in zip(said, nexts, strict=True):
        if _is_playing(stream, start) and (clear := _first(stream, "clear", start, until)):
            found.clears.append(clear - start)
        if _is_playing(stream, end):
            continue  # nothing of it was an answer
        answer = _first(stream, "media", end, until)
        if answer is None:
            found.unanswered += 1
        else:
            found.turns.append(answer - end)
    _say(f"turns {found.turns[before[0] :]}, interruptions {found.clears[before[1] :]} ms")


def _spoken(piece: dict[str, Any]) -> tuple[float, float]:
    """When the speech of a recording began and ended, in ms of the stream."""
    first, last = _speech(piece["file"])
    zero = piece["stream_from_ms"] - piece["file_from_ms"]
    return zero + first, zero + last


def _speech(name: str) -> tuple[int, int]:
    """Begin of the first and end of the last frame of speech in a recording, in ms: by its loudness."""
    sound = read(RECORDINGS / name).channels[0]
    loud = [level(sound[at : at + FRAME_BYTES]).rms_dbfs for at in range(0, len(sound), FRAME_BYTES)]
    speech = [number for number, one in enumerate(loud) if one > max(loud) - UNDER_DB]
    return speech[0] * FRAME_MS, (speech[-1] + 1) * FRAME_MS


def _is_playing(stream: dict[str, Any], at: float) -> bool:
    """Whether the caller hears us at this time of the stream: a mark of ours has not come back."""
    count = {"mark": 1, "mark-returned": -1}
    return sum(count.get(one["event"], 0) for one in _commands(stream) if one["at_ms"] <= at) > 0


def _commands(stream: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What we sent, by the time of the stream."""
    return ({**one, "at_ms": one["at_ms"] + stream["first_ms"]} for one in stream["commands"])


def _first(stream: dict[str, Any], event: str, begin: float, end: float) -> float | None:
    """When the first such command between two times of the stream came."""
    times = (one["at_ms"] for one in _commands(stream) if one["event"] == event)
    return next((at for at in times if begin < at < end), None)


# -- what a frame costs ------------------------------------------------------------------------------


class _Silent:
    """A voice that only listens."""

    wants_frames: ClassVar[bool] = False
    wants_words: ClassVar[bool] = True

    async def talk(self, call: Talk) -> None:
        await call.hear()


def _cost(ear: bargein.Listener | None) -> float:
    """CPU of one frame in a conversation, in µs, on speech: the runner with its ear, or without one."""
    sound = read(RECORDINGS / "jfk.wav").channels[0]
    frames = [sound[at : at + FRAME_BYTES] for at in range(0, len(sound), FRAME_BYTES)]
    return asyncio.run(_hear(ear, frames))


async def _hear(ear: bargein.Listener | None, frames: list[bytes]) -> float:
    nothing: Callable[..., None] = lambda *_: None  # noqa: E731
    part = Part(_Silent(), Briefing(0, "", ""), office=None, speaker=None, ear=ear)  # type: ignore[arg-type]
    told = Told(nothing, nothing, nothing, nothing, nothing)
    runner = Runner(Session("bidirectional"), Outlet(), part, told)
    runner.begin()
    began = time.process_time()
    for number, frame in enumerate(frames):
        runner.hear(frame, number * FRAME_MS)
    used = time.process_time() - began
    runner.end()
    return 1e6 * used / len(frames)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
