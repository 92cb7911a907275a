"""A desk in Chromium, and all around it played: Twilio's SDK, the desk's socket, answers to its POSTs.

`DeskPlay` holds the state that the server would send (docs/desk.md); a test changes it and pushes it.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, WebSocketRoute, expect

FAKE = Path(__file__).parent / "fake_twilio.js"
CHECKED = "() => localStorage.setItem('desk-checked', new Date().toDateString())"
Answer = Callable[[dict[str, Any]], dict[str, Any] | None]


def iso(seconds: float = 0) -> str:
    """A moment that many seconds from now."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def idle() -> dict[str, Any]:
    """Jonas is there and away; nobody calls."""
    me = {
        "agent": 1,
        "name": "Jonas",
        "identity": "agent_jonas",
        "state": "away",
        "status": "away",
        "reason": "break",
        "since": iso(-130),
        "phone": "browser",
        "telephone": "+31201234999",
        "phone_ok": False,
    }
    return {
        "me": me,
        "depth": {"waiting": 3, "longest_since": iso(-75)},
        "today": {"answered": 17, "missed": 1, "talk_s": 5230, "wrapup_s": 640},
        "offer": None,
        "call": None,
        "context": None,
        "lines": [],
        "wrapup": None,
        "callbacks": [callback(7, "Carla Visser", "+31612345678", 1800, "About the invoice")],
        "missed": False,
        "dial": {"allowed": True, "numbers": [{"number": 1, "label": "Support", "e164": "+31201234567"}]},
        "commands": [],
    }


def callback(key: int, who: str, e164: str, in_s: float, note: str = "") -> dict[str, Any]:
    """One promise to call back."""
    due = iso(in_s)
    return {"callback": key, "who": who, "e164": e164, "due_at": due, "note": note, "queue": "Support"}


def call(**other: Any) -> dict[str, Any]:
    """Carla calls."""
    return {
        "call": 41,
        "state": "ringing",
        "outcome": "",
        "caller": "Carla Visser",
        "caller_number": "+31612345678",
        "number": "+31201234567",
        "label": "Main line",
        "agent": "",
        "queue": "Support",
        "team": None,
        "verified": "yes",
        "help": "",
        "direction": "inbound",
        "tap_wanted": True,
        "started_at": iso(-60),
        "answered_at": None,
        "ended_at": None,
        "progress": "",
        **other,
    }


def offer(**other: Any) -> dict[str, Any]:
    """It rings at Jonas' desk."""
    return {
        "offer": 5,
        "kind": "queue",
        "state": "ringing",
        "created_at": iso(-2),
        "until": iso(18),
        "accepted_at": None,
        "reason": "",
        "leg": "",
        "consult": None,
        "held": False,
        "muted": False,
        **other,
    }


def context(**other: Any) -> dict[str, Any]:
    """All that is known of Carla."""
    contact = {
        "contact": 3,
        "name": "Carla Visser",
        "company": "Visser Bloemen",
        "tags": ["gold", "boiler"],
        "note": "Prefers to be called after six.",
        "e164": "+31612345678",
        "created_at": iso(-86400 * 90),
    }
    earlier = {
        "call": 30,
        "started_at": iso(-86400 * 9),
        "outcome": "answered",
        "agent": "Amira",
        "queue": "Support",
        "seconds": 412,
        "note": "Boiler serviced; she asked for a copy of the report.",
    }
    return {
        "contact": contact,
        "caller": {
            "number": "+31612345678",
            "shown": "+31 6 12345678",
            "place": "Netherlands",
            "local_time": "14:05",
            "time_zone": "Europe/Amsterdam",
            "withheld": False,
        },
        "queue": {"name": "Support", "waited_s": 41, "outcomes": ["Solved", "Sent on"], "wrapup_s": 30},
        "verified": "yes",
        "said": [{"text": "My boiler is leaking again.", "at_ms": 4000}],
        "entered": {"postcode": "1012 AB"},
        "calls": [
            earlier,
            {**earlier, "call": 29, "outcome": "missed", "seconds": 0, "note": "", "agent": ""},
        ],
        "callbacks": [callback(7, "Carla Visser", "+31612345678", 1800, "About the invoice")],
        "voicemails": 1,
        "matters": [{"matter": 2, "text": "Repair of the boiler is awaited", "opened_at": iso(-86400 * 8)}],
        "notes": [{"by": "Amira", "text": "Asked for a plumber.", "at": iso(-300)}],
        "note": "",
        **other,
    }


def line(number: int, text: str, speaker: str = "caller", at_ms: int = 1000) -> dict[str, Any]:
    """A final line of the call."""
    track = "inbound" if speaker == "caller" else "outbound"
    return {
        "type": "utterance",
        "utterance": f"MZ{'d' * 32}/{track}/{number}",
        "call": 41,
        "stream": f"MZ{'d' * 32}",
        "track": track,
        "speaker": speaker,
        "text": text,
        "start_ms": at_ms,
        "end_ms": at_ms + 900,
        "confidence": 0.9,
    }


