"""What of an AI agent's turn is ours and no provider's.

A caller speaks with a voice over a provider of our own (`bench/peers/openai_realtime.py`), which says by the
wall clock when the caller's last loud frame reached it and when the first sound of its answer left it. The
emulator says when it sent that frame and when our first sound came. The way there and the way back are ours.
"""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bench import web
from bench.heard import percentile
from bench.machine import ROOT
from bench.product import ACCOUNT, TOKEN, free_port, product
from streams.audio import FRAME_BYTES, FRAME_MS
from streams.engines.recording import read

__all__ = ["Ours", "measure"]

RECORDINGS = ROOT / "emulator" / "recordings"
NUMBER = "+15550103"
SAID = ("cmd_today.wav", "say_yes.wav", "cmd_230pm.wav", "say_person.wav", "say_call_me_back.wav")
ROUNDS = 6
LEAST_TURNS = 20
CALL_S = 240
SCRIPT = {
    "caller": {
        "name": "Bench",
        "does": [
            {"play": SAID[0], "after": 3},
            *(
                step
                for name in (SAID * ROUNDS)[1:]
                for step in ({"wait": "prompt"}, {"wait": "quiet"}, {"play": name, "after": 0.3})
            ),
            {"wait": "prompt"},
            {"hang_up": True, "after": 3},
        ],
    },
    "patience": 60,
}
# A process loads OpenAI's client with its first call, which takes seconds on a busy machine.
FIRST = {"caller": {"name": "Bench", "does": [{"hang_up": True, "after": 8}]}}
_SEED = f"""
from calls.models import Voice
voice = Voice.objects.create(name="Agent", kind="realtime", text="Beep.", settings={{"greet": False}})
PhoneNumber.objects.create(e164="{NUMBER}", label="Agent", destination="voice", voice=voice)
"""


@dataclass
class Ours:
    """In ms, by turn: to the provider, and back from it."""

    there: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)
    unanswered: int = 0
    late_p99_ms: float | None = None

    @property
    def both(self) -> list[float]:
        """Of each turn, what is ours."""
        return [there + back for there, back in zip(self.there, self.back, strict=True)]

    def figures(self) -> dict[str, Any]:
        """As in the report of `bench voice`."""
        facts = {
            "turns": len(self.both),
            "unanswered": self.unanswered,
            "to_provider": _p50_p95(self.there),
            "from_provider": _p50_p95(self.back),
            "late_p99_ms": self.late_p99_ms,
        }
        p50, p95 = _p50_p95(self.both)
        return {
            "ours_p50_ms": {"value": p50, "unit": "ms", "peers": {}},
            "ours_p95_ms": {"value": p95, "unit": "ms", "peers": {}, **facts},
        }


def _p50_p95(values: list[float]) -> list[float | None]:
    return [percentile(values, 50), percentile(values, 95)]


def measure() -> Ours:
    """One conversation in real time, of some 30 turns."""
    phone = f"http://127.0.0.1:{free_port()}"
    with _started("bench.peers.openai_realtime") as provider:
        port = provider["port"]
        settings = {
            "TWILIO_API_URL": phone,
            "TRANSCRIBER": "embedded",
            "OPENAI_API_KEY": "of nobody",
            "OPENAI_REALTIME_URL": f"ws://127.0.0.1:{port}/v1",
        }
        with product("daphne", settings=settings, seed=_SEED) as site:
            account = ("--account-sid", ACCOUNT, "--auth-token", TOKEN)
            with _started("emulator", "--port", phone.rpartition(":")[2], "--target", site.url, *account):
                _call(phone, FIRST)
                truth, call = _call(phone, SCRIPT)
                turns = web.get(f"http://127.0.0.1:{port}/turns")
                found = _measured(call, turns)
    found.late_p99_ms = truth["late_p99_ms"]
    if len(found.both) < LEAST_TURNS:
        raise SystemExit(f"Only {len(found.both)} turns with a provider, {found.unanswered} unanswered.")
    return found


@contextmanager
def _started(module: str, *flags: str) -> Iterator[dict[str, Any]]:
    """A process, and the line by which it says that it is there."""
    command = [sys.executable, "-m", module, *flags]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"{module} did not start.")
            yield json.loads(line)
        finally:
            process.terminate()
            process.communicate()


def _call(phone: str, script: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Place it and wait for its end; the emulator's log, and the call in it."""
    caller = {"from": "+15552000000", "to": NUMBER, "script": script}
    sid = web.post(f"{phone}/emulator/calls/", caller)["call_sid"]
    limit = time.monotonic() + CALL_S
    while True:
        truth = web.get(f"{phone}/emulator/log/")
        call = next(one for one in truth["calls"] if one["call_sid"] == sid)
        if call["ended"] or time.monotonic() > limit:
            return truth, call
        time.sleep(2)


def _measured(call: dict[str, Any], turns: list[dict[str, Any]]) -> Ours:
    found = Ours()
    for stream in call["streams"]:
        if stream["direction"] == "bidirectional" and stream["played"]:
            _measure(stream, turns, found)
    return found


def _measure(stream: dict[str, Any], turns: list[dict[str, Any]], found: Ours) -> None:
    """One stream: each recording against the provider's turn that ended with a frame of it.

    On a machine that is too busy our sound stutters, and callers speak over it: that is no turn.
    """
    begins = [_unix_ms(piece) for piece in stream["played"]]
    nexts = [*begins[1:], float("inf")]
    for piece, begin, until in zip(stream["played"], begins, nexts, strict=True):
        turn = next((turn for turn in turns if begin <= turn["came_ms"] < until), None)
        place = turn and _place_ms(piece["file"], turn["frame"])
        answer = turn and _first_sound(stream, turn["sent_ms"], until)
        if turn is None or place is None or answer is None:
            found.unanswered += 1
            continue
        frame_ms = begin - piece["file_from_ms"] + place
        found.there.append(turn["came_ms"] - frame_ms)
        found.back.append(answer - turn["sent_ms"])


def _unix_ms(piece: dict[str, Any]) -> float:
    """When the emulator sent the first frame of a piece."""
    return datetime.fromisoformat(piece["from_at"]).timestamp() * 1000


def _first_sound(stream: dict[str, Any], begin: float, until: float) -> float | None:
    """When our first sound between two times had come, Unix ms: at the end of the emulator's 20 ms."""
    piece = stream["played"][0]
    zero = _unix_ms(piece) - piece["stream_from_ms"] + stream["first_ms"]
    times = (zero + one["at_ms"] for one in stream["commands"] if one["event"] == "media")
    return next((at for at in times if begin <= at < until), None)


def _place_ms(name: str, frame: str) -> int | None:
    """Where in a recording a frame is, known by its sound; None when it is of another one."""
    sound, wanted = read(RECORDINGS / name).channels[0], base64.b64decode(frame)
    places = [at for at in range(0, len(sound), FRAME_BYTES) if sound[at : at + FRAME_BYTES] == wanted]
    return places[-1] // FRAME_BYTES * FRAME_MS if places else None
