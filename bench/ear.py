"""`bench ear`: mouth to a supervisor's ear, and what listeners cost the server.

A caller of the demo plays short bursts of a tone; the emulator's log says when each was spoken. A real
browser (headless Chromium) listens to the call, and an ear behind the worklet, in the audio thread, notes the
sample with which each burst begins; the audio clock says when that sample leaves the loudspeaker
(`getOutputTimestamp`, the latency of the output included).
"""

import argparse
import json
import math
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
import wave
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench import listeners
from bench.heard import percentile
from bench.machine import ROOT
from bench.screen import Screen

__all__ = ["figures"]

BURSTS = 60
LEAST = 30
EVERY_MS = 1013  # no multiple of 20 ms, so that bursts fall everywhere in a frame
LEAD_MS = 2000
BURST_MS = 60
HERTZ = 1000
RATE = 8000
CALL = {"from": "+447700900199", "to": "+442079460100", "script": "bursts"}
WAIT_S = 60
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
# In the audio thread, behind the worklet: the context's time of each first loud sample after some silence.
ONSETS = """
registerProcessor("onsets", class extends AudioWorkletProcessor {
  quiet = 0;
  process([[samples]]) {
    for (let n = 0; samples && n < samples.length; n += 1) {
      if (Math.abs(samples[n]) < 0.02) this.quiet += 1;
      else {
        if (this.quiet > sampleRate / 4) this.port.postMessage((currentFrame + n) / sampleRate);
        this.quiet = 0;
      }
    }
    return true;
  }
});
"""
EAR = """
(() => {
  const Node = window.AudioWorkletNode;
  const source = "data:text/javascript," + encodeURIComponent(%s);
  window.onsets = [];
  window.AudioWorkletNode = class extends Node {
    constructor(context, ...rest) {
      super(context, ...rest);
      context.audioWorklet.addModule(source).then(() => {
        const ear = new Node(context, "onsets", { channelCount: 1, channelCountMode: "explicit",
          channelInterpretation: "discrete" });
        ear.port.onmessage = ({ data }) => {
          const { contextTime, performanceTime } = context.getOutputTimestamp();
          const at = performanceTime + (data - contextTime) * 1000 + Date.now() - performance.now();
          window.onsets.push({ at, latency: context.outputLatency * 1000 });
        };
        this.connect(ear);
      });
    }
  };
})()
"""
START = """async (facts) => {
  window.listening = (await import("/static/js/listen.js")).listening;
  window.listening.start(facts);
}"""
FACTS = """() => ({ onsets: window.onsets, state: window.listening.state, dropped: window.listening.dropped,
  report: window.listening.report, behind: window.listening.behindMs })"""


def figures(args: argparse.Namespace) -> dict[str, Any]:
    """The figures of `bench ear`; progress on standard error."""
    heard = _mouth_to_ear()
    print(f"ear: {[round(delay) for delay in heard['delays']]} ms", file=sys.stderr, flush=True)
    crowd = listeners.measure(args.seconds)
    delays = heard["delays"]
    return {
        "mouth_to_ear_p50_ms": _figure(percentile(delays, 50), "ms"),
        "mouth_to_ear_p95_ms": _figure(percentile(delays, 95), "ms"),
        "mouth_to_ear_most_ms": _figure(round(max(delays), 1), "ms"),
        "bursts_heard": {**_figure(len(delays), "bursts"), "spoken_meanwhile": heard["spoken"]},
        "output_latency_ms": _figure(round(heard["latency"], 1), "ms"),
        "said_behind_ms": _figure(heard["behind"], "ms"),
        "underruns": _figure(heard["underruns"], "times"),
        "left_out_ms": _figure(heard["dropped"], "ms"),
        **{name: _figure(value, unit) for name, (value, unit) in crowd.figures().items()},
        "_late_p99_ms": crowd.late_p99_ms,
    }


def _figure(value: Any, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "peers": {}}


def _mouth_to_ear() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="bench-ear-") as directory, _demo(Path(directory)) as told:
        call, sid = _call(told)
        facts = _listen(told, call)
        spoken = _spoken(told, sid)
    delays = sorted(_delays(spoken, [onset["at"] for onset in facts["onsets"]]))
    if len(delays) < LEAST:
        raise SystemExit(f"Only {len(delays)} bursts were heard of {len(spoken)} spoken: {facts}")
    first, last = facts["onsets"][0]["at"], facts["onsets"][-1]["at"]
    return {
        "delays": delays,
        "spoken": sum(first - EVERY_MS / 2 < at < last for at in spoken),
        "latency": facts["onsets"][-1]["latency"],
        "behind": facts["behind"],
        "underruns": facts["report"]["underruns"],
        "dropped": facts["dropped"],
    }


