"""A walk through a flow: what is said, asked, noted and done."""

from datetime import UTC, datetime, time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calls import tables
from calls.briefing import Briefing
from calls.flows import file as flowfile
from calls.flows import walk
from calls.flows.walk import Act, Denied, Finish, Move, Onward, Pressed, Quiet, Spoke, State, Verify
from calls.hours import Schedule, Span

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
SHIPPED = Path(flowfile.__file__).parent / "self_service.yaml"
ORDERS = tables.read("order,status,expected\n4711,on its way,tomorrow\n")
ABOUT = Briefing(voice=1, name="Self-service", kind="flow", tables={"orders": ORDERS}, may_verify=True)


def flow(steps, head=""):
    lines = "".join(f"  {line}\n" for line in steps.splitlines())
    bye = "  bye: {kind: end, text: Goodbye.}\n" if "bye" in steps else ""
    return flowfile.parse(f"{head}steps:\n{lines}{bye}")


class Walk:
    """A flow and how far somebody got in it; texts said on the way to something that waits are joined."""

    def __init__(self, flow, **about):
        self.flow, self.about = flow, Briefing(**{**vars_of(ABOUT), **about})
        self.state, self.said, self.facts = walk.begin(flow, self.about), "", {}
        self.move = Move(self.state)
        self.hears(Onward())

    def hears(self, *heard):
        """Each in turn; then on until something is waited for or done."""
        for one in heard:
            self.said = ""
            self._step(one)
            while self.move.wait_s is None and self.move.deed is None:
                self._step(Onward())
        return self.said

    def says(self, *texts):
        return self.hears(*map(Spoke, texts))

    def presses(self, keys):
        return self.hears(*map(Pressed, keys))

    def _step(self, heard):
        self.move = walk.step(self.flow, self.state, heard, about=self.about, now=NOW)
        self.state = self.move.state
        self.said = f"{self.said} {self.move.say}".strip()
        self.facts.update(self.move.facts)

    @property
    def deed(self):
        return self.move.deed


def vars_of(about):
    return {name: getattr(about, name) for name in about.__dataclass_fields__}


MENU = """\
menu:
  kind: menu
  prompt: Orders or hours?
  silent: Nothing heard.
  unclear: What?
  otherwise: bye
  fact: topic
  options:
    orders: {key: 1, also: [my order], go: orders}
    hours: {key: 2, also: [opening hours], go: hours}
orders: {kind: end, text: 'Orders, {topic}.'}
hours: {kind: end, text: Hours.}
person: {kind: do, action: person, text: One moment., reason: 'Asked, {topic}', otherwise: bye}
"""
ANYWHERE = "anywhere:\n  a person: {key: 0, also: [an agent], go: person}\n"


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        (Spoke("my order, please"), "Orders, orders."),
        (Spoke("opening ours"), "Hours."),
        (Pressed("2"), "Hours."),
        (Pressed("0"), "One moment."),
        (Spoke("let me talk to an agent"), "One moment."),
        (Spoke("the weather"), "What? Orders or hours?"),
        (Pressed("9"), "What? Orders or hours?"),
        (Quiet(), "Nothing heard. Orders or hours?"),
    ],
)
def test_a_menu(heard, said):
    assert Walk(flow(MENU, ANYWHERE)).hears(heard) == said


def test_a_choice_is_noted_and_a_person_hears_of_it():
    caller = Walk(flow(MENU, ANYWHERE))
    caller.presses("1")
    assert caller.facts == {"topic": "orders"}
    caller = Walk(flow(MENU, ANYWHERE), facts={"topic": "hours", "other": "x"})
    caller.presses("0")
    assert caller.deed == Act("person", "Asked, hours", "")


def test_after_so_many_tries_it_goes_on_otherwise():
    caller = Walk(flow(MENU, ANYWHERE))
    assert caller.hears(Quiet(), Spoke("hm")).startswith("What?")
    assert (caller.hears(Quiet()), caller.deed) == ("Goodbye.", Finish())


DIGITS = """\
ask: {kind: digits, prompt: Which?, length: 4, fact: no, confirm: yes, tries: 4, otherwise: bye, go: bye}
"""
LOOSE = "ask: {kind: digits, prompt: Which?, length: 4-6, fact: order, otherwise: bye, go: bye}\n"


