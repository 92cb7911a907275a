"""The contact centre through real processes and real desks: from the queue to the agent, and on."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.agreement import agrees, asked_of_twilio, seats, truth
from tests.journeys.centre import PERSON, RINGING, Desk, centre, talker
from tests.journeys.story import AGENT_SAYS, CALLER_SAYS
from tests.processes import until
from tests.product import Site
from tests.world import SUPPORT

Sit = Callable[[str], Desk]

ABROAD = "+881612345678"
ANSWERS_LATE = {
    "hangup_after": None,
    "callee": {"answer_after": 5, "plays": [{"file": "conversation.wav", "channel": "caller"}]},
    "caller": {"answer_after": 5, "plays": [{"file": "conversation.wav", "channel": "caller"}]},
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for all journeys of this module."""
    with centre(tmp_path_factory.mktemp("centre")) as one:
        yield one


@pytest.fixture(scope="module")
def chromium(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with a microphone that speaks."""
    with talker(browser, tmp_path_factory.mktemp("microphone")) as one:
        yield one


@pytest.fixture
def sit(chromium: Browser, site: Site) -> Iterator[Sit]:
    """`sit("jonas")` opens a desk; at the end all calls are over, all desks closed, no page complained."""
    desks: list[Desk] = []

    def down(username: str) -> Desk:
        desks.append(Desk(chromium, site, username))
        return desks[-1]

    yield down
    for call in site.truth()["calls"]:
        if not call["ended"]:
            site.emulator(f"/emulator/calls/{call['call_sid']}/hangup/", {})
    for desk in desks:
        desk.close()
    site.run(
        "from calls.models import *; from django.utils import timezone; "
        "WrapUp.objects.filter(closed_at=None).update(closed_at=timezone.now()); "
        "Agent.objects.update(status='offline', present_until=None, desk='')"
    )
    until(lambda: not site.ask("Call.objects.exclude(state='ended').count()"), "every call is over")
    assert [fault for desk in desks for fault in desk.faults] == []


def test_a_caller_reaches_an_agent_who_sees_who_it_is_before_answering(site: Site, sit: Sit) -> None:
    jonas = sit("jonas")
    jonas.ready()
    sid = site.call(to=SUPPORT, script="conversation")
    dialog = jonas.rings()
    for words in ("Carla Visser", "Netherlands", "Waits for a replacement part", "Likes to be called Carla."):
        expect(dialog).to_contain_text(words)
    expect(dialog).to_contain_text(re.compile(r"\d\d:\d\d there"))
    assert site.ask(f"Offer.objects.get(call__legs__sid='{sid}').state") == "ringing"
    jonas.accept()
    jonas.hears_words(CALLER_SAYS)
    jonas.hears_words(AGENT_SAYS)
    jonas.page.fill("textarea[data-note]", "Wants it by Friday.")
    expect(jonas.page.locator("[data-saved]")).to_contain_text("Saved")
    jonas.hang_up()
    jonas.page.click("[data-done]")
    expect(jonas.page.locator("[data-wrapup] [data-error]")).to_be_visible()
    jonas.wrap_up()
    jonas.says("Ready")
    agrees(site, sid)
    call = f"Call.objects.get(legs__sid='{sid}')"
    assert site.ask(f"[{call}.outcome, {call}.agent.name]") == ["answered", "Jonas"]
    assert site.ask(f"list({call}.notes.values_list('text', flat=True))") == ["Wants it by Friday."]
    assert site.ask(f"list({call}.wrapups.values_list('outcome', flat=True))") == ["Solved"]
    assert truth(site, sid)["ended"]


def test_a_call_is_given_to_a_colleague_after_a_word_with_her(site: Site, sit: Sit) -> None:
    jonas, amira = sit("jonas"), sit("amira")
    jonas.ready()
    sid = site.call(to=SUPPORT, script="conversation")
    jonas.accept()
    amira.ready()
    jonas.page.click("[data-transfer]")
    jonas.page.fill("#transfer [data-q]", "Amira")
    expect(jonas.page.locator("#transfer [role=option][aria-selected=true]")).to_contain_text("Amira")
    jonas.page.fill("#transfer [name=reason]", "Knows the order")
    jonas.page.click("#transfer [data-go]")
    expect(amira.rings()).to_contain_text("Knows the order")
    amira.accept()
    call = f"Call.objects.get(legs__sid='{sid}')"
    seat = f"Participant.objects.get(conference__call={call}, leg__kind='caller')"
    assert site.ask(f"{seat}.held") is True
    until(lambda: seats(site, sid)[sid]["hold"] is True, "by Twilio's side the caller is on hold")
    jonas.page.click("[data-complete]")
    jonas.says("Wrap-up")
    until(lambda: site.ask(f"{seat}.held") is False, "the caller is taken back")
    assert site.ask(f"[{call}.state, {call}.agent.name]") == ["live", "Amira"]
    hers = site.ask(f"{call}.offers.get(agent__name='Amira').leg_sid")
    until(lambda: set(seats(site, sid)) == {sid, hers}, "by Twilio's side the two of them are left")
    assert seats(site, sid)[sid]["hold"] is False
    jonas.wrap_up()
    amira.hang_up()
    amira.wrap_up()
    agrees(site, sid)


def test_an_agent_who_disappears_while_it_rings_loses_the_call_to_the_next(site: Site, sit: Sit) -> None:
    jonas = sit("jonas")
    jonas.ready()
    sid = site.call(to=SUPPORT, script="conversation")
    jonas.rings()
    amira = sit("amira")
    amira.ready()
    jonas.close()
    amira.accept()
    [status, reason] = site.ask("Agent.objects.values_list('status', 'reason').get(name='Jonas')")
    assert status == "away"
    assert reason in {"connection", "missed"}
    offers = f"Offer.objects.filter(call__legs__sid='{sid}').order_by('id')"
    assert site.ask(f"list({offers}.values_list('agent__name', 'state'))") == [
        ["Jonas", "missed"],
        ["Amira", "accepted"],
    ]
    amira.hang_up()
    amira.wrap_up()
    agrees(site, sid)


def test_a_page_that_is_loaded_again_gets_its_caller_back_from_hold(site: Site, sit: Sit) -> None:
    jonas = sit("jonas")
    jonas.ready()
    sid = site.call(to=SUPPORT, script="auto_repair_call")
    jonas.accept()
    call = f"Call.objects.get(legs__sid='{sid}')"
    seat = f"Participant.objects.get(conference__call={call}, leg__kind='caller')"
    until(lambda: site.ask(f"{seat}.joined_at is not None"), "the caller is in the conference")
    first = site.ask(f"{call}.offers.get().leg_sid")
    jonas.page.once("dialog", lambda question: question.accept())
    jonas.page.reload()
    expect(jonas.rings()).to_contain_text("Carla Visser")
    assert site.ask(f"{seat}.held") is True
    assert seats(site, sid)[sid]["hold"] is True
    lost = datetime.fromisoformat(truth(site, first)["ended"])
    back = datetime.fromisoformat(site.ask(f"{call}.offers.get(kind='resume').created_at"))
    assert timedelta() <= back - lost <= timedelta(seconds=10)
    jonas.accept()
    until(lambda: site.ask(f"{seat}.held") is False, "they talk again")
    assert seats(site, sid)[sid]["hold"] is False
    assert site.ask(f"list({call}.offers.order_by('id').values_list('kind', flat=True))") == [
        "queue",
        "resume",
    ]
    jonas.hang_up()
    jonas.wrap_up()
    agrees(site, sid)


def test_an_agent_calls_a_person_and_sees_how_it_goes(site: Site, sit: Sit) -> None:
    site.emulator("/emulator/people/", {"to": PERSON, "script": ANSWERS_LATE})
    jonas = sit("jonas")
    jonas.ready()
    jonas.page.fill("[data-dial-form] [name=to]", PERSON)
    jonas.page.click("[data-dial-go]")
    badge = jonas.page.locator("[data-call-bar] [data-badge]")
    for words in ("Ringing there", "Talking"):
        expect(badge).to_have_text(words)
    jonas.says("On a call")
    person = "Leg.objects.filter(kind='person', call__caller='" + PERSON + "')"
    until(lambda: site.ask(f"{person}.filter(status='in-progress').count()") == 1, "the person answers")
    sid = site.ask(f"{person}.get().sid")
    until(lambda: len(truth(site, sid)["streams"]) == 1, "the stream is attached to the person's leg")
    assert truth(site, sid)["streams"][0]["made_by"] == "rest"
    jonas.hears_words(CALLER_SAYS)  # the person; Jonas' microphone says the other track
    jonas.hears_words(AGENT_SAYS)
    jonas.hang_up()
    jonas.wrap_up()
    expect(jonas.page.locator(RINGING)).to_be_hidden()
    agrees(site, sid)
    tickets = f"Ticket.objects.filter(leg__sid='{sid}')"
    assert site.ask(f"list({tickets}.values_list('origin', flat=True))") == ["rest"]


def test_a_destination_that_is_not_allowed_is_refused_and_twilio_is_not_asked(site: Site, sit: Sit) -> None:
    """By the page, which offers no Call, and by the server, when a page asks for it all the same."""
    jonas = sit("jonas")
    jonas.ready()
    calls = site.ask("Call.objects.count()")
    jonas.page.fill("[data-dial-form] [name=to]", ABROAD)
    expect(jonas.page.locator("[data-verdict]")).to_contain_text("not allowed")
    expect(jonas.page.locator("[data-dial-go]")).to_be_disabled()
    number = int(jonas.page.locator("[data-dial-form] [name=number]").input_value())
    status, answer = jonas.asks("dial", to=ABROAD, number=number)
    assert (status, answer["error"]["code"]) == (409, "not_allowed")
    assert "not allowed" in answer["error"]["text"]
    assert asked_of_twilio(site, ABROAD) == []
    assert site.ask("Call.objects.count()") == calls
