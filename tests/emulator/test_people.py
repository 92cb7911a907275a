"""People on the telephone: they wait for what they notice, answer where they were put, call each other."""

from datetime import datetime
from typing import Any

import pytest

from emulator.people.script_files import from_directory, load, shipped
from emulator.people.scripts import ScriptError
from tests.emulator.conftest import ALICE, OFFICE, Box
from tests.emulator.product import Product
from tests.emulator.story import Person, after, call, tell

BOB = "+31209999999"
SHOP = "+31205550000"


async def test_steps_follow_each_other_and_the_last_is_followed_by_the_end(
    product: Product, box: Box
) -> None:
    await call(product, box, "<Pause length='1'/><Say>Hello</Say><Pause length='60'/>")
    sid = await tell(box, Person(does=[{"wait": "quiet"}, {"press": "12", "after": 1}, {"press": "3"}]))
    await box.clock.advance(6)
    ended = await box.call(sid)
    assert [key["digit"] for key in ended["keys"]] == ["1", "2", "3"]
    assert after(ended) == ("completed", "hung up by the party")


async def test_who_waits_in_vain_hangs_up_at_last(product: Product, box: Box) -> None:
    await call(product, box, "<Say loop='0'>Hello</Say>")
    sid = await tell(box, Person(does=[{"wait": "gather"}, {"press": "1"}]))
    await box.clock.advance(59)
    assert (await box.call(sid))["status"] == "in-progress"
    await box.clock.advance(3)
    assert after(await box.call(sid)) == ("completed", "hung up by the party")


async def test_an_event_from_before_the_last_one_does_not_count(product: Product, box: Box) -> None:
    await call(product, box, "<Gather numDigits='1' action='/next/'><Say>Press a key</Say></Gather>")
    product.answers["/next/"] = "<Response><Say>Thank you very much</Say><Pause length='30'/></Response>"
    sid = await tell(
        box, Person(does=[{"wait": "gather"}, {"press": "5"}, {"wait": "quiet"}, {"press": "9"}])
    )
    await box.clock.advance(2)
    assert [key["digit"] for key in (await box.call(sid))["keys"]] == ["5"]
    await box.clock.advance(1.5)
    assert [key["digit"] for key in (await box.call(sid))["keys"]] == ["5", "9"]


async def test_each_event_is_waited_for_once(product: Product, box: Box) -> None:
    await call(product, box, "<Gather numDigits='1' action='/second/'/>")
    product.answers["/second/"] = "<Response><Gather numDigits='1' action='/third/'/></Response>"
    keys: list[dict[str, Any]] = [
        {"wait": "gather"},
        {"press": "1"},
        {"wait": "gather"},
        {"press": "2"},
        {"after": 9},
    ]
    await tell(box, Person(does=keys))
    await box.clock.advance(4)
    assert product.forms("/second/")[0]["Digits"] == "1"
    assert product.forms("/third/")[0]["Digits"] == "2"


async def test_a_text_is_spoken_and_known(product: Product, box: Box) -> None:
    await call(product, box, "<Gather input='speech' action='/said/' speechTimeout='auto'/>")
    await tell(box, Person(does=[{"wait": "gather"}, {"say": "I want to pay my bill"}, {"after": 9}]))
    await box.clock.advance(6)
    assert product.forms("/said/")[0]["SpeechResult"] == "i want to pay my bill"


async def test_hold_and_its_end_are_noticed(product: Product, box: Box) -> None:
    await call(product, box, "<Dial><Conference waitUrl=''>room</Conference></Dial>")
    steps: list[dict[str, Any]] = [
        {"wait": "hold"},
        {"press": "1"},
        {"wait": "resumed"},
        {"press": "2"},
        {"after": 60},
    ]
    sid = await tell(box, Person(does=steps))
    await tell(box, Person(does=[{"after": 60}]))
    await box.clock.advance(1)
    seat = next(iter(box.exchange.conferences.by_sid.values())).seats[sid]
    for hold in (True, False):
        seat.terms.hold = hold
        seat.settle()
        await box.clock.advance(1)
    assert [key["digit"] for key in (await box.call(sid))["keys"]] == ["1", "2"]


async def test_a_number_of_our_own_that_is_dialled_asks_its_own_address(product: Product, box: Box) -> None:
    shop = box.exchange.world.number(SHOP)
    shop.voice_url = f"{product.url}/shop/"
    product.answers["/shop/"] = "<Response><Gather action='/key/' numDigits='1'/></Response>"
    await call(product, box, f"<Dial action='/after/'>{SHOP}</Dial>")
    sid = await tell(box, Person(does=[{"wait": "connected"}, {"press": "5", "after": 1}, {"after": 60}]))
    await box.clock.advance(1)
    asked = product.forms("/shop/")[0]
    assert (asked["From"], asked["To"], asked["Direction"]) == (ALICE, SHOP, "inbound")
    assert asked["CallSid"] not in {sid, (await box.children(sid))[0]["call_sid"]}
    await box.clock.advance(12)
    assert product.forms("/after/")[0]["DialCallStatus"] == "completed"