@pytest.mark.parametrize(
    "heard",
    [
        [Spoke("four seven one one")],
        [Spoke("4711.")],
        [Spoke("four seven"), Spoke("one one")],
        [Spoke("for seven double one")],
        [Spoke("it is four seven eleven")],
        [Pressed("4"), Pressed("7"), Pressed("1"), Pressed("1")],
        [Spoke("four"), *map(Pressed, "4711")],
    ],
    ids=str,
)
def test_digits_are_said_and_keyed_and_read_back(heard):
    caller = Walk(flow(DIGITS))
    assert caller.hears(*heard) == "4 7 1 1. Is that right?"
    assert caller.facts == {}
    caller.says("yes")
    assert (caller.facts, caller.deed) == ({"no": "4711"}, Finish())


def test_ten_digits_as_the_embedded_engine_writes_them():
    caller = Walk(flow(LOOSE.replace("4-6", "10")))
    caller.says("Four, one, five, five, five, five,", "zero, one, three, two.")
    assert caller.facts == {"order": "4155550132"}


def test_digits_that_were_heard_wrong_are_said_again():
    caller = Walk(flow(DIGITS))
    assert caller.says("four seven one nine", "no") == "Which?"
    assert caller.says("four seven one nine", "no, four seven one one") == "4 7 1 1. Is that right?"
    caller.presses("1")
    assert caller.facts == {"no": "4711"}


def test_digits_of_any_length_end_with_a_pause_or_a_key():
    said = Walk(flow(LOOSE))
    assert said.says("one two three four") == ""
    assert (said.move.wait_s or 9) < 3
    said.hears(Quiet())
    keyed = Walk(flow(LOOSE))
    keyed.presses("12345#")
    assert (said.facts, keyed.facts) == ({"order": "1234"}, {"order": "12345"})


@pytest.mark.parametrize(
    "heard",
    [
        [Spoke("one two"), Quiet()], [Pressed("1"), Quiet()], [Pressed("1"), Pressed("#")], [Pressed("*")],
        [Spoke("one two three four five six seven")], [Spoke("what do you mean?")],
    ],
    ids=str,
)  # fmt: skip
def test_too_few_or_too_many_digits_are_asked_for_again(heard):
    caller = Walk(flow(LOOSE))
    assert caller.hears(*heard) == "Sorry, I did not understand that. Which?"
    assert caller.facts == {}


def test_a_digit_is_a_digit_where_digits_are_asked_and_a_word_still_leads_away():
    steps = LOOSE + "person: {kind: do, action: person, otherwise: bye}\n"
    caller = Walk(flow(steps, ANYWHERE))
    assert caller.presses("0000#") == "Goodbye."
    caller = Walk(flow(steps, ANYWHERE))
    caller.says("an age and please")
    assert caller.deed == Act("person", "", "")


CALLBACK = """\
day: {kind: date, prompt: Which day?, fact: day, confirm: yes, otherwise: bye, go: at}
at: {kind: time, prompt: What time?, fact: at, otherwise: bye, go: call}
call: {kind: do, action: call, reason: 'Back {day} at {at}', day: day, time: at, go: told, otherwise: not}
not: {kind: yesno, prompt: Not then. Another?, yes: day, no: bye, otherwise: bye}
told: {kind: say, text: 'We call {day} at {at}.', go: bye}
"""


def test_a_call_back_with_day_and_time():
    caller = Walk(flow(CALLBACK), zone="Europe/Amsterdam")
    assert caller.says("tomorrow") == "Tomorrow. Is that right?"
    assert caller.says("yes") == "What time?"
    caller.says("two thirty p m")
    assert caller.deed == Act("call", "Back tomorrow at 2:30 PM", "2026-11-27T14:30:00+01:00")
    assert caller.facts == {"day": "2026-11-27", "at": "14:30"}
    assert caller.hears(Onward()) == "We call tomorrow at 2:30 PM. Goodbye."


