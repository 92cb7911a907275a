"""The wall with a server of our own behind it: a made snapshot in its page, made messages on its line.

So that every state can be played, also those that take rows, processes or hours to come about.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, WebSocketRoute, expect

from tests.browser.theatre import Stage

Body = dict[str, Any]
SNAPSHOT = re.compile(r'(<script id="snapshot" type="application/json">).*?(</script>)', re.DOTALL)
MINA = {"user": 1, "name": "Mina", "may": {"listen": True, "intervene": True, "control_streams": True}}


def ago(seconds: float = 0) -> str:
    """A moment as messages write it."""
    moment = datetime.now(UTC) - timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def call(key: int, caller: str = "", **fields: Any) -> Body:
    """A call that is talking with Jonas; `ended` seconds ago makes it a past one."""
    ended = fields.pop("ended", None)
    phase = fields.pop("phase", "talking" if ended is None else "ended")
    body = {
        "call": key,
        "state": {"ringing": "ringing", "queued": "ringing", "ended": "ended", "wrapup": "ended"}.get(
            phase, "live"
        ),
        "phase": phase,
        "outcome": "answered" if ended is not None else "",
        "caller": caller or f"+3161234{key:04}",
        "caller_number": f"+3161234{key:04}",
        "number": "+31201234567",
        "label": "Support line",
        "agent": "Jonas Smit",
        "agent_id": 1,
        "queue": "Support",
        "queue_id": 1,
        "team": None,
        "verified": "",
        "help": "",
        "direction": "inbound",
        "tap_wanted": True,
        "started_at": ago(fields.pop("seconds_ago", 1000 - key)),
        "answered_at": ago(60),
        "ended_at": None if ended is None else ago(ended),
    }
    return body | fields


def stream(of: int, **fields: Any) -> Body:
    """The open two-track stream of a call."""
    sid = f"MZ{of:032}"
    body = {"stream": sid, "call": of, "leg": "CA", "name": "tap", "kind": "tap", "state": "open"}
    more = {"tracks": ["inbound", "outbound"], "paused": False, "opened_at": ago(60), "reason": ""}
    return body | more | {"parameters": {}, "lost_ms": 0, "late": 0, "words": True} | fields


def waiting(key: int, of: int, seconds: float, **fields: Any) -> Body:
    """A caller who has waited for some seconds."""
    body = {"waiting": key, "call": of, "queue": 1, "queue_name": "Support", "agent": "", "priority": 0}
    return body | {"entered_at": ago(seconds), "reason": "", "left_at": None, "result": ""} | fields


def agent(key: int, name: str, state: str = "ready", seconds: float = 60, **fields: Any) -> Body:
    """An agent of the queue Support."""
    body = {"agent": key, "name": name, "state": state, "reason": "", "since": ago(seconds), "call": None}
    return body | {"present_until": ago(-20), "queues": [1], "teams": []} | fields


def alert(key: int, of: int, name: str = "Wants to cancel", seconds: float = 5, **fields: Any) -> Body:
    """An open warning."""
    body = {"alert": key, "call": of, "kind": "words", "name": name, "severity": "warning", "at_ms": 1000}
    more: Body = {"raised_at": ago(seconds), "quote": "I want to cancel", "utterance": ""}
    more |= {"caller": f"+3161234{of:04}", "agent": "Jonas Smit", "queue_id": 1, "team": None, "ended": False}
    return body | more | {"acknowledged_at": None, "acknowledged_by": ""} | fields


def queue(key: int = 1, name: str = "Support", **fields: Any) -> Body:
    """A queue with the limits of a new one."""
    body = {"queue": key, "name": name, "team": None, "warn_seconds": 30, "bad_seconds": 90}
    return body | {"target_seconds": 20, "target_percent": 80} | fields


def figures(
    last30: tuple[int, int, int] = (9, 8, 1), today: tuple[int, int, int, int] = (40, 36, 2, 75)
) -> Body:
    """Of the one queue: answered, in target, abandoned; offered, answered, abandoned, longest wait."""
    recent = dict(zip(("answered", "in_target", "abandoned"), last30, strict=True))
    day = dict(zip(("offered", "answered", "abandoned", "longest_wait_s"), today, strict=True))
    whole = {"today": {"volume": 52, "answered": 47, "missed": 5}}
    return {"at": ago(), "queues": {"1": {"last30": recent, "today": day}}, "calls": whole}


def snapshot(**fields: Any) -> Body:
    """A wall on which nothing goes on."""
    lists = (
        "calls",
        "streams",
        "utterances",
        "waiting",
        "agents",
        "alerts",
        "listenings",
        "supervisions",
        "teams",
    )
    body: Body = {"at": ago(), "last_id": 100, "scope": "every", **{name: [] for name in lists}}
    site = {"numbers": 1, "last_ended_at": None}
    return body | {"queues": [queue()], "figures": figures(), "site": site, "me": MINA} | fields


@dataclass
class Played:
    """Mina's wall; `tell` sends an event, `passing` a message without id."""

    page: Page
    url: str
    body: Body = field(default_factory=snapshot)
    figures: Body | None = field(default_factory=figures)
    posts: list[Body] = field(default_factory=list)
    answer: Callable[[Route], None] | None = None
    hellos: list[Body] = field(default_factory=list)
    line: WebSocketRoute | None = None
    _id: int = 100

    def open(self, search: str = "", **fields: Any) -> Page:
        """The wall with this snapshot; its line is up."""
        if fields:
            self.body = snapshot(**fields)
        self._id = self.body["last_id"]
        page = self.page
        page.route(re.compile(r"/live/(\?.*)?$"), self._page)
        page.route("**/live/figures/", self._figures)
        page.route(re.compile(r"/calls/\d+/do/$"), self._done)
        page.route_web_socket(re.compile("/ws/live/"), self._opened)
        page.goto(f"{self.url}/live/{search}")
        expect(page.locator("cc-connection")).to_have_text("Live")
        return page

    def tell(self, noun: str, body: Body, event: str = "") -> None:
        """An event: the present state of a noun."""
        last, self._id = self._id, self._id + 1
        ids = {"type": noun, "id": self._id, "after": last, "event": event or f"{noun}.changed"}
        self.send({**body, **ids, "at": ago()})

    def passing(self, kind: str, **fields: Any) -> None:
        """Levels, partial lines, health."""
        self.send({"type": kind, "at": ago(), **fields})

    def send(self, message: Body) -> None:
        """Anything."""
        assert self.line
        self.line.send(json.dumps(message))

    def _page(self, route: Route) -> None:
        answer = route.fetch()
        text = json.dumps({**self.body, "at": ago()}).replace("<", "\\u003c")
        route.fulfill(
            response=answer, body=SNAPSHOT.sub(lambda found: found[1] + text + found[2], answer.text())
        )

    def _figures(self, route: Route) -> None:
        if self.figures is None:
            route.fulfill(status=200, content_type="text/html", body="sign in")
        else:
            route.fulfill(json={**self.figures, "at": ago()})

    def _done(self, route: Route) -> None:
        asked = json.loads(route.request.post_data or "{}")
        self.posts.append({"path": route.request.url.removeprefix(self.url), **asked})
        if self.answer:
            self.answer(route)

    def _opened(self, line: WebSocketRoute) -> None:
        self.line = line
        line.on_message(lambda message: self._heard(line, json.loads(message)))

    def _heard(self, line: WebSocketRoute, message: Body) -> None:
        if message["type"] == "hello":
            self.hellos.append(message)
            line.send(json.dumps({"type": "beat", "at": ago(), "last_id": self._id}))


@pytest.fixture
def played(arrive: Callable[..., Page], page: Page, stage: Stage) -> Played:
    """Mina, about to open her wall."""
    arrive("mina", "/accounts/login/")
    return Played(page, stage.url)


def row(page: Page, key: int) -> Locator:
    """The row of a call."""
    return page.locator(f'[data-call="{key}"]')


def card(page: Page, name: str) -> Locator:
    """One of the cards."""
    return page.locator(f'[data-card="{name}"]')


def order(page: Page) -> list[int]:
    """The calls as they stand."""
    found: list[int] = page.locator("[data-call]").evaluate_all(
        "rows => rows.map((row) => Number(row.dataset.call))"
    )
    return found
