"""One call's page in Chromium, with what stands around it played: alerts, listeners, a phone, answers.

The call itself is real and on the stage. `CallPlay` adds to its page's snapshot, tells more on its socket,
answers what the page asks, and stands in for Twilio's SDK and for the sound that is listened to.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, WebSocketRoute, expect

from tests.browser.theatre import Stage
from tests.people import CALLER

FAKE = Path(__file__).parent / "fake_twilio.js"
LISTENING = Path(__file__).parent / "fake_listening.js"
# Puts more into the snapshot of the page, once the page is read and before its scripts run.
MORE = """document.addEventListener("readystatechange", () => {
  const place = document.getElementById("snapshot");
  if (document.readyState !== "interactive" || !place) return;
  const snapshot = { ...JSON.parse(place.textContent), ...%(more)s };
  const call = { ...snapshot.call, conference: true, ...%(call)s };
  window.played = { ...snapshot, call, calls: [call] };
  place.textContent = JSON.stringify(window.played);
});"""
Body = dict[str, Any]
Answer = Callable[[Body], tuple[int, Body]]


def iso(seconds: float = 0) -> str:
    """A moment that many seconds from now."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture
def mina_there(stage: Stage, context: BrowserContext, page: Page) -> Page:
    """Mina's browser, signed in, with no page open yet."""
    key = stage.play("session", username="mina")
    context.add_cookies([{"name": "sessionid", "value": key, "url": stage.url}])
    return page


class CallPlay:
    """What a page of one call is told beside what is on the stage, and what it asked."""

    def __init__(self, stage: Stage, page: Page, call: int, sid: str = "") -> None:
        self.stage, self.page, self.call, self.sid = stage, page, call, sid
        self.more: Body = {}  # put into the page's snapshot
        self.state: Body = {}  # the call as the page was last told
        self.me: Body = {}
        self.asked: list[Body] = []
        self.searched: list[str] = []
        self.answers: dict[str, Answer] = {}
        self.token: tuple[int, Body] = (200, {"token": "a.b.c", "identity": "supervisor_1", "edge": ""})
        self.tokens = 0
        self.offline = False
        self.line: WebSocketRoute | None = None
        page.add_init_script(path=FAKE)
        page.context.grant_permissions(["microphone"])
        page.route(f"**/calls/{call}/do/", self._done)
        page.route("**/live/token/", self._token)
        page.route(re.compile("/live/search/"), self._search)
        page.route(
            re.compile(r"/vendor/twilio-"),
            lambda route: route.fulfill(content_type="text/javascript", body=""),
        )
        page.route(
            re.compile(r"/static/js/listen\.js"),
            lambda route: route.fulfill(content_type="text/javascript", path=LISTENING),
        )
        page.route_web_socket(re.compile(rf"/ws/calls/{call}/$"), self._opened)

    def open(self, **changes: Any) -> None:
        """Open the page, of a call with these changes, and wait until its line is up."""
        self.page.add_init_script(MORE % {"more": json.dumps(self.more), "call": json.dumps(changes)})
        self.page.goto(f"{self.stage.url}/calls/{self.call}/")
        expect(self.page.locator("cc-connection")).to_have_text("Live")
        expect(self.page.locator('[data-act="moment"]')).to_be_enabled()
        snapshot = self.page.evaluate("() => played")
        self.me = snapshot["me"]
        self.state = {name: value for name, value in snapshot["call"].items() if name != "call"}

    def tell(self, noun: str, **state: Any) -> None:
        """Something of the call changed."""
        assert self.line is not None
        self.line.send(json.dumps({"type": noun, "at": iso(), "call": self.call, **state}))

    def changes(self, **changes: Any) -> None:
        """The call itself changed."""
        self.state.update(changes)
        self.tell("call", **self.state)

    def health(self, **figures: Any) -> None:
        """The figures of the stream."""
        told = {"lost_ms": 0, "late": 0, "behind_ms": 0, **figures}
        assert self.line is not None
        self.line.send(json.dumps({"type": "health", "at": iso(), "streams": {self.sid: told}}))

    def of(self, kind: str) -> list[Body]:
        """What was asked of that kind, without its id."""
        return [
            {name: value for name, value in one.items() if name not in {"id", "kind"}}
            for one in self.asked
            if one["kind"] == kind
        ]

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until what the page sent makes it true."""
        for _ in range(700):
            if condition():
                return
            self.page.wait_for_timeout(20)
        raise AssertionError("the page never sent it")

    def wait_for(self, kind: str, count: int = 1) -> Body:
        """Wait until the page asked this so often and no oftener; the fields of the last time."""
        self.until(lambda: len(self.of(kind)) >= count)
        assert len(self.of(kind)) == count
        return self.of(kind)[-1]

    def yes(self) -> None:
        """Say yes to what is asked."""
        self.page.locator("dialog[open] [data-yes]").click()

    def supervision(self, **other: Any) -> Body:
        """Mina's own part in the call."""
        return {
            "supervision": 7,
            "by": "Mina",
            "user": self.me["user"],
            "mode": "coach",
            "state": "ringing",
            "created_at": iso(-60),
            "joined_at": None,
            "ended_at": None,
            **other,
        }

    def coaches(self) -> None:
        """Mina coaches: asked, rung, answered by itself, confirmed."""
        self.page.locator('[data-act="coach"]').click()
        self.yes()
        self.wait_for("call.coach")
        self.tell("supervision", **self.supervision())
        self.page.wait_for_function("() => twilio.device?.state === 'registered'")
        self.page.evaluate("() => twilio.ring()")
        self.tell("supervision", **self.supervision(state="in", joined_at=iso()))
        expect(self.page.locator("[data-part] [data-text]")).to_contain_text("You coach Jonas.")

    def _opened(self, route: WebSocketRoute) -> None:
        self.line = route
        route.connect_to_server()

    def _done(self, route: Route) -> None:
        if self.offline:
            route.abort("internetdisconnected")
            return
        asked = route.request.post_data_json
        assert isinstance(asked, dict)
        self.asked.append(asked)
        status, body = self.answers.get(asked["kind"], self._answer)(asked)
        route.fulfill(status=status, json=body)

    def _answer(self, asked: Body) -> tuple[int, Body]:
        """As the site answers what is done at once."""
        kinds = {"call.transfer": "call.redirect", "call.leave": "leg.end"}
        nouns: dict[str, Body] = {
            "moment": {
                "moment": 3,
                "by": "Mina",
                "marked_at": iso(),
                "at_ms": 61_000,
                "text": asked.get("text", ""),
            },
            "note": {"note": 4, "by": "Mina", "text": asked.get("text", ""), "updated_at": iso()},
        }
        if asked["kind"] in nouns:
            return 200, {"type": asked["kind"], "call": self.call, **nouns[asked["kind"]]}
        return 200, self.command(asked, kind=kinds.get(asked["kind"], asked["kind"]))

    def command(self, asked: Body, **other: Any) -> Body:
        """The command that was asked, done."""
        return {
            "command": asked["id"],
            "call": self.call,
            "kind": asked["kind"],
            "state": "done",
            "code": "",
            "text": "",
            "by": "Mina",
            "stream": "",
            "created_at": iso(),
            "settled_at": iso(),
            **other,
        }

    def refuse(self, kind: str, code: int, text: str) -> None:
        """Twilio refuses such a command."""
        self.answers[kind] = lambda asked: (
            200,
            self.command(asked, state="failed", code=str(code), text=text),
        )

    def _token(self, route: Route) -> None:
        self.tokens += 1
        status, body = self.token
        route.fulfill(status=status, json=body)

    def _search(self, route: Route) -> None:
        self.searched.append(route.request.url.partition("q=")[2])
        agents = [
            {"key": "9", "name": "Amira", "state": "ready"},
            {"key": "8", "name": "Ben", "state": "away"},
        ]
        queues = [{"key": "2", "name": "Billing", "waiting": 3}]
        route.fulfill(json={"agents": agents, "queues": queues, "number": None})


