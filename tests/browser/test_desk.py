"""The desk in Chromium: idle, ringing, on a call, wrap-up; with Twilio and the server played (deskplay)."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.deskplay import DeskPlay, call, context, iso, line, offer
from tests.browser.desks import until
from tests.browser.theatre import Stage

Arrive = Callable[..., Page]
RINGING, BAR, NOTE = "[data-ringing]", "[data-call-bar]", "textarea[data-note]"


@pytest.fixture
def play(arrive: Arrive, page: Page) -> DeskPlay:
    """Jonas at his desk, the phone registered, the line live."""
    one = DeskPlay(page)
    arrive("jonas", "/desk/")
    expect(page.locator("cc-connection")).to_have_text("Live")
    expect(page.locator("[data-phone-chip]")).to_have_text("Phone ready")
    return one


# idle


def test_an_idle_desk_tells_the_day_the_queue_and_whom_to_call_back(play: DeskPlay, page: Page) -> None:
    waiting = page.locator('[data-figure="waiting"]')
    expect(waiting.locator("[data-value]")).to_have_text("3")
    expect(waiting.locator("[data-note]")).to_have_text(re.compile(r"longest 01:\d\d"))
    expect(page.locator('[data-figure="answered"] [data-value]')).to_have_text("17")
    expect(page.locator('[data-figure="talk"] [data-value]')).to_have_text("1:27:10")
    expect(page.locator("[data-callbacks] li")).to_contain_text("About the invoice")
    page.locator("[data-callbacks] button", has_text="Cancel").click()
    page.locator("[data-callbacks] button", has_text="Cancel it?").click()
    assert play.wait_for("callback.cancel") == {"callback": 7}


def test_a_promise_is_called_now(play: DeskPlay, page: Page) -> None:
    page.locator("[data-callbacks] button", has_text="Call now").click()
    assert play.wait_for("callback.call") == {"callback": 7}
    play.answers["callback.call"] = lambda fields: {"code": "busy", "text": "Somebody is at it just now."}
    page.locator("[data-callbacks] button", has_text="Call now").click()
    expect(page.locator("[data-notices]")).to_contain_text("Somebody is at it just now.")
    play.push(dial={"allowed": False, "numbers": []})
    expect(page.locator("[data-callbacks] button", has_text="Call now")).to_have_count(0)


def test_a_number_that_another_page_brings_is_ready_and_never_dialled_by_itself(
    arrive: Arrive, stage: Stage, page: Page
) -> None:
    play = DeskPlay(page)
    play.found["number"] = {"key": "+31612345678", "shown": "+31 6 12345678", "allowed": True, "text": ""}
    call = stage.play("ring")
    stage.play("voicemail", call=call)
    arrive("jonas", f"/desk/?call={call}")
    expect(page.locator("[data-dial-form] [name=to]")).to_have_value("+31612345678")
    expect(page.locator("[data-dial-go]")).to_be_focused()
    expect(page.locator("[data-phone-chip]")).to_have_text("Phone ready")
    assert not play.of("dial")
    page.keyboard.press("Enter")
    assert play.wait_for("dial")["to"] == "+31612345678"


def test_the_status_is_chosen_with_a_reason(play: DeskPlay, page: Page) -> None:
    page.locator('[data-status="ready"]').click()
    expect(page.locator("[data-state-badge]")).to_have_text("Ready")
    expect(page.locator('[data-status="ready"]')).to_have_attribute("aria-pressed", "true")
    page.locator("[data-away-reason]").select_option("lunch")
    page.locator('[data-status="away"]').click()
    expect(page.locator("[data-state-badge]")).to_have_text("Away (Lunch)")
    assert play.of("status")[-1]["reason"] == "lunch"


def test_a_missed_call_is_told_and_one_click_leads_back(play: DeskPlay, page: Page) -> None:
    play.push(missed=True, me=play.me(reason="missed"))
    expect(page.locator("[data-missed]")).to_contain_text("You missed a call")
    page.locator("[data-back]").click()
    assert play.wait_for("status") == {"status": "ready", "reason": ""}


def test_a_refusal_is_told_in_its_own_words(play: DeskPlay, page: Page) -> None:
    play.answers["status"] = lambda fields: {"code": "wrapup", "text": "Finish the wrap-up first."}
    page.locator('[data-status="offline"]').click()
    expect(page.locator("[data-notices] .notice")).to_have_text(re.compile("Finish the wrap-up first"))
    page.locator("[data-notices] button").click()
    expect(page.locator("[data-notices] .notice")).to_have_count(0)


def test_somebody_is_called_after_the_number_was_judged(play: DeskPlay, page: Page) -> None:
    play.found["number"] = {"key": "+4420", "shown": "+44 20", "allowed": False, "text": "Not a number."}
    page.fill("[data-dial-form] [name=to]", "+4420")
    expect(page.locator("[data-verdict]")).to_have_text("Not a number.")
    expect(page.locator("[data-dial-go]")).to_be_disabled()
    number = {"key": "+31612345678", "shown": "+31 6 12345678", "allowed": True, "text": "Netherlands"}
    play.found["number"] = number
    page.fill("[data-dial-form] [name=to]", "06 12345678")
    expect(page.locator("[data-verdict]")).to_have_text("Netherlands")
    page.press("[data-dial-form] [name=to]", "Enter")
    assert play.wait_for("dial") == {"to": "+31612345678", "number": 1}
    going = call(direction="outbound", queue="")
    play.push(offer=offer(kind="dial"), call=going, context=context(), me=play.me(state="ringing"))
    badge = page.locator(f"{BAR} [data-badge]")
    expect(badge).to_have_text("Connecting your phone")
    page.evaluate("() => twilio.ring()")
    until(page, "() => twilio.call.state === 'open'")  # their own phone is taken up by itself
    for progress, words in (("initiated", "Calling"), ("ringing", "Ringing there"), ("busy", "Busy")):
        play.push(offer=offer(kind="dial", state="accepted"), call={**going, "progress": progress})
        expect(badge).to_have_text(words)
    play.push(call={**going, "state": "live", "progress": "in-progress"})
    expect(badge).to_have_text("Talking")


# ringing


def test_a_ringing_call_tells_all_that_is_known_before_it_is_answered(play: DeskPlay, page: Page) -> None:
    play.ring()
    dialog = page.locator(RINGING)
    expect(dialog.get_by_role("heading", name="Carla Visser")).to_be_visible()
    expect(dialog).to_have_attribute("role", "alertdialog")
    expect(page.locator("[data-about]")).to_have_text(re.compile(r"Support, waiting 00:4[2-9]"))
    for words in (
        "+31 6 12345678",
        "Netherlands · 14:05 there",
        "Visser Bloemen",
        "Verified",
        "gold",
        "1 unheard message",
        "My boiler is leaking again.",
        "Repair of the boiler is awaited",
        "Asked for a plumber.",
        "Boiler serviced",
        "About the invoice",
    ):
        expect(dialog).to_contain_text(words)
    expect(page.locator("[data-accept]")).to_be_focused()
    until(page, "() => document.title.includes('Carla Visser')")
    play.push(offer=None, call=None, context=None)
    expect(dialog).to_be_hidden()
    expect(page).to_have_title("Desk · Contact centre")


def test_ringing_takes_no_focus_from_who_types(play: DeskPlay, page: Page) -> None:
    field = page.locator("[data-dial-form] [name=to]")
    field.press_sequentially("+31")
    play.ring()
    expect(field).to_be_focused()
    field.press_sequentially("20")
    expect(field).to_have_value("+3120")
    page.keyboard.press("Alt+a")
    until(page, "() => twilio.call.state === 'open'")
    expect(page.locator("[data-accept]")).to_have_text(re.compile("Connecting"))


def test_accept_waits_for_the_phone_when_the_offer_comes_first(play: DeskPlay, page: Page) -> None:
    play.push(offer=offer(), call=call(), context=context())
    page.locator("[data-accept]").click()
    page.evaluate("() => twilio.ring()")
    until(page, "() => twilio.call.state === 'open'")
    assert play.of("accept") == []


def test_decline_is_told_to_the_server(play: DeskPlay, page: Page) -> None:
    play.ring()
    page.keyboard.press("Alt+d")
    assert play.wait_for("decline") == {"offer": 5}


def test_a_callback_is_looked_at_and_then_called(play: DeskPlay, page: Page) -> None:
    play.push(offer=offer(kind="callback"), call=call(), context=context())
    expect(page.locator(f"{RINGING} [data-kind]")).to_have_text("Call back")
    page.locator("[data-accept]", has_text="Call now").click()
    assert play.wait_for("accept") == {"offer": 5}
    page.evaluate("() => twilio.ring()")
    until(page, "() => twilio.call.state === 'open'")


def test_an_own_telephone_is_answered_there(play: DeskPlay, page: Page) -> None:
    page.locator("[name=phone][value=telephone]").check()
    assert play.of("phone")[-1] | {"id": 0} == {"id": 0, "do": "phone", "phone": "telephone", "ok": True}
    play.push(offer=offer(), call=call(), context=context())
    expect(page.locator("[data-how]")).to_have_text("Answer on your own telephone +31201234999.")
    expect(page.locator("[data-accept]")).to_be_hidden()
    play.answered()
    page.locator("[data-mute]").click()
    assert play.wait_for("mute") == {"offer": 5, "on": True}


def test_who_never_called_before_is_told_so(play: DeskPlay, page: Page) -> None:
    nobody = context(contact=None, calls=[], matters=[], notes=[], callbacks=[], said=[], entered={})
    play.push(offer=offer(), call=call(caller="+31612345678"), context=nobody)
    expect(page.locator(RINGING)).to_contain_text("First call from this number.")


def test_the_text_of_a_caller_stays_text(play: DeskPlay, page: Page) -> None:
    evil = "<img src=x onerror=alert(1)>"
    said = [{"text": evil, "at_ms": 1}]
    play.push(
        offer=offer(reason=evil), call=call(caller=evil), context=context(said=said, entered={evil: evil})
    )
    expect(page.locator(RINGING).get_by_role("heading", name=evil)).to_be_visible()
    assert page.locator("[data-desk] img, dialog img").count() == 0


# on a call


def test_on_a_call_keys_mute_hold_and_hang_up(play: DeskPlay, page: Page) -> None:
    play.talk()
    expect(page.locator(BAR)).to_contain_text("Carla Visser")
    page.locator("#main").focus()
    page.keyboard.press("m")
    expect(page.locator("[data-mute]")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("() => twilio.call.muted")
    page.keyboard.press("m")
    expect(page.locator("[data-mute] [data-word]")).to_have_text("Mute")
    page.keyboard.press("h")
    assert play.wait_for("hold") == {"offer": 5, "on": True}
    play.answered(held=True)
    expect(page.locator(f"{BAR} [data-badge]")).to_have_text("On hold")
    page.keyboard.press("e")
    page.locator(NOTE).press("Shift+E")  # somebody types
    assert play.of("hangup") == []
    page.locator("#main").focus()
    page.keyboard.press("Shift+E")
    assert play.wait_for("hangup") == {"offer": 5}


def test_the_keypad_presses_by_mouse_and_by_keys(play: DeskPlay, page: Page) -> None:
    play.talk()
    page.locator("[data-keypad]").click()
    page.locator('[data-key="1"]').click()
    page.keyboard.type("2#")
    expect(page.locator("[data-pressed]")).to_have_text("12#")
    assert page.evaluate("() => twilio.call.digits") == "12#"
    page.keyboard.press("Escape")
    expect(page.locator("[data-keypad]")).to_be_focused()


def test_a_call_is_transferred_after_talking_first(play: DeskPlay, page: Page) -> None:
    play.found = {
        "agents": [
            {"key": "2", "name": "Amira", "state": "ready"},
            {"key": "4", "name": "Bo", "state": "away"},
        ],
        "queues": [{"key": "1", "name": "Sales", "waiting": 2}],
        "number": None,
    }
    play.talk()
    page.locator("#main").focus()
    page.keyboard.press("t")
    field = page.locator("#transfer [data-q]")
    expect(field).to_be_focused()
    expect(page.locator(".found-item")).to_have_count(3)
    expect(page.locator('.found-item[aria-selected="true"]')).to_contain_text("Amira")
    page.fill("#transfer [name=reason]", "Wants a plumber")
    page.locator("#transfer [data-go]").click()
    wanted = {"offer": 5, "to": {"kind": "agent", "key": "2"}, "first": True, "reason": "Wants a plumber"}
    assert play.wait_for("transfer") == wanted
    expect(page.locator("#transfer")).to_be_hidden()
    play.answered(held=True, consult={"who": "Amira", "state": "talking"})
    expect(page.locator("[data-consult]")).to_contain_text("You are talking with Amira. Carla Visser waits")
    page.locator("[data-cancel-consult]").click()
    assert play.wait_for("transfer.cancel") == {"offer": 5}
    page.locator("[data-complete]").click()
    assert play.wait_for("transfer.complete") == {"offer": 5}


def test_a_queue_is_handed_to_at_once_by_arrow_keys(play: DeskPlay, page: Page) -> None:
    play.found["agents"] = [{"key": "2", "name": "Amira", "state": "ready"}]
    play.found["queues"] = [{"key": "1", "name": "Sales", "waiting": 1}]
    play.talk()
    page.locator("[data-transfer]").click()
    expect(page.locator(".found-item")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-first] [value=no]")).to_be_checked()
    page.keyboard.press("Enter")
    assert play.wait_for("transfer")["to"] == {"kind": "queue", "key": "1"}
    assert play.of("transfer")[0]["first"] is False


def test_help_is_asked_for_with_a_reason_and_called_off(play: DeskPlay, page: Page) -> None:
    play.talk()
    page.locator("[data-help]").click()
    page.fill("#help-dialog [name=reason]", "Threatens us")
    page.keyboard.press("Enter")
    assert play.wait_for("help") == {"offer": 5, "reason": "Threatens us"}
    play.push(call={**play.state["call"], "help": "Threatens us"})
    page.locator("[data-help]", has_text="Help asked").click()
    assert play.wait_for("help.done") == {"offer": 5}


def test_what_both_say_is_written_down_as_they_speak(play: DeskPlay, page: Page) -> None:
    play.talk()
    lines = page.locator("cc-transcript .line")
    expect(lines).to_have_count(2)
    partial = line(2, "", at_ms=12000)
    play.send({**partial, "type": "partial", "text": "it was"})
    expect(page.locator("cc-transcript .is-partial")).to_contain_text("it was")
    play.send({**line(2, "It was serviced last month.", at_ms=12000), "id": play.id + 1, "after": play.id})
    expect(lines).to_have_count(3)
    expect(lines.last).to_have_attribute("data-who", "caller")
    expect(page.locator("[data-line-count]")).to_have_text("3 lines")


def test_notes_are_saved_while_one_types_and_kept_while_they_cannot_be(play: DeskPlay, page: Page) -> None:
    play.talk()
    note, saved = page.locator(NOTE), page.locator("[data-saved]")
    note.fill("Boiler leaks")
    expect(saved).to_have_text("Not saved yet")
    expect(saved).to_have_text(re.compile(r"Saved \d\d:\d\d:\d\d"))
    assert play.wait_for("note") == {"call": 41, "text": "Boiler leaks"}
    play.offline = True
    note.fill("Boiler leaks again")
    expect(saved).to_have_text("Not saved yet")
    until(page, "() => localStorage.getItem('desk-note-41') === 'Boiler leaks again'")
    play.offline = False
    page.reload()
    expect(note).to_have_value("Boiler leaks again")
    assert play.wait_for("note", 2) == {"call": 41, "text": "Boiler leaks again"}
    until(page, "() => localStorage.getItem('desk-note-41') === null")


def test_contact_and_matters_are_kept_from_the_desk(play: DeskPlay, page: Page) -> None:
    play.talk()
    page.locator("[data-edit-contact]").click()
    page.fill("#contact-dialog [name=company]", "Visser en Zoon")
    page.locator("#contact-dialog .primary").click()
    saved = play.wait_for("contact.save")
    assert (saved["contact"], saved["call"], saved["company"]) == (3, 41, "Visser en Zoon")
    assert saved["tags"] == "gold, boiler"
    page.fill("[data-new-matter] [name=text]", "Send the report")
    page.keyboard.press("Enter")
    assert play.wait_for("matter.open") == {"contact": 3, "text": "Send the report"}
    page.locator("[data-matters] li button").click()
    assert play.wait_for("matter.close") == {"matter": 2}


def test_a_command_that_failed_later_is_told_once(play: DeskPlay, page: Page) -> None:
    play.talk()
    failed = {
        "command": "c1",
        "kind": "call.hold",
        "state": "failed",
        "code": "20404",
        "text": "It was gone.",
    }
    play.push(commands=[failed])
    notice = page.locator("[data-notices] .notice")
    expect(notice).to_have_text(re.compile(r"could not be put on hold\. It was gone\. \(20404\)"))
    notice.locator("button").click()
    play.push(commands=[failed], depth={"waiting": 8, "longest_since": None})
    expect(page.locator('[data-figure="waiting"] [data-value]')).to_have_text("8")
    expect(notice).to_have_count(0)


# wrap-up


def test_the_wrap_up_asks_for_an_outcome_and_leads_back(play: DeskPlay, page: Page) -> None:
    play.talk()
    page.evaluate("() => twilio.call.disconnect()")
    play.wrap_up()
    expect(page.locator("[data-due]")).to_have_text(re.compile(r"00:\d\d left"))
    due = play.state["wrapup"]["due_at"]
    page.locator("[data-extend]").click()
    assert play.wait_for("wrapup.extend") == {"wrapup": 9, "due_at": due}
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-wrapup] [data-error]")).to_have_text("Choose what became of the call.")
    page.keyboard.press("ArrowDown")
    page.locator(".callback-later summary").click()
    page.fill("[name=due]", "2031-05-06T09:30")
    page.fill("[name=about]", "Report")
    page.keyboard.press("Control+Enter")
    done = play.wait_for("wrapup.done")
    assert (done["wrapup"], done["outcome"]) == (9, "Sent on")
    later = done["callback"]
    assert isinstance(later, dict)
    assert later["note"] == "Report"
    assert later["due_at"].endswith("Z")
    play.push(wrapup=None, call=None, context=None, me=play.me(state="ready"))
    expect(page.locator('[data-mode="idle"]')).to_be_visible()


def test_notes_stay_open_in_the_wrap_up(play: DeskPlay, page: Page) -> None:
    play.talk()
    play.wrap_up(required=False)
    play.push(context=None)
    page.locator(NOTE).fill("Plumber at six")
    page.keyboard.press("Control+Enter")
    assert play.wait_for("note") == {"call": 41, "text": "Plumber at six"}
    assert play.wait_for("wrapup.done") == {"wrapup": 9, "outcome": "", "callback": None}
    assert [one["do"] for one in play.asked][-2:] == ["note", "wrapup.done"]


def test_a_time_over_is_told(play: DeskPlay, page: Page) -> None:
    play.talk()
    play.wrap_up()
    play.push(wrapup={**play.state["wrapup"], "due_at": iso(-70)})
    expect(page.locator("[data-due]")).to_have_text(re.compile(r"01:1\d over"))


# supervisors who are with the call


def test_the_desk_says_who_listens_coaches_or_has_joined(play: DeskPlay, page: Page) -> None:
    play.talk()
    said = page.locator("[data-watchers]")
    expect(said).to_have_attribute("role", "status")
    expect(said).to_have_text("")
    mina = {"name": "Mina", "mode": "coach", "state": "ringing"}
    for watchers, words in (
        ({"listeners": ["Mina"], "supervisor": None}, "Mina is listening"),
        ({"listeners": ["Mina", "Ada"], "supervisor": None}, "Mina and Ada are listening"),
        ({"listeners": ["Mina"], "supervisor": mina}, "Mina is connecting to this call"),
        ({"listeners": [], "supervisor": {**mina, "state": "in"}}, "Mina coaches you: only you hear them"),
        (
            {"listeners": ["Ada"], "supervisor": {**mina, "state": "in", "mode": "join"}},
            "Mina has joined the call · Ada is listening",
        ),
        ({"listeners": [], "supervisor": None}, ""),
    ):
        play.push(watchers=watchers)
        expect(said).to_have_text(words)


def test_what_was_said_of_supervisors_is_not_said_again_with_each_state(play: DeskPlay, page: Page) -> None:
    play.talk()
    play.push(watchers={"listeners": ["Mina"], "supervisor": None})
    expect(page.locator("[data-watchers]")).to_have_text("Mina is listening")
    page.evaluate(
        "() => new MutationObserver(() => { window.again = true; })"
        ".observe(document.querySelector('[data-watchers]'), { childList: true, characterData: true })"
    )
    play.push(depth={"waiting": 9, "longest_since": None})
    play.push(depth={"waiting": 8, "longest_since": None})
    expect(page.locator('[data-figure="waiting"] [data-value]')).to_have_text("8")
    expect(page.locator("[data-watchers]")).to_have_text("Mina is listening")
    assert page.evaluate("() => window.again") is None
    play.wrap_up()
    expect(page.locator("[data-watchers]")).to_have_text("")
