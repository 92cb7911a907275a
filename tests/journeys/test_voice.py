"""A voice answers, through real processes: spoken to by recordings, judged by what Twilio's side played."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.chromium import watch
from tests.journeys.agreement import agrees, seats, truth
from tests.journeys.centre import Desk, centre, talker
from tests.people import MINA, PASSWORD
from tests.processes import until
from tests.product import Site
from tests.world import SALES, SUPPORT

Sit = Callable[[str], Desk]

# Real speakers answer it: short commands, and a number read digit by digit.
BOOKING = """
start: what
steps:
  what:
    kind: menu
    prompt: What may I do for you?
    options:
      book a room: {key: 1, go: people}
      something else: {key: 2, go: sorry}
    otherwise: sorry
  people:
    kind: menu
    prompt: For how many?
    fact: people
    options:
      two people: {key: 2, go: day}
      three people: {key: 3, go: day}
    otherwise: sorry
  day:
    kind: date
    prompt: On which day?
    fact: day
    otherwise: sorry
    go: time
  time:
    kind: time
    prompt: At what time?
    fact: time
    otherwise: sorry
    go: phone
  phone:
    kind: digits
    prompt: Your telephone number?
    length: 8-12
    fact: phone
    otherwise: sorry
    go: done
  done:
    kind: end
    text: Your room is booked. Goodbye.
  sorry:
    kind: end
    text: I am sorry. Goodbye.
"""
BOOKS = {
    "hangup_after": None,
    "patience": 60,
    "caller": {
        "does": [
            step
            for recording in (
                "cmd_book_a_room.wav",
                "cmd_two_people.wav",
                "cmd_today.wav",
                "cmd_230pm.wav",
                "phone_number_jackson.wav",
            )
            for step in ({"wait": "prompt"}, {"wait": "quiet"}, {"play": recording, "after": 0.3})
        ]
        + [{"wait": "prompt"}, {"wait": "quiet", "after": 30}]
    },
}
LISTENS = {"hangup_after": None, "patience": 90, "caller": {"does": [{"wait": "connected", "after": 60}]}}
MAKE = f"""
from datetime import timedelta
from pathlib import Path
from calls.models import *
support = Queue.objects.get(name="Support")
text = Path("calls/flows/self_service.yaml").read_text()
voice = Voice.objects.create(name="Self-service", kind="flow", text=text, queue=support)
Action.objects.create(voice=voice, name="person", kind="queue", queue=support)
Action.objects.create(voice=voice, name="call_back", kind="callback", queue=support)
VoiceTable.objects.create(voice=voice, name="orders", text="order,status,expected\\n4711,sent,on Friday\\n")
PhoneNumber.objects.filter(e164="{SUPPORT}").update(destination="voice", voice=voice, consent="We listen.")
"""
MAKE_BOOKING = f"""
from calls.models import *
voice = Voice.objects.create(name="Rooms", kind="flow", text={BOOKING!r})
PhoneNumber.objects.filter(e164="{SALES}").update(destination="voice", voice=voice)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for all journeys of this module, with two numbers that voices answer."""
    with centre(tmp_path_factory.mktemp("voices")) as one:
        one.run(MAKE)
        one.run(MAKE_BOOKING)
        yield one


@pytest.fixture(scope="module")
def chromium(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with a microphone that speaks."""
    with talker(browser, tmp_path_factory.mktemp("microphone")) as one:
        yield one


@pytest.fixture
def mina(chromium: Browser, site: Site) -> Iterator[Page]:
    """The wall as Mina sees it, with a microphone; no page complains."""
    visitor = chromium.new_context(
        viewport={"width": 1280, "height": 900}, locale="en-GB", permissions=["microphone"]
    )
    page = visitor.new_page()
    faults = watch(page)
    page.goto(f"{site.url}/accounts/login/?next=/live/")
    page.fill("input[name=username]", MINA)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    yield page
    visitor.close()
    assert faults == []


def lines(site: Site, call: str) -> list[tuple[str, str]]:
    """Who said what, in order."""
    return [tuple(one) for one in site.ask(f"list({call}.utterances.values_list('speaker', 'text'))")]


def played(stream: dict[str, Any]) -> float:
    """How many seconds of the voice Twilio's side played to the caller."""
    return float(stream["played_back_bytes"]) / 8000