async def test_both_ends_of_a_call_to_our_own_number_hear_each_other(product: Product, box: Box) -> None:
    tap = f"<Start><Stream url='{product.socket_url}/media/x/' track='inbound_track'/></Start>"
    box.exchange.world.number(SHOP).voice_url = f"{product.url}/shop/"
    product.answers["/shop/"] = f"<Response>{tap}<Pause length='60'/></Response>"
    await call(product, box, f"<Dial>{SHOP}</Dial>")
    await tell(
        box, Person(does=[{"wait": "connected"}, {"play": "cmd_today.wav", "after": 2}, {"after": 60}])
    )
    await box.clock.advance(8)
    there = product.forms("/shop/")[0]["CallSid"]
    stream = (await box.call(there))["streams"][0]
    assert [piece["file"] for piece in stream["played"]] == ["cmd_today.wav"]


async def test_a_number_that_dials_itself_does_not_ring_for_ever(product: Product, box: Box) -> None:
    await call(product, box, f"<Dial>{OFFICE}</Dial>")
    sid = await tell(box, Person(does=[{"after": 60}]))
    await box.clock.advance(30)
    calls = (await box.get("/emulator/log/"))["calls"]
    assert len(calls) <= 24
    assert (await box.call(sid))["status"] == "completed"


async def test_whoever_was_put_at_a_number_answers_there(product: Product, box: Box) -> None:
    box.exchange.people[BOB] = "busy"
    await call(product, box, f"<Dial action='/after/'>{BOB}</Dial>")
    await tell(box, Person(does=[{"after": 60}]))
    await box.clock.advance(4)
    assert product.forms("/after/")[0]["DialCallStatus"] == "busy"


async def test_agents_of_a_conference_play_the_callee_of_the_callers_script(
    product: Product, box: Box
) -> None:
    tap = f"<Start><Stream url='{product.socket_url}/media/x/' track='both_tracks'/></Start>"
    room = "<Dial><Conference waitUrl=''>room</Conference></Dial>"
    await call(product, box, tap + room)
    sid = await box.place("conversation")
    await box.clock.advance(1)
    product.answers["/agent/"] = f"<Response>{room}</Response>"
    await box.twilio(
        lambda client: client.calls.create(to="client:agent_7", from_=OFFICE, url=f"{product.url}/agent/")
    )
    await box.clock.advance(8)
    stream = (await box.call(sid))["streams"][0]
    assert {(piece["track"], piece["channel"]) for piece in stream["played"]} == {
        ("inbound", "caller"),
        ("outbound", "agent"),
    }


def test_every_shipped_script_can_be_read_and_has_a_title() -> None:
    scripts = shipped().by_name
    assert len(scripts) >= 15
    assert all(script.title for script in scripts.values())
    assert any(act.wait for script in scripts.values() for act in script.caller.does)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[caller]\ndoes = [{ wait = 'lunch' }]", "lunch"),
        ("[caller]\ndoes = [{ play = 'none.wav' }]", "none.wav"),
        ("[caller]\ndoes = [{ press = '1', hang_up = true }]", "one of"),
        ("[caller]\ndoes = [{ shout = 'hey' }]", "shout"),
        ("[caller]\nplays = [{ file = 'jfk.wav', channel = 'left' }]", "left"),
        ("title = ", "end of document"),
        ("surprise = 1", "surprise"),
    ],
)
def test_a_script_that_cannot_be_used_says_where(tmp_path, text: str, named: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ScriptError, match=named) as error:
        load(path, shipped().library)
    assert str(error.value).startswith("bad.toml: ")


async def test_a_call_brings_its_own_script(product: Product, box: Box) -> None:
    await call(product, box, "<Gather action='/code/' numDigits='2'/>")
    script = {"caller": {"does": [{"wait": "gather"}, {"press": "42"}]}}
    status, placed = await box.post("/emulator/calls/", {"from": ALICE, "to": OFFICE, "script": script})
    assert (status, placed["script"]) == (201, "inline")
    await box.clock.advance(3)
    assert product.forms("/code/")[0]["Digits"] == "42"


@pytest.mark.parametrize(
    ("script", "named"),
    [
        ({"caller": {"does": [{"after": "soon"}]}}, "$.caller.does[0].after"),
        ({"caller": {"plays": [{"file": "../manifest.json"}]}}, "no path"),
        ({"hangup_after": -1}, ">= 0"),
        ("nobody", "unknown script"),
        (7, "a name or an object"),
    ],
)
async def test_a_script_that_a_call_brings_is_refused_with_the_place(
    box: Box, script: object, named: str
) -> None:
    status, answer = await box.post("/emulator/calls/", {"from": ALICE, "to": OFFICE, "script": script})
    assert status == 400
    assert named in answer["error"]