def test_what_is_not_possible_goes_on_otherwise():
    caller = Walk(flow(CALLBACK))
    caller.says("today", "yes")
    caller.presses("0930")
    assert caller.hears(Denied()) == "Not then. Another?"
    assert caller.says("yes") == "Which day?"


def test_a_day_may_come_in_two_pieces_and_by_keys():
    caller = Walk(flow(CALLBACK))
    assert caller.says("the third of", "May") == "Monday 3 May. Is that right?"
    caller = Walk(flow(CALLBACK))
    assert caller.presses("0412#") == "Friday 4 December. Is that right?"
    assert Walk(flow(CALLBACK)).says("3 May 1980").startswith("Sorry")  # not ahead


def test_who_knows_the_way_is_not_asked():
    steps = "hello: {kind: say, text: Welcome., go: menu}\n" + MENU
    talk = flow(steps, ANYWHERE)
    state = walk.step(talk, walk.begin(talk, ABOUT), Onward(), about=ABOUT, now=NOW).state
    for heard, said in (
        (Spoke("opening hours"), "Hours."),
        (Pressed("1"), "Orders, orders."),
        (Spoke("an agent"), "One moment."),
        (Spoke("hello?"), "Orders or hours?"),
    ):
        assert walk.step(talk, state, heard, about=ABOUT, now=NOW).say == said


OPEN = """\
now: {kind: open, open: yes, closed: no}
yes: {kind: end, text: Open.}
no: {kind: end, text: 'Closed until {opens}.'}
"""


def test_opening_hours():
    nine_to_five = {4: (Span(time(9), time(17)),)}
    assert Walk(flow(OPEN)).said == "Open."
    assert Walk(flow(OPEN), schedule=Schedule(nine_to_five)).said == "Closed until tomorrow at 9 AM."
    assert Walk(flow(OPEN), schedule=Schedule({3: nine_to_five[4]})).said == "Open."


LOOKUP = (
    LOOSE.replace("go: bye", "go: find")
    + """\
find: {kind: lookup, table: orders, by: order, found: check, missing: none}
check: {kind: verify, text: First., ok: tell, failed: none}
tell: {kind: end, text: 'Order {order} is {orders.status}.'}
none: {kind: end, text: 'No order {order}.'}
"""
)


def test_a_row_is_looked_up_and_told_to_who_was_verified():
    caller = Walk(flow(LOOKUP))
    assert caller.presses("4711#") == "First."
    assert caller.deed == Verify("tell", "none")
    back = Walk(flow(LOOKUP), at="tell", facts={"order": "4711"})  # as it comes back from being verified
    assert back.said == "Order 4 7 1 1 is on its way."


def test_who_is_verified_is_not_verified_again():
    caller = Walk(flow(LOOKUP), verified="yes")
    assert caller.presses("4711#") == "Order 4 7 1 1 is on its way."


def test_a_row_that_is_missing():
    assert Walk(flow(LOOKUP)).presses("4712#") == "No order 4 7 1 2."


def test_without_anything_to_compare_it_goes_on_otherwise():
    caller = Walk(flow(LOOKUP))
    caller.presses("4711#")
    assert caller.hears(Denied()) == "No order 4 7 1 1."


def test_facts_are_noted_and_the_caller_named():
    steps = (
        "note: {kind: fact, fact: kind, value: 'for {caller}', go: end}\nend: {kind: end, text: 'A {kind}'}"
    )
    caller = Walk(flow(steps), caller="Carla {opens}")
    assert (caller.said, caller.facts) == ("A for Carla {opens}", {"kind": "for Carla {opens}"})


def test_a_place_that_is_gone_is_an_error():
    with pytest.raises(LookupError):
        walk.begin(flow(MENU, ANYWHERE), Briefing(**{**vars_of(ABOUT), "at": "gone"}))
    with pytest.raises(LookupError):
        walk.step(flow(MENU, ANYWHERE), State("gone"), Onward(), about=ABOUT, now=NOW)


# -- however somebody behaves ---------------------------------------------------------------------------

