"""What callers say and administrators name never becomes markup: hostile text in every field."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import callplay, wallplay
from tests.browser.callplay import CallPlay
from tests.browser.deskplay import DeskPlay, idle, iso, line
from tests.browser.deskplay import call as desk_call
from tests.browser.deskplay import context as desk_context
from tests.browser.deskplay import offer as desk_offer
from tests.browser.hostile import PAYLOADS, Harm, poisoned
from tests.browser.theatre import Stage

Arrive = Callable[..., Page]
LINE = "cc-connection"
# What the admin lists, of what callers and administrators write.
LISTS = ("call", "phonenumber", "queue", "agent", "team", "contact", "alert", "alertrule", "user", "note")
# Every text that these elements ever hold.
SHOWN = """(selectors) => {
  window.shown = {};
  for (const selector of selectors) {
    const place = document.querySelector(selector);
    const kept = (window.shown[selector] = []);
    const watcher = new MutationObserver(() => kept.push(place.textContent));
    watcher.observe(place, { childList: true, characterData: true, subtree: true });
  }
}"""
TEXTS = "(rows) => rows.map((row) => row.textContent)"


@pytest.fixture
def harm(page: Page) -> Harm:
    return Harm(page)


@pytest.fixture
def rows(stage: Stage) -> Iterator[list[str]]:
    """A live call for each text, which stands in every field of it; the callers as pages show them."""
    yield stage.play("hostile_rows", texts=PAYLOADS)
    stage.play("forget_hostile")


def texts(page: Page, selector: str) -> list[str]:
    """The whole text of each element, hidden or not."""
    found: list[str] = page.locator(selector).evaluate_all(TEXTS)
    return found


def test_there_are_two_hundred_texts_and_no_two_are_the_same() -> None:
    assert len(PAYLOADS) == len(set(PAYLOADS)) >= 200


def test_a_text_that_is_executed_would_be_noticed(stage: Stage, harm: Harm, page: Page) -> None:
    page.goto(f"{stage.url}/accounts/login/")
    assert harm.found() == []
    page.evaluate("() => { window.__hit = 1; }")
    page.evaluate("() => { __broken.push('script-src-attr inline'); }")
    page.evaluate("() => document.body.append(document.createElement('iframe'))")
    page.evaluate("() => { document.querySelector('.brand').href = 'javascript:1'; }")
    assert [one.split(":")[0] for one in harm.found()] == [
        "script-src-attr inline",
        "executed",
        "address",
        "element",
    ]


def test_rows_are_text_on_the_wall_in_the_list_and_in_the_messages(
    arrive: Arrive, stage: Stage, harm: Harm, rows: list[str]
) -> None:
    page = arrive("ada")
    expect(page.locator("[data-call]")).to_have_count(len(rows), timeout=30_000)
    assert sorted(texts(page, "[data-call] [data-caller]")) == sorted(rows)
    assert harm.found() == []
    listed: list[str] = []
    for number in range(1, 1 + -(-len(rows) // 50)):
        page.goto(f"{stage.url}/calls/?page={number}")
        listed += texts(page, ".history [data-open] bdi")
        assert harm.found() == []
    assert listed == rows
    page.goto(f"{stage.url}/voicemails/")
    assert len(texts(page, ".message h2")) == 25
    assert harm.found() == []


def test_rows_are_text_in_the_administration(
    arrive: Arrive, stage: Stage, harm: Harm, rows: list[str]
) -> None:
    page = arrive("ada", "/admin/")
    for name in LISTS:
        page.goto(f"{stage.url}/admin/calls/{name}/?all=")
        expect(page.locator("#result_list")).to_be_visible()
        assert harm.found() == [], name
    shown = " ".join(texts(page, "#result_list"))
    assert "<script>window.__hit=1</script>" in shown


def test_an_address_with_hostile_words_finds_nothing_and_does_nothing(
    arrive: Arrive, stage: Stage, harm: Harm
) -> None:
    page = arrive("mina", "/calls/")
    for name in ("q", "caller"):
        for text in PAYLOADS[::8]:
            answer = page.request.get(f"{stage.url}/calls/", params={name: text[:300]})
            assert answer.status == 200
            assert text[:300] not in answer.text() or not set(text) & set("<>\"'")
    page.goto(f"{stage.url}/calls/?q=%3Cscript%3Ewindow.__hit=1%3C/script%3E&caller=%22%3E%3Csvg onload=x%3E")
    expect(page.locator(".filters")).to_be_visible()
    assert harm.found() == []


def test_the_wall_shows_as_text_whatever_it_is_told(
    arrive: Arrive, page: Page, stage: Stage, harm: Harm
) -> None:
    arrive("mina", "/accounts/login/")
    wall = wallplay.Played(page, stage.url)
    keys = range(1, len(PAYLOADS) + 1)
    made: dict[str, list[Any]] = {
        "calls": [wallplay.call(key, help="x", caller="x") for key in keys],
        "streams": [wallplay.stream(key, parameters={"x": "x"}) for key in keys],
        "utterances": [{**line(key, "x"), "call": key, "stream": f"MZ{key:032}"} for key in keys],
        "waiting": [wallplay.waiting(key, key, 30, reason="x") for key in keys],
        "agents": [wallplay.agent(key, "x", reason="x") for key in keys],
        "alerts": [wallplay.alert(key, key) for key in keys],
        "listenings": [{"listening": key, "call": key, "by": "x", "user": key} for key in keys],
        "teams": [{"team": key, "name": "x"} for key in keys],
    }
    for key in keys:
        made["listenings"][key - 1] |= {"began_at": wallplay.ago(5), "ended_at": None}
    hostile: dict[str, Any] = {
        name: [poisoned(one, text) for one, text in zip(rows, PAYLOADS, strict=True)]
        for name, rows in made.items()
    }
    queues = [poisoned(wallplay.queue(), PAYLOADS[0])]
    wall.open(queues=queues, **hostile)
    expect(page.locator("[data-call]")).to_have_count(len(PAYLOADS), timeout=30_000)
    assert sorted(texts(page, "[data-call] [data-caller]")) == sorted(PAYLOADS)
    assert sorted(texts(page, "[data-alert-list] [data-name]")) == sorted(PAYLOADS)
    assert set(texts(page, "[data-agent-groups] [data-name]")) >= set(PAYLOADS)
    assert harm.found() == []
    for key, text in zip(keys, PAYLOADS, strict=True):
        said = {"call": key, "stream": f"MZ{key:032}", "track": "inbound", "text": text}
        wall.passing(
            "partials", partials=[{"type": "partial", "utterance": f"MZ{key:032}/inbound/9", **said}]
        )
        changed = poisoned(wallplay.alert(key, key, seconds=1), f"{text} again")
        wall.tell("alert", changed)
    wall.tell("call", wallplay.call(900, "the last one"))
    expect(page.locator('[data-call="900"]')).to_be_visible(timeout=30_000)
    assert harm.found() == []


def test_one_call_shows_as_text_all_that_is_kept_of_it(
    arrive: Arrive, page: Page, stage: Stage, harm: Harm
) -> None:
    call = stage.play("hostile_call", texts=PAYLOADS)
    arrive("mina", f"/calls/{call}/")
    expect(page.locator(LINE)).to_have_text("Live")
    lines = page.locator("cc-transcript .said")
    expect(lines.first).to_be_attached()
    assert "<script>window.__hit=1</script>" in texts(page, "cc-transcript .said")
    expect(page.locator("[data-alerts] .alert")).to_have_count(200)  # as many as a page is told
    expect(page.locator("[data-moments] > li")).to_have_count(len(PAYLOADS))
    for words in ("window", "<script", "__proto__", "\u202e"):
        page.fill("#find", words)
        assert harm.found() == [], words


def test_one_call_shows_as_text_whatever_it_is_told(
    stage: Stage, page: Page, harm: Harm, mina_there: Page
) -> None:
    call, sid = stage.live_call()
    play = CallPlay(stage, page, call, sid)
    callplay.full(play)
    play.more = poisoned(play.more, PAYLOADS[0])
    play.open()
    assert harm.found() == []
    state, caller = dict(play.state), page.locator("h1 [data-caller]")
    for n, text in enumerate(PAYLOADS):
        play.changes(**poisoned({**state, "help": "x", "queue": "x", "agent": "x"}, text))
        play.tell("note", **poisoned({"note": n + 10, "by": "x", "text": "x"}, text), updated_at=iso())
        play.tell("alert", **poisoned(callplay.alert(n + 10), text))
        play.tell("partial", stream=sid, track="inbound", utterance=f"{sid}/inbound/{n + 10}", text=text)
        play.tell("listening", listening=1, by=text, user=99, began_at=iso(), ended_at=None)
        assert poll(page, "h1 [data-caller]", text), text
    expect(caller).to_be_visible()
    assert harm.found() == []


def test_the_desk_shows_as_text_whatever_it_is_told(
    arrive: Arrive, page: Page, stage: Stage, harm: Harm
) -> None:
    play = DeskPlay(page)
    arrive("jonas", "/desk/")
    expect(page.locator(LINE)).to_have_text("Live")
    page.evaluate(SHOWN, ["[data-ringing] [data-caller]", "[data-call-bar] [data-caller]"])
    calm = {"me": {**idle()["me"], "state": "on_call", "status": "ready"}}
    watchers = {"listeners": ["x", "y"], "supervisor": {"name": "x", "mode": "coach", "state": "in"}}
    for text in PAYLOADS:
        rings = {"offer": desk_offer(reason="x"), "call": desk_call(), "context": desk_context()}
        play.push(**poisoned({**idle(), **rings}, text))
        consult = {"who": "x", "state": "talking"}
        talks: dict[str, Any] = {"offer": desk_offer(state="accepted", accepted_at=iso(-5), consult=consult)}
        talks |= {"lines": [line(1, "x")], "call": desk_call(state="live", help="x", answered_at=iso(-5))}
        play.push(**poisoned({**idle(), **calm, **rings, **talks, "watchers": watchers}, text))
    assert poll(page, "[data-call-bar] [data-caller]", PAYLOADS[-1])
    shown: dict[str, list[str]] = page.evaluate("() => shown")
    assert [len(set(PAYLOADS) - set(one)) for one in shown.values()] == [0, 0]
    assert harm.found() == []
    wrapup = {"wrapup": 9, "call": 41, "opened_at": iso(), "due_at": iso(30), "outcomes": PAYLOADS}
    wrapup |= {"outcome_required": True, "caller": PAYLOADS[0]}
    play.push(offer=None, wrapup=wrapup)
    expect(page.locator("[data-outcomes] label")).to_have_count(len(PAYLOADS))
    assert texts(page, "[data-outcomes] label") == PAYLOADS
    assert harm.found() == []


def test_a_search_for_whom_to_transfer_to_shows_names_as_text(
    arrive: Arrive, page: Page, stage: Stage, harm: Harm
) -> None:
    play = DeskPlay(page)
    arrive("jonas", "/desk/")
    expect(page.locator(LINE)).to_have_text("Live")
    play.found = {
        "agents": [{"key": str(n), "name": text, "state": "ready"} for n, text in enumerate(PAYLOADS)],
        "queues": [{"key": f"q{n}", "name": text, "waiting": n} for n, text in enumerate(PAYLOADS)],
        "number": {"key": PAYLOADS[0], "shown": PAYLOADS[1], "allowed": False, "text": PAYLOADS[2]},
    }
    play.talk()
    page.locator("[data-transfer]").click()
    expect(page.locator(".found-item")).to_have_count(1 + 2 * len(PAYLOADS))
    assert texts(page, ".found-item bdi") == [PAYLOADS[1], *PAYLOADS, *PAYLOADS]
    assert harm.found() == []


def poll(page: Page, selector: str, text: str) -> bool:
    """Whether the element comes to hold exactly this text."""
    found = page.wait_for_function(
        "([selector, text]) => document.querySelector(selector)?.textContent === text", arg=[selector, text]
    )
    return found is not None
