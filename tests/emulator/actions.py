"""What the `action` of each verb was told, held against what happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from emulator.audio.sound import RATE
from tests.emulator.conftest import Box
from tests.emulator.witness import Met, Witness

BRIDGED = {"bridged", "redirected-from-bridged"}
# What is told of a redirect comes that long after it at most, in seconds.
SOON_S = 1.0


class Actions:
    """The requests of all calls of a log; `redirects` are (CallSid, when) of what the REST API was asked."""

    def __init__(self, box: Box, log: Any, witness: Witness, redirects: list[tuple[str, str]]) -> None:
        self.box = box
        self.log = log
        self.calls = {call["call_sid"]: call for call in log["calls"]}
        self.witness = witness
        self.redirects = redirects
        self.checks: dict[str, Callable[[Any, Any, dict[str, str]], None]] = {
            "dial": self.dial,
            "room": self.room,
            "take": self.take,
            "enqueue": self.enqueue,
            "two": self.digits,
            "any": self.digits,
            "record": self.record,
            "connect": self.connect,
        }

    def check(self, call: Any) -> list[str]:
        """Look at each action of the call; whose they were."""
        asked = [(verb, hook) for hook in call["webhooks"] if (verb := of(hook))]
        for verb, hook in asked:
            self.checks[verb](call, hook, hook["form"])
        return [verb for verb, _ in asked]

    def dial(self, call: Any, hook: Any, form: dict[str, str]) -> None:
        """The child's end, its length, and whether the two were connected."""
        child = self.calls[form["DialCallSid"]]
        assert child["parent_call_sid"] == call["call_sid"]
        assert child["ended"] <= hook["at"]
        assert form["DialCallStatus"] == child["status"]
        met = self._met(lambda one: one.asked.call.sid == child["call_sid"])
        assert form["DialBridged"] == str(bool(met)).lower()
        answered = child["started"] is not None
        assert ("DialCallDuration" in form) == answered
        if answered:
            lasted = datetime.fromisoformat(child["ended"]) - datetime.fromisoformat(child["started"])
            assert form["DialCallDuration"] == str(round(lasted.total_seconds()))
        if "RecordingSid" in form:
            self._recording(form["RecordingSid"])

    def room(self, call: Any, hook: Any, form: dict[str, str]) -> None:
        """`answered` for whoever sat in the room."""
        rooms = self.log["conferences"]
        sat = any(one["call_sid"] == call["call_sid"] for room in rooms for one in room["members"])
        assert (form["DialCallStatus"] == "answered") == sat
        assert not {"DialCallSid", "DialCallDuration", "DialBridged"} & set(form)

    def take(self, call: Any, hook: Any, form: dict[str, str]) -> None:
        """Whom it was connected with, if with anybody."""
        met = self._met(
            lambda one: not one.dialled and one.by.call.sid == call["call_sid"] and one.at <= hook["at"]
        )
        if form.get("DialBridged") != "true":
            assert form["DialCallStatus"] == "no-answer"
            return
        assert form["DialCallStatus"] == "completed"
        assert form["DialCallSid"] == met[-1].asked.call.sid

    def enqueue(self, call: Any, hook: Any, form: dict[str, str]) -> None:
        """How the wait ended, by the witness, the wait itself and what the REST API was asked."""
        result = form["QueueResult"]
        earlier = [one["at"] for one in call["webhooks"] if of(one) == "enqueue" and one["at"] < hook["at"]]
        met = self._met(
            lambda one: (
                not one.dialled
                and one.asked.call.sid == call["call_sid"]
                and max(earlier, default="") < one.at <= hook["at"]
            )
        )
        assert (result in BRIDGED) == bool(met), (result, met)
        if result == "leave":
            assert form["QueueTime"] == "3"
            assert any(document["url"].endswith("/wait/") for document in call["documents"])
        elif result == "hangup":
            assert form["CallStatus"] == "completed"
        elif result == "error":
            # Whoever took the call left before the two met, perhaps while a word was said to the caller.
            assert form["CallStatus"] == "in-progress"
        elif result.startswith("redirected"):
            assert any(sid == call["call_sid"] and soon(at, hook["at"]) for sid, at in self.redirects)
        else:
            assert result == "bridged"

    def digits(self, call: Any, hook: Any, form: dict[str, str]) -> None:
        """The keys that were pressed while it listened, up to the key that ends it."""
        if "Digits" not in form:
            assert form["SpeechResult"]
            return
        past = self.witness.keys[call["call_sid"]].past
        listened = [one for one in past if one.last is not None and one.until <= hook["at"]][-1]
        keys = "".join(key["digit"] for key in call["keys"][listened.first : listened.last]).split("#")[0]
        assert form["Digits"] == (keys[:2] if of(hook) == "two" else keys)

    def record(self, call: Any, hook: Any, form: dict[str, str]) -> None:
        """As long as its bytes."""
        made = self._recording(form["RecordingSid"])
        assert (made["call_sid"], made["source"]) == (call["call_sid"], "RecordVerb")
        assert form["RecordingDuration"] == str(round(made["bytes"] / RATE))

    def connect(self, call: Any, hook: Any, form: dict[str, str]) -> None:
        """A stream of this call, which is over."""
        assert form["StreamSid"] in {stream["stream_sid"] for stream in call["streams"]}

    def _recording(self, sid: str) -> Any:
        """In the log, and as long there as what is kept of it."""
        made = next(one for one in self.log["recordings"] if one["recording_sid"] == sid)
        tapes = self.box.exchange.recordings.by_sid[sid].tapes
        assert [len(tape) for tape in tapes] == [made["bytes"]] * made["channels"]
        return made

    def _met(self, these: Callable[[Met], bool]) -> list[Met]:
        return [one for one in self.witness.met if these(one)]


def of(hook: Any) -> str:
    """Whose action a request is; "" for any other."""
    return parse_qs(urlsplit(str(hook["url"])).query).get("of", [""])[0]


def soon(before: str, after: str) -> bool:
    """Whether the one followed on the other."""
    passed = datetime.fromisoformat(after) - datetime.fromisoformat(before)
    return timedelta() <= passed <= timedelta(seconds=SOON_S)