def alert(key: int = 1, **other: Any) -> Body:
    """Carla says a word that a rule looks out for."""
    return {
        "alert": key,
        "kind": "words",
        "name": "Wants to cancel",
        "severity": "warning",
        "raised_at": iso(),
        "at_ms": 62_000,
        "quote": "cancel my contract",
        "utterance": "",
        "acknowledged_at": None,
        "acknowledged_by": "",
        **other,
    }


def past_call(key: int, **other: Any) -> Body:
    """An earlier call of Carla's."""
    return {
        "call": key,
        "started_at": iso(-86_400 * 9),
        "outcome": "answered",
        "agent": "Amira",
        "label": "Support",
        "number": CALLER,
        "queue": "Billing",
        "seconds": 412,
        **other,
    }


TALK = {
    "inbound_ms": 62_000,
    "outbound_ms": 38_000,
    "both_ms": 8_000,
    "silent_ms": 8_000,
    "silence_ms": 12_000,
}


def full(play: CallPlay) -> None:
    """All that a call's page can hold: before the page is opened."""
    line = f"{play.sid}/inbound/1"
    play.more = {
        "alerts": [
            {
                "call": play.call,
                **alert(1, utterance=line, quote="leaking again", name="Complaint", at_ms=4000),
            },
            {
                "call": play.call,
                **alert(
                    2,
                    kind="silence",
                    severity="critical",
                    name="Long silence",
                    quote="Silent for 34 s",
                    at_ms=41_000,
                ),
            },
            {
                "call": play.call,
                **alert(3, name="Swears", acknowledged_at=iso(), acknowledged_by="Ada", at_ms=None, quote=""),
            },
        ],
        "moments": [
            {
                "moment": 1,
                "call": play.call,
                "by": "Ada",
                "marked_at": iso(),
                "at_ms": 20_000,
                "text": "Good question",
            }
        ],
        "listenings": [
            {
                "listening": 1,
                "call": play.call,
                "by": "Ada",
                "user": 99,
                "began_at": iso(-60),
                "ended_at": None,
            }
        ],
        "notes": [
            {
                "note": 1,
                "call": play.call,
                "by": "Jonas",
                "text": "Wants a plumber today.",
                "updated_at": iso(-30),
            }
        ],
        "history": {
            "calls": [past_call(901), past_call(902, outcome="missed", seconds=0, agent="")],
            "contact": {
                "name": "Carla Visser",
                "company": "Visser Bloemen",
                "tags": ["gold", "boiler"],
                "note": "After six.",
            },
        },
    }