NAMES = ["a", "b", "c", "d", "e", "f"]
ASKED = "prompt: x, tries: {tries}, otherwise: {later}"
KINDS = [
    "{{kind: say, text: x, go: {next}}}",
    "{{kind: open, open: {next}, closed: {later}}}",
    "{{kind: verify, ok: {later}, failed: {next}}}",
    "{{kind: do, action: a, otherwise: {next}}}",
    "{{kind: do, action: b, go: {next}, otherwise: {later}}}",
    "{{kind: fact, fact: f, value: x, go: {next}}}",
    "{{kind: yesno, " + ASKED + ", yes: {next}, no: {some}}}",
    "{{kind: menu, " + ASKED + ", options: {{blue: {{key: 3, go: {next}}}, green: {{go: {some}}}}}}}",
    "{{kind: digits, " + ASKED + ", length: 2-4, fact: n, confirm: yes, go: {next}}}",
    "{{kind: digits, " + ASKED + ", length: 2, fact: n, go: {next}}}",
    "{{kind: date, " + ASKED + ", fact: d, confirm: yes, go: {next}}}",
    "{{kind: time, " + ASKED + ", fact: t, go: {next}}}",
]
HEARD = st.one_of(
    st.sampled_from("0123456789*#").map(Pressed),
    st.sampled_from(
        ["yes", "no", "blue", "green", "today", "noon", "one two", "help me", "er", "", "three four five six"]
    ).map(Spoke),
    st.text(max_size=30).map(Spoke),
    st.just(Quiet()),
    st.just(Onward()),
)


@st.composite
def files(draw):
    """Files of six steps each: most lead on, or back if somebody answers; some go round and are refused."""
    lines = []
    for at, name in enumerate(NAMES[:-1]):
        back = draw(st.sampled_from(NAMES)) if draw(st.integers(0, 9)) == 0 else ""
        ways = {
            "next": NAMES[at + 1],
            "later": back or draw(st.sampled_from(NAMES[at + 1 :])),
            "some": draw(st.sampled_from(NAMES)),
        }
        kind = draw(st.sampled_from(KINDS))
        lines.append(f"  {name}: " + kind.format(tries=draw(st.integers(1, 4)), **ways))
    lines.append("  f: {kind: end, text: x}")
    leads = draw(st.sampled_from(NAMES))
    anywhere = f"anywhere:\n  help me: {{key: 7, go: {leads}}}\n" if draw(st.booleans()) else ""
    return anywhere + "steps:\n" + "\n".join(lines) + "\n"


def bound(flow):
    """Moves in which a silent caller is out: each step once, asking steps as often as they ask, twice."""
    return 2 * sum(getattr(getattr(step, "asked", None), "tries", 0) + 2 for step in flow.steps.values())


def silence(flow, state):
    """Moves until the call is over for somebody who says nothing, and for whom nothing is possible."""
    for moves in range(1, bound(flow) + 1):
        move = walk.step(flow, state, Quiet(), about=ABOUT, now=NOW)
        state = move.state
        while move.deed and not isinstance(move.deed, Finish):
            if isinstance(move.deed, Act) and not getattr(flow.steps[state.step], "go", ""):
                return moves
            move = walk.step(flow, state, Denied(), about=ABOUT, now=NOW)
            state = move.state
        if isinstance(move.deed, Finish):
            return moves
    raise AssertionError("the caller is still there")


def walk_and_fall_silent(talk, heard):
    state = walk.begin(talk, ABOUT)
    for one in heard:
        move = walk.step(talk, state, one, about=ABOUT, now=NOW)
        if isinstance(move.deed, Finish):
            return
        if isinstance(move.deed, Act) and not getattr(talk.steps[move.state.step], "go", ""):
            return
        state = move.state
        if isinstance(move.deed, Verify):
            state = State(move.deed.failed, state.facts)
    silence(talk, state)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(files(), st.lists(HEARD, max_size=12))
def test_whoever_falls_silent_comes_to_an_end(text, heard):
    try:
        talk = flowfile.parse(text)
    except flowfile.FlowError:
        return
    walk_and_fall_silent(talk, heard)


@given(st.lists(HEARD | st.sampled_from(["order status", "call me back", "4711"]).map(Spoke), max_size=25))
def test_so_they_do_in_the_flow_that_is_shipped(heard):
    walk_and_fall_silent(flowfile.parse(SHIPPED.read_text(encoding="utf-8")), heard)