def test_a_call_back_is_booked_by_speaking_and_a_person_knows_all_of_it_before_answering(
    site: Site, chromium: Browser
) -> None:
    jonas = Desk(chromium, site, "jonas")
    jonas.ready()
    sid = site.call(to=SUPPORT, script="callback")
    call = f"Call.objects.get(legs__sid='{sid}')"
    until(lambda: site.ask(f"{call}.plan.get('step')") == "queue", "they want a person", seconds=120)
    dialog = jonas.rings()
    for words in ("Call me back", "On which day shall we call you?", "I want to speak to a person"):
        expect(dialog).to_contain_text(words)
    expect(dialog).to_contain_text("Asked for a person.")
    assert site.ask(f"Offer.objects.get(call__legs__sid='{sid}').state") == "ringing"
    jonas.accept()
    jonas.hears_words({"rather", "talk", "you", "now"})
    jonas.hang_up()
    jonas.wrap_up()
    agrees(site, sid)
    assert jonas.faults == []
    jonas.close()

    facts = site.ask(f"{call}.facts")
    assert facts["time"] == "14:30"
    promised = site.ask("list(Callback.objects.values_list('due_at', 'state'))")
    assert [(str(due)[11:16], state) for due, state in promised] == [("14:30", "open")]
    said = lines(site, call)
    cut = [text for speaker, text in said if speaker == "voice" and text.endswith("…")]
    assert len(cut) == 1, said  # interrupted once, and what nobody heard is not in it
    assert "goodbye" not in " ".join(cut).lower()
    streams = {one["stream_sid"]: one for one in truth(site, sid)["streams"]}
    voice, tap = site.ask(
        f"list(Stream.objects.filter(leg__call={call}).order_by('opened_at').values_list('sid', flat=True))"
    )
    assert streams[voice]["tracks"] == ["inbound"]
    assert sorted(streams[tap]["tracks"]) == ["inbound", "outbound"]
    turns = site.ask(f"list({call}.turns.values_list('gap_ms', flat=True))")
    assert len(turns) >= 5


def test_a_room_is_booked_by_real_speakers_without_a_network(site: Site) -> None:
    wanted = {"from": "+31612345680", "to": SALES, "script": BOOKS}
    sid = site.emulator("/emulator/calls/", wanted)["call_sid"]
    call = f"Call.objects.get(legs__sid='{sid}')"
    until(lambda: site.ask(f"{call}.state") == "ended", "the call's end", seconds=90)
    facts = site.ask(f"{call}.facts")
    said = lines(site, call)
    assert facts.get("people") == "two people", said
    assert facts.get("time") == "14:30", said
    assert facts.get("phone") == "4155550132", said
    assert said[-1] == ("voice", "Your room is booked. Goodbye."), said


def test_a_supervisor_takes_a_caller_over_from_the_voice_in_the_middle(site: Site, mina: Page) -> None:
    wanted = {"from": "+31612345681", "to": SUPPORT, "script": LISTENS}
    sid = site.emulator("/emulator/calls/", wanted)["call_sid"]
    row = mina.locator("[data-calls] .call").filter(has_text="+31612345681")
    expect(row).to_contain_text("Voice: Self-service", timeout=30_000)
    row.get_by_role("link", name=re.compile("Open")).click()
    expect(mina.locator("cc-transcript")).to_contain_text("Welcome to self service", timeout=30_000)
    mina.click('[data-act="takeover"]')
    mina.click("dialog[open] [data-yes]")
    call = f"Call.objects.get(legs__sid='{sid}')"
    until(lambda: site.ask(f"{call}.plan['step']") == "conference", "the caller is fetched")
    hers = f"Supervision.objects.get(call__legs__sid='{sid}')"
    until(lambda: {sid, site.ask(f"{hers}.leg_sid")} == set(seats(site, sid)), "the two sit together")
    both = "list(Stream.objects.open().values_list('tracks', flat=True))"
    until(lambda: site.ask(both) == [["inbound", "outbound"]], "their stream is the only one")
    voice = next(one for one in truth(site, sid)["streams"] if one["tracks"] == ["inbound"])
    assert voice["status"] == "stopped"
    site.emulator(f"/emulator/calls/{sid}/hangup/", {})
    agrees(site, sid)