def test_a_directory_of_ones_own_has_files_and_programs(tmp_path) -> None:
    (tmp_path / "shy.toml").write_text("title = 'Says nothing'\norder = 2")
    (tmp_path / "many.py").write_text(
        "from emulator.people.scripts import Act, Part, Script\n"
        "brief = Part(does=(Act(hang_up=True, after=1),))\n"
        "quick = Script('quick', order=1, caller=brief, hangup_after=None)\n"
        "slow = Script('slow', order=3)\n"
    )
    assert list(from_directory(tmp_path, shipped().library).by_name) == ["quick", "shy", "slow"]
    (tmp_path / "broken.py").write_text("1/0")
    with pytest.raises(ScriptError, match=r"broken\.py: ZeroDivisionError"):
        from_directory(tmp_path, shipped().library)


async def test_whoever_is_put_somewhere_may_be_written_out(product: Product, box: Box) -> None:
    script = {"callee": {"does": [{"wait": "connected"}, {"hang_up": True, "after": 2}]}}
    status, now = await box.post("/emulator/people/", {"to": BOB, "script": script})
    assert (status, now) == (200, {"people": {BOB: "inline"}})
    await call(product, box, f"<Dial action='/after/'>{BOB}</Dial>")
    await tell(box, Person(does=[{"after": 60}]))
    await box.clock.advance(6)
    assert product.forms("/after/")[0]["DialCallStatus"] == "completed"
    status, answer = await box.post(
        "/emulator/people/", {"to": BOB, "script": {"callee": {"reply": "maybe"}}}
    )
    assert (status, "$.callee.reply" in answer["error"]) == (400, True)


async def test_who_waits_in_vain_hangs_up_also_where_the_conversation_has_a_length(
    product: Product, box: Box
) -> None:
    await call(product, box, "<Enqueue>support</Enqueue>")
    sid = await box.place({"hangup_after": 40, "caller": {"does": [{"wait": "stream"}]}})
    await box.clock.advance(63)
    assert after(await box.call(sid)) == ("completed", "hung up by the party")


async def test_an_agent_who_meets_a_scripted_caller_stays_as_long_as_the_script_says(
    product: Product, box: Box
) -> None:
    product.answers["/twilio/voice/"] = "<Response><Enqueue waitUrl=''>support</Enqueue></Response>"
    caller = await box.place("reading_5min")
    await box.clock.advance(1)
    twiml = "<Response><Dial><Queue>support</Queue></Dial></Response>"
    agent = await box.twilio(lambda client: client.calls.create(to=BOB, from_=OFFICE, twiml=twiml))
    await box.clock.advance(200)
    assert (await box.call(agent.sid))["status"] == "in-progress"
    assert (await box.call(caller))["status"] == "in-progress"


@pytest.mark.parametrize(
    ("twiml", "told"),
    [
        ("<Reject reason='busy'/>", "busy"),
        ("<Reject/>", "failed"),
        ("<Pause length='90'/>", "no-answer"),
        ("<Say>Hello</Say>", "completed"),
    ],
)
async def test_a_number_of_our_own_is_told_to_the_action_as_it_took_the_call(
    product: Product, box: Box, twiml: str, told: str
) -> None:
    box.exchange.world.number(SHOP).voice_url = f"{product.url}/shop/"
    product.answers["/shop/"] = f"<Response>{twiml}</Response>"
    product.answers["/over/"] = "<Response/>"
    await call(product, box, f"<Dial action='/over/'>{SHOP}</Dial>")
    await box.place("listener")
    await box.clock.advance(100)
    assert product.forms("/over/")[0]["DialCallStatus"] == told


async def test_keys_that_are_played_go_back_to_who_dialled(product: Product, box: Box) -> None:
    box.exchange.world.number(SHOP).voice_url = f"{product.url}/shop/"
    product.answers["/shop/"] = "<Response><Play digits='w1wW2'/><Pause length='60'/></Response>"
    await call(product, box, f"<Dial>{SHOP}</Dial>")
    sid = await box.place("listener")
    await box.clock.advance(5)
    keys = (await box.children(sid))[0]["keys"]
    one, two = (datetime.fromisoformat(key["at"]) for key in keys)
    assert [key["digit"] for key in keys] == ["1", "2"]
    assert (two - one).total_seconds() == pytest.approx(1.7)


async def test_keys_go_through_to_a_number_of_our_own_that_was_dialled(product: Product, box: Box) -> None:
    box.exchange.world.number(SHOP).voice_url = f"{product.url}/shop/"
    product.answers["/shop/"] = "<Response><Gather numDigits='1' action='/key/'/></Response>"
    product.answers["/key/"] = "<Response><Pause length='60'/></Response>"
    await call(product, box, f"<Dial>{SHOP}</Dial>")
    sid = await box.place("listener")
    await box.clock.advance(3)
    await box.post(f"/emulator/calls/{sid}/press/", {"digits": "5"})
    await box.clock.advance(1)
    assert [form["Digits"] for form in product.forms("/key/")] == ["5"]
