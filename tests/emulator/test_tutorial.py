"""The Flask tutorial's server, a program of its own, behind `python -m emulator`, another one."""

import json
import re
import sys
import urllib.request
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from twilio.rest import Client

from tests.emulator.conftest import ALICE, OFFICE
from tests.processes import Running, clean_environment, free_port, listens, running, until


@dataclass
class Town:
    """The tutorial's server and, before it, the emulator; `account` is the line that it printed first."""

    tutorial: Running
    url: str
    account: dict[str, Any]

    @property
    def twilio(self) -> Client:
        """Twilio's own library, unmodified but for its base address."""
        client = Client(self.account["account_sid"], self.account["auth_token"])
        client.api.base_url = self.account["url"]
        return client

    def emulator(self, path: str, body: object = None) -> Any:
        """One request to the emulator's own addresses; its JSON answer."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.account["url"] + path, data=data)) as answer:
            return json.load(answer)

    def stream(self, call: str) -> Any:
        """The truth about the call's only stream; None before there is one."""
        streams = self.emulator(f"/emulator/log/?call={call}")["calls"][0]["streams"]
        return streams[0] if streams else None


@pytest.fixture
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Both programs on loopback; ended in order."""
    directory, port = tmp_path_factory.mktemp("town"), free_port()
    url = f"http://127.0.0.1:{port}"
    server = [sys.executable, "-m", "tests.emulator.tutorial", str(port)]
    emulator = [sys.executable, "-m", "emulator", "--port", "0", "--target", url, "--number", OFFICE]
    log, environment = directory / "emulator.log", clean_environment()
    with ExitStack() as stack:
        tutorial = stack.enter_context(
            running("tutorial", server, log=directory / "tutorial.log", ready=lambda: listens(port))
        )
        stack.enter_context(
            running("emulator", emulator, log=log, env=environment, ready=lambda: "\n" in log.read_text())
        )
        yield Town(tutorial, url, json.loads(log.read_text().splitlines()[0]))


def printed(town: Town) -> dict[str, Any]:
    """What the tutorial's server printed by the end of its connection, in its order."""
    text = town.tutorial.output()
    rows = re.findall(r"^(\w+)(?: message)?: (.+)$", text, re.M)
    found = {name: json.loads(said) if said.startswith("{") else said for name, said in rows}
    total = re.search(r"^Connection closed. Received (\d+) messages and (\d+) bytes of sound$", text, re.M)
    assert total is not None
    return {**found, "messages": int(total[1]), "sound": int(total[2])}


def closed(town: Town) -> bool:
    return "Connection closed" in town.tutorial.output()


def assert_it_saw_what_was_sent(town: Town, call: str) -> None:
    """The tutorial printed each kind once in order, and its counts are those of the truth log."""
    said, truth = printed(town), town.stream(call)
    assert list(said) == ["connected", "start", "media", "payload", "bytes", "stop", "messages", "sound"]
    assert said["connected"] == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert said["start"]["start"] == {
        "accountSid": town.account["account_sid"],
        "callSid": call,
        "streamSid": truth["stream_sid"],
        "tracks": ["inbound"],
        "customParameters": {},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    }
    assert said["media"]["media"] == {
        "track": "inbound",
        "chunk": "1",
        "timestamp": str(truth["first_ms"]),
        "payload": said["payload"],
    }
    assert (said["bytes"], len(b64decode(said["payload"]))) == ("160", 160)
    frames = truth["frames_sent"]["inbound"]
    # connected has no number; start, each frame and stop have one.
    assert said["messages"] == truth["messages_sent"] + 1 == frames + 3
    assert said["sound"] == 160 * frames
    assert said["stop"]["stop"] == {"accountSid": town.account["account_sid"], "callSid": call}
    assert (truth["error"], truth["warnings"], truth["frames_discarded"]) == (0, [], 0)


def test_a_call_to_the_number_is_streamed_to_the_tutorial_until_the_caller_hangs_up(town: Town) -> None:
    number = town.twilio.incoming_phone_numbers.list(phone_number=OFFICE)[0]
    number.update(voice_url=f"{town.url}/voice", voice_fallback_url="", status_callback="")
    call = town.emulator("/emulator/calls/", {"from": ALICE, "to": OFFICE, "script": "conversation"})[
        "call_sid"
    ]
    until(lambda: (town.stream(call) or {"played": []})["played"], "the caller speaks on the stream")
    town.emulator(f"/emulator/calls/{call}/hangup/", {})
    until(lambda: closed(town), "the tutorial's connection ends")
    assert_it_saw_what_was_sent(town, call)
    assert town.stream(call)["played"][0]["file"] == "conversation.wav"


def test_a_call_placed_by_rest_is_streamed_to_the_tutorial_until_its_twiml_ends(town: Town) -> None:
    address = town.url.replace("http", "ws") + "/media"
    twiml = f'<Response><Start><Stream url="{address}"/></Start><Pause length="1"/></Response>'
    call = str(town.twilio.calls.create(to=ALICE, from_=OFFICE, twiml=twiml).sid)
    until(lambda: closed(town), "the tutorial's connection ends")
    assert_it_saw_what_was_sent(town, call)
    assert town.twilio.calls(call).fetch().status == "completed"