class DeskPlay:
    """The server of one desk, as its page sees it."""

    def __init__(self, page: Page, *, twilio: bool = True, checked: bool = True) -> None:
        self.page = page
        self.state = idle()
        self.id = 100
        self.asked: list[dict[str, Any]] = []
        self.hellos: list[dict[str, Any]] = []
        self.acks = 0
        self.answers: dict[str, Answer] = {}
        self.found: dict[str, Any] = {"agents": [], "queues": [], "number": None}
        self.token: tuple[int, dict[str, Any]] = (
            200,
            {"token": "a.b.c", "identity": "agent_jonas", "edge": ""},
        )
        self.tokens = 0
        self.offline = False
        self.line: WebSocketRoute | None = None
        self.refuse_hello = False
        if twilio:
            page.add_init_script(path=FAKE)
        if checked:
            page.add_init_script(f"({CHECKED})()")
        page.context.grant_permissions(["microphone"])
        page.route_web_socket(re.compile("/ws/desk/"), self._opened)
        page.route("**/desk/do/", self._done)
        if twilio:
            page.route("**/desk/token/", self._token)
        page.route(re.compile("/desk/search/"), lambda route: route.fulfill(json=self.found))

    def message(self) -> dict[str, Any]:
        """The whole state as the socket sends it."""
        self.id += 1
        return {"type": "desk", "at": iso(), "id": self.id, "after": self.id - 1, **self.state}

    def push(self, **changes: Any) -> None:
        """Something changed, and the server tells the desk."""
        self.state.update(changes)
        assert self.line is not None
        self.line.send(json.dumps(self.message()))

    def send(self, message: dict[str, Any]) -> None:
        """Any other message of the socket."""
        assert self.line is not None
        self.line.send(json.dumps({"at": iso(), **message}))

    def me(self, **changes: Any) -> dict[str, Any]:
        """Jonas with changes."""
        return {**self.state["me"], **changes}

    def of(self, kind: str) -> list[dict[str, Any]]:
        """What was asked of that kind."""
        return [one for one in self.asked if one["do"] == kind]

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until what the page sent makes it true."""
        for _ in range(500):
            if condition():
                return
            self.page.wait_for_timeout(20)
        raise AssertionError("the page never sent it")

    def wait_for(self, kind: str, count: int = 1) -> dict[str, Any]:
        """Wait until the page asked this so often and no oftener; the fields of the last time."""
        self.until(lambda: len(self.of(kind)) >= count)
        assert len(self.of(kind)) == count
        return {name: value for name, value in self.of(kind)[-1].items() if name not in {"id", "do"}}

    def offered(self, **other: Any) -> None:
        """A call is offered."""
        self.push(offer=offer(**other), call=call(), context=context(), me=self.me(state="ringing"))
        expect(self.page.locator("[data-ringing]")).to_be_visible()

    def ring(self, **other: Any) -> None:
        """A call is offered, and the phone rings."""
        self.offered(**other)
        self.page.wait_for_function("() => twilio.device?.state === 'registered'")
        self.page.evaluate("() => twilio.ring()")

    def talk(self, **other: Any) -> None:
        """A call is at hand."""
        self.ring()
        self.page.keyboard.press("Alt+a")
        self.answered(**other)

    def answered(self, **other: Any) -> None:
        """The server saw that the agent answered."""
        self.push(
            offer=offer(state="accepted", accepted_at=iso(-12), leg="CA" + "c" * 32, **other),
            call=call(state="live", answered_at=iso(-12), agent="Jonas"),
            me=self.me(state="on_call", status="ready", reason=""),
            lines=[
                line(1, "Good morning. My boiler is leaking again.", at_ms=4000),
                line(1, "Good morning, this is Jonas. Let me look at your account.", "agent", 9000),
            ],
        )
        expect(self.page.locator("[data-call-bar]")).to_be_visible()

    def wrap_up(self, required: bool = True) -> None:
        """The call has ended."""
        self.push(
            offer=None,
            call=call(state="ended", answered_at=iso(-200), ended_at=iso(), outcome="answered"),
            wrapup={
                "wrapup": 9,
                "call": 41,
                "opened_at": iso(),
                "due_at": iso(30),
                "outcomes": ["Solved", "Sent on", "Plumber sent"],
                "outcome_required": required,
                "caller": "Carla Visser",
            },
            me=self.me(state="wrapup"),
        )
        expect(self.page.locator("[data-wrapup]")).to_be_visible()

    def _opened(self, route: WebSocketRoute) -> None:
        route.on_message(lambda text: self._heard(route, json.loads(text)))

    def _heard(self, route: WebSocketRoute, message: dict[str, Any]) -> None:
        if message["type"] == "ack":
            self.acks += 1
            return
        self.hellos.append(message)
        if self.refuse_hello and not message["take"]:
            route.close(code=4409)
            return
        self.line = route
        route.send(json.dumps(self.message()))

    def _done(self, route: Route) -> None:
        if self.offline:
            route.abort("internetdisconnected")
            return
        asked = route.request.post_data_json
        assert isinstance(asked, dict)
        self.asked.append(asked)
        self._apply(asked)
        wrong = (self.answers.get(asked["do"]) or (lambda fields: None))(asked)
        if wrong:
            route.fulfill(status=wrong.pop("status", 409), json={"error": wrong})
        else:
            route.fulfill(json={"desk": {**self.state, "at": iso()}, "command": None})

    def _apply(self, asked: dict[str, Any]) -> None:
        """What the server does of itself with the simple ones."""
        if asked["do"] == "status":
            status, reason = asked["status"], asked["reason"]
            self.state["me"] = self.me(status=status, reason=reason, state=status, since=iso())
        elif asked["do"] == "phone":
            self.state["me"] = self.me(phone=asked["phone"], phone_ok=asked["ok"])
        elif asked["do"] == "note" and self.state["context"]:
            self.state["context"] = {**self.state["context"], "note": asked["text"]}

    def _token(self, route: Route) -> None:
        self.tokens += 1
        status, body = self.token
        route.fulfill(status=status, json=body)
