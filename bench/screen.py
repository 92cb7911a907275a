"""When words stand on a supervisor's screen: the whole way, Twilio's side to a browser socket, in real time.

The demo plays five two-track calls; a browser socket of the supervisor notes what arrives when; the
emulator's log says when each part of each recording was played, the manifest when each of its words had
been spoken.
"""

import http.cookiejar
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from bench.heard import Latencies, Spoken, latencies
from bench.machine import ROOT

__all__ = ["CALLS", "Screen", "measure", "sign_in"]

CALLS = 5
CALL = {"from": "+447700900199", "to": "+442079460100", "script": "conversation"}
STAGGER_S = 1.3  # between the calls' beginnings, so that they do not speak in chorus
LISTEN_S = 112  # the conversation lasts 100 s
Seen = tuple[float, dict[str, Any]]


def measure() -> Latencies:
    """Five calls of conversation.wav, both speakers: latencies of words and of final lines, in ms."""
    with _demo() as told, Screen(told["url"], told["logins"]["supervisor"]) as screen:
        for _ in range(CALLS - 1):  # the demo's own first call is the same conversation
            time.sleep(STAGGER_S)
            _post(f"{told['emulator']['url']}/emulator/calls/", CALL)
        time.sleep(LISTEN_S)
        truth = json.loads(urllib.request.urlopen(f"{told['emulator']['url']}/emulator/log/").read())  # noqa: S310
        return _latencies(truth, screen.seen)


class Screen:
    """A browser socket on the wall; every message with the time of its arrival by `clock`, in s."""

    def __init__(self, url: str, login: dict[str, str], clock: Callable[[], float] = time.time) -> None:
        self._url, self._login, self._clock = url, login, clock
        self._open = ExitStack()
        self.seen: list[Seen] = []

    def __enter__(self) -> "Screen":
        headers = {"Cookie": sign_in(self._url, self._login["username"], self._login["password"])}
        address = self._url.replace("http", "ws", 1) + "/ws/live/"
        opening = connect(
            address, additional_headers=headers, origin=Origin(self._url), compression=None, proxy=None
        )
        self._socket = self._open.enter_context(opening)
        self._socket.send(json.dumps({"type": "hello"}))
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self._thread.join(5)

    def _read(self) -> None:
        try:
            for text in self._socket:
                at = self._clock()
                message = json.loads(text)
                if message["type"] == "levels":
                    self._socket.send('{"type":"ack"}')
                self.seen.append((at, message))
        except ConnectionClosed:
            return


def sign_in(url: str, username: str, password: str) -> str:
    """The Cookie header of one who has signed in through the login page."""
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = opener.open(f"{url}/accounts/login/", timeout=20).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    form = {
        "username": username,
        "password": password,
        "csrfmiddlewaretoken": token.group(1) if token else "",
    }
    body = urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(f"{url}/accounts/login/", data=body, headers={"Referer": url})  # noqa: S310
    opener.open(request, timeout=20).read()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


@contextmanager
def _demo() -> Iterator[dict[str, Any]]:
    """The demo with one call of its own, on data of its own; ended at the end."""
    with tempfile.TemporaryDirectory(prefix="bench-screen-") as directory:
        command = [sys.executable, "manage.py", "demo", "--calls", "1", "--port", "0", "--json"]
        command += ["--seconds", str(LISTEN_S + 60), "--directory", str(Path(directory) / "demo")]
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


def _post(url: str, fields: dict[str, str]) -> None:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=json.dumps(fields).encode(), headers=headers)  # noqa: S310
    urllib.request.urlopen(request, timeout=10).read()  # noqa: S310


def _latencies(truth: dict[str, Any], seen: list[Seen]) -> Latencies:
    spoken = _spoken(truth)
    shown = _shown(seen)
    found = Latencies()
    for track, words in spoken.items():
        one = latencies(words, shown[track])
        found.words += one.words
        found.finals += one.finals
    return found


def _spoken(truth: dict[str, Any]) -> dict[tuple[str, str], list[Spoken]]:
    """(stream, track) → the words played there, with the wall time at which each had been spoken."""
    manifest = json.loads((ROOT / "emulator" / "recordings" / "manifest.json").read_bytes())["files"]
    found: dict[tuple[str, str], list[Spoken]] = defaultdict(list)
    for call in truth["calls"]:
        for stream in call["streams"]:
            for piece in stream["played"]:
                begun = datetime.fromisoformat(piece["from_at"]).timestamp()
                for word in _words(manifest[piece["file"]], piece["channel"]):
                    at = begun + word["end"] - piece["file_from_ms"] / 1000
                    if piece["file_from_ms"] <= 1000 * word["end"] <= piece["file_to_ms"]:
                        found[stream["stream_sid"], piece["track"]].append(Spoken(word["w"], at))
    return found


def _words(entry: dict[str, Any], channel: str) -> list[dict[str, Any]]:
    turns = [turn for turn in entry.get("turns") or [] if turn["track"] == channel]
    return [word for turn in turns for word in turn["words"]] or list(entry.get("words") or [])


def _shown(seen: list[Seen]) -> dict[tuple[str, str], list[tuple[float, dict[str, Any]]]]:
    """(stream, track) → what the screen was told of it, in the form of a words file's lines."""
    found: dict[tuple[str, str], list[tuple[float, dict[str, Any]]]] = defaultdict(list)
    for at, message in seen:
        if message["type"] in ("partial", "utterance"):
            kind = "partial" if message["type"] == "partial" else "final"
            number = int(str(message["utterance"]).rpartition("/")[2])
            line = {"kind": kind, "number": number, "text": message["text"]}
            found[message["stream"], message["track"]].append((at, line))
    return found