@contextmanager
def _demo(directory: Path) -> Iterator[dict[str, Any]]:
    """The demo without calls of its own, on data of its own, whose people play the bursts."""
    (directory / "recordings").mkdir()
    _write(directory / "recordings" / "bursts.wav")
    command = [sys.executable, "manage.py", "demo", "--calls", "0", "--port", "0", "--json"]
    command += ["--transcriber", "none", "--recordings", str(directory / "recordings")]
    command += ["--seconds", "600", "--directory", str(directory / "demo")]
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


def _write(path: Path) -> None:
    """The caller's recording: bursts that begin with full loudness."""
    samples = [0] * ((LEAD_MS + BURSTS * EVERY_MS) * RATE // 1000)
    for burst in range(BURSTS):
        start = (LEAD_MS + burst * EVERY_MS) * RATE // 1000
        for n in range(BURST_MS * RATE // 1000):
            samples[start + n] = round(16000 * math.cos(2 * math.pi * HERTZ * n / RATE))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def _call(told: dict[str, Any]) -> tuple[int, str]:
    """Place the call; its id and StreamSid, once its stream is open."""
    with Screen(told["url"], told["logins"]["supervisor"]) as screen:
        body = json.dumps(CALL).encode()
        url = f"{told['emulator']['url']}/emulator/calls/"
        request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})  # noqa: S310
        urllib.request.urlopen(request, timeout=10).read()  # noqa: S310
        limit = time.monotonic() + WAIT_S
        while time.monotonic() < limit:
            for _, message in screen.seen:
                if message["type"] == "stream" and message.get("state") == "open":
                    return int(message["call"]), str(message["stream"])
            time.sleep(0.02)
    raise SystemExit("No stream was opened.")


def _listen(told: dict[str, Any], call: int) -> dict[str, Any]:
    """Listen in a browser while the bursts last; what it heard."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("There is no chromium; apt-get install chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        context = browser.new_context(bypass_csp=True)  # for the ear, which is no part of the product
        page = context.new_page()
        page.add_init_script(EAR % json.dumps(ONSETS))
        _sign_in(page, told)
        page.evaluate(START, {"call": call, "caller": "Bursts", "agent": ""})
        page.wait_for_function("() => window.onsets.length > 0", timeout=WAIT_S * 1000)
        print("ear: listening", file=sys.stderr, flush=True)
        page.wait_for_timeout((LEAST + 10) * EVERY_MS)
        facts: dict[str, Any] = page.evaluate(FACTS)
        browser.close()
    return facts


def _sign_in(page: Page, told: dict[str, Any]) -> None:
    login = told["logins"]["supervisor"]
    page.goto(f"{told['url']}/accounts/login/")
    page.fill("input[name=username]", login["username"])
    page.fill("input[name=password]", login["password"])
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/live/")


def _spoken(told: dict[str, Any], sid: str) -> list[float]:
    """When each burst of the stream was spoken, Unix time in ms."""
    truth = json.loads(urllib.request.urlopen(f"{told['emulator']['url']}/emulator/log/").read())  # noqa: S310
    streams = [stream for call in truth["calls"] for stream in call["streams"] if stream["stream_sid"] == sid]
    found = []
    for piece in streams[0]["played"]:
        if piece["track"] == "inbound" and piece["file"] == "bursts.wav":
            begun = datetime.fromisoformat(piece["from_at"]).timestamp() * 1000 - piece["file_from_ms"]
            places = [LEAD_MS + burst * EVERY_MS for burst in range(BURSTS)]
            found += [begun + at for at in places if piece["file_from_ms"] <= at]
    return sorted(found)


def _delays(spoken: list[float], heard: list[float]) -> Iterator[float]:
    """From each burst's mouth to the ear; one that nothing can belong to is left out."""
    for at in heard:
        number = bisect_right(spoken, at) - 1
        if number >= 0 and at - spoken[number] < EVERY_MS * 0.9:
            yield at - spoken[number]
