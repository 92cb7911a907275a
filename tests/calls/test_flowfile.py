"""A flow's file: what is accepted, and what is refused with its line and the reason."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calls.flows import file as flowfile
from calls.flows.file import FlowError
from calls.flows.steps import Digits, Menu

SHIPPED = Path(flowfile.__file__).parent / "self_service.yaml"
ACTIONS = {"person": "queue", "call_back": "callback"}
TABLES = {"orders": ("order", "status", "expected")}

HEAD = """\
anywhere:
  a person: {key: 0, go: person}
steps:
"""
TAIL = """\
  person: {kind: do, action: person, otherwise: bye}
  bye: {kind: end, text: Goodbye.}
"""
FIRST = HEAD.count("\n") + 1  # the line of the first step


def flow(steps, **given):
    """The steps, written with two spaces less than they have in a file, between a head and a tail."""
    lines = "".join(f"  {line}\n" for line in steps.splitlines())
    return flowfile.parse(HEAD + lines + TAIL, **given)


def refusals(steps, **given):
    with pytest.raises(FlowError) as refused:
        flow(steps, **given)
    return refused.value.problems


def first(steps, **given):
    """The first refusal, its line counted from the first step."""
    line, reason = refusals(steps, **given)[0]
    return line - FIRST + 1, reason


def test_the_flow_that_is_shipped_is_accepted():
    shipped = flowfile.parse(SHIPPED.read_text(encoding="utf-8"), actions=ACTIONS, tables=TABLES)
    assert shipped.start == "hello"
    assert isinstance(shipped.steps["menu"], Menu)
    assert shipped.kinds == {"topic": "text", "order": "digits", "day": "day", "time": "time"}


def test_texts_stay_as_they_were_written():
    read = flow(
        """\
ask: {kind: yesno, prompt: Now?, yes: no, no: yes, otherwise: bye}
"no": {kind: say, text: 1:30, go: bye}
yes: {kind: say, text: yes, go: 007}
"007": {kind: say, text: x, go: bye}
""".replace('"007"', "oo7").replace("007", "oo7")
    )
    assert read.steps["ask"].yes == "no"
    assert read.steps["no"].text == "1:30"
    assert read.steps["yes"].text == "yes"


def test_defaults():
    asked = flow("ask: {kind: digits, prompt: Digits?, fact: order, otherwise: bye, go: bye}").steps["ask"]
    assert isinstance(asked, Digits)
    assert (asked.least, asked.most, asked.confirm, asked.asked.tries) == (1, 20, "", 3)


ASK = "ask: {kind: digits, prompt: Digits?, fact: order, otherwise: bye, go: bye}\n"


@pytest.mark.parametrize(
    ("steps", "line", "reason"),
    [
        # -- steps that lead nowhere, or that nobody reaches
        ("a: {kind: say, text: x}", 1, "leads nowhere: it has no “go”"),
        ("a: {kind: say, text: x, go: persn}", 1, "There is no step “persn”. Did you mean “person”?"),
        ("a: {kind: say, text: x, go: bye}\nb: {kind: say, text: x, go: bye}", 2, "Nobody reaches the step"),
        ("a: {kind: say, text: x, go: bye}\na: {kind: say, text: x, go: bye}", 2, "two steps “a”"),
        # -- loops
        (
            "a: {kind: say, text: x, go: b}\nb: {kind: say, text: x, go: c}\nc: {kind: say, text: x, go: a}",
            1,
            "goes round and never asks: a → b → c → a",
        ),
        ("a: {kind: say, text: x, go: a}", 1, "never asks: a → a"),
        ("a: {kind: open, open: bye, closed: a}", 1, "never asks"),
        ("a: {kind: verify, ok: bye, failed: a}", 1, "never asks"),
        ("a: {kind: yesno, prompt: x, yes: bye, no: bye, otherwise: a}", 1, "could ask for ever"),
        (
            "a: {kind: yesno, prompt: x, yes: bye, no: bye, otherwise: b}\nb: {kind: say, text: x, go: a}",
            1,
            "could ask for ever: who says nothing goes a → b → a",
        ),
        # -- what is missing
        ("a:\n  kind: digits\n  fact: order\n  go: bye\n  otherwise: bye", 1, "has no prompt"),
        ("a: {kind: yesno, prompt: x, yes: bye, no: bye}", 1, "leads nowhere: it has no “otherwise”"),
        ("a: {kind: say, go: bye}", 1, "has no text"),
        ("a: {text: x, go: bye}", 1, "has no kind"),
        ("a: {kind: digits, prompt: x, otherwise: bye, go: bye}", 1, "has no fact"),
        ("a: {kind: menu, prompt: x, otherwise: bye}", 1, "must hold choices"),
        ("a: {kind: do, action: person}", 1, "it has no “otherwise”"),
        # -- what is written wrong
        ("a: {kind: sya, text: x, go: bye}", 1, "There is no kind “sya”. Did you mean “say”?"),
        ("a:\n  kind: say\n  text: x\n  got: bye", 4, "has no field “got”. Did you mean “go”?"),
        ("a: {kind: say, text: x, text: y, go: bye}", 1, "stands here twice"),
        ("a: {kind: say, text: [x], go: bye}", 1, "must be a text"),
        ("a: {kind: say, text: {order}, go: bye}", 1, "must be a text"),
        ("a: {kind: say, text: , go: bye}", 1, "is empty"),
        ("a: say", 1, "must hold fields"),
        ("A b: {kind: say, text: x, go: bye}", 1, "no name of a step"),
        ("a: {kind: yesno, prompt: x, tries: 10, yes: bye, no: bye, otherwise: bye}", 1, "from 1 to 9"),
        ("a: {kind: yesno, prompt: x, tries: many, yes: bye, no: bye, otherwise: bye}", 1, "not “many”"),
        ("a: {kind: digits, prompt: x, length: 6-4, fact: f, go: bye, otherwise: bye}", 1, "such as 4 or"),
        ("a: {kind: digits, prompt: x, confirm: Ok?, fact: f, go: bye, otherwise: bye}", 1, "with {value}"),
        ("a: {kind: date, prompt: x, lies: behind, fact: f, go: bye, otherwise: bye}", 1, "is ahead or past"),
        ("a: {kind: fact, fact: caller, value: x, go: bye}", 1, "has a meaning of its own"),
        (f"a: {{kind: say, text: {'x' * 501}, go: bye}}", 1, "has 501 characters; at most 500"),
        ("a: {kind: say, text: 'Hello {nmae}', go: b}\nb: {kind: fact, fact: name, value: x, go: bye}", 1,
         "No step notes the fact “nmae”. Did you mean “name”?"),
        ("a: {kind: say, text: 'Hello {orders.status}', go: bye}", 1, "No step looks anything up"),
        ("a: {kind: say, text: 'Hello {', go: bye}", 1, "{ and } stand around the name of a fact only"),
        ("a: {kind: lookup, table: orders, by: order, found: bye, missing: bye}", 1, "No step notes"),
        # -- keys to Twilio
        ("a: {kind: send_keys, keys: 123, go: bye}", 1, "Media Streams cannot send keys: Twilio takes"),
        ("a: {kind: dtmf, text: 123, go: bye}", 1, "Media Streams cannot send keys"),
        ("a:\n  kind: say\n  text: x\n  send: 12#\n  go: bye", 4, "Media Streams cannot send keys"),
    ],
)  # fmt: skip
def test_a_step_is_refused_with_its_line_and_the_reason(steps, line, reason):
    found = [told for at, told in refusals(steps) if at - FIRST + 1 == line]
    assert any(reason in told for told in found), found


MENU = "a:\n  kind: menu\n  prompt: x\n  otherwise: bye\n  options:\n"


@pytest.mark.parametrize(
    ("options", "line", "reason"),
    [
        (
            "one: {key: 1, go: bye}\ntwo: {key: 1, go: bye}",
            2,
            "The key “1” is that of “one” already, in line 9",
        ),
        ("one: {key: 1, go: bye}\ntwo: {also: [One!], go: bye}", 2, "The phrase “one” is that of “one”"),
        ("one: {go: bye}\none: {go: bye}", 2, "The phrase “one”"),
        ("one: {key: 0, go: bye}", 1, "“0” is “a person” anywhere, see line 2"),
        ("a person: {go: bye}", 1, "“a person” is “a person” anywhere"),
        ("one: {key: 12, go: bye}", 1, "A key is one of 0 to 9, * and #, not “12”"),
        ("one: {key: , go: bye}", 1, "A sign such as # needs quotes"),
        ("one: {key: 1}", 1, "“one” leads nowhere"),
        ("one: bye", 1, "“one” must hold fields"),
        ("one: {key: 1, go: bye, say: x}", 1, "“one” has no field “say”"),
        ("'…': {go: bye}", 1, "has no word in it"),
        ("one two three four five six seven: {go: bye}", 1, "at most 6 words"),
        ("\n".join(f"o{n}: {{go: bye}}" for n in range(13)), 0, "at most 12 can be told"),
    ],
)
def test_a_menu_is_refused(options, line, reason):
    held = "".join(f"    {one}\n" for one in options.splitlines())
    found = first(MENU + held)
    assert reason in found[1]
    assert found[0] == MENU.count("\n") + line


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("help me: {key: 1, go: a}", "means yes, and cannot mean more anywhere"),
        ("help me: {key: '#', go: a}", "ends digits"),
        ("no: {go: a}", "answers yes or no"),
        ("help me: {key: 5, go: nowhere}", "There is no step “nowhere”"),
    ],
)
def test_what_works_anywhere_must_mean_the_same_everywhere(option, reason):
    with pytest.raises(FlowError) as refused:
        flowfile.parse(f"anywhere:\n  {option}\nsteps:\n  a: {{kind: end, text: x}}\n")
    assert (refused.value.line, reason in refused.value.reason) == (2, True)


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ("a: {kind: do, action: persn, otherwise: bye}", "has no action “persn”. Did you mean “person”?"),
        ("a: {kind: do, action: call_back, otherwise: bye}", "does not end the call"),
        ("a: {kind: do, action: person, go: bye, otherwise: bye}", "Nothing follows “person”"),
        ("a: {kind: do, action: call_back, day: d, otherwise: bye, go: bye}", "needs both “day” and “time”"),
        (
            ASK + "b: {kind: do, action: call_back, day: order, time: order, otherwise: bye, go: bye}",
            "is digits; here a day is needed",
        ),
        (
            ASK.replace("go: bye", "go: b")
            + "b: {kind: lookup, table: ordrs, by: order, found: bye, missing: bye}",
            "has no table “ordrs”. Did you mean “orders”?",
        ),
        (
            ASK.replace("go: bye", "go: b")
            + "b: {kind: lookup, table: orders, by: order, found: c, missing: bye}\n"
            + "c: {kind: say, text: 'It is {orders.state}', go: bye}",
            "has no column “state”. Did you mean “status”?",
        ),
    ],
)  # fmt: skip
def test_actions_and_tables_must_be_there(steps, reason):
    assert any(reason in told for _, told in refusals(steps, actions=ACTIONS, tables=TABLES))


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "The flow is empty"),
        ("# nothing\n", 1, "The flow is empty"),
        ("steps:\n", 1, "has no steps"),
        ("[]", 1, "must hold fields"),
        ("steps:\n  a: {kind: say\n", 3, "This is no YAML"),
        ("steps:\n  a:\n    kind: say\n    text: now: go\n", 4, "needs quotes around it"),
        ("steps:\n\ta: x\n", 2, "This is no YAML"),
        ("steps:\n  a: &b {kind: end, text: x}\n", 2, "Anchors and aliases"),
        ("steps:\n  a: *b\n", 2, "Anchors and aliases"),
        ("steps:\n  a: !!python/object:os.system {}\n", 2, "Tags"),
        ("steps: {[a]: b}", 1, "A name must be a word"),
        ("steps:\n  a: \x07\n", 2, "cannot be read"),
        ("steps:\n  a: \ud800\n", 2, "cannot be read"),
        ("a: 1\n---\nb: 2\n", 2, "This is no YAML"),
        ("[" * 20, 1, "levels deep"),
        ("a: " + "x" * 60_000, 1, "at most 60000 characters"),
        ("[" + "x," * 7000 + "]", 1, "too much"),
        ("steps:\n" + "".join(f"  a{n}: {{kind: end, text: x}}\n" for n in range(151)), 1, "at most 150"),
        ("start: b\nsteps:\n  a: {kind: end, text: x}\n", 1, "There is no step “b”"),
        ("begin: a\nsteps:\n  a: {kind: end, text: x}\n", 1, "has no field “begin”"),
        ("language: Klingon!\nsteps:\n  a: {kind: end, text: x}\n", 1, "no language"),
        ("language: nl-NL\nsteps:\n  a: {kind: date, prompt: x, fact: d, go: b, otherwise: b}\n"
         "  b: {kind: end, text: x}\n", 3, "understood in English only"),
    ],
)  # fmt: skip
def test_a_file_is_refused_with_its_line_and_the_reason(text, line, reason):
    with pytest.raises(FlowError) as refused:
        flowfile.parse(text)
    assert any(reason in told and line == at for at, told in refused.value.problems), refused.value


def test_every_problem_is_told_by_line():
    found = refusals("a: {kind: sya, go: bye}\nb: {kind: say, text: x, go: nowhere}\nc: {kind: yesno}")
    assert [line for line, _ in found] == sorted(line for line, _ in found)
    assert {line - FIRST + 1 for line, _ in found} == {1, 2, 3}
    assert str(FlowError(found)).startswith(f"Line {FIRST}: ")


WORDS = [
    "steps", "start", "anywhere", "kind", "say", "menu", "digits", "text", "prompt", "go", "otherwise", "a",
    "b",     ":", ": ", "\n", "\n  ", "\n    ", "{", "}", "[", "]", ",", "'", '"', "#", "-", "|", ">",
    "&", "*", "!", "?", "0",
]  # fmt: skip


@given(st.text(max_size=400) | st.lists(st.sampled_from(WORDS), max_size=120).map("".join))
def test_nothing_but_a_flow_error_is_raised(text):
    lines_refused(text)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=150)
@given(st.integers(0, 3000), st.integers(0, 60), st.sampled_from([*WORDS, "", "\x00", "go: menu", "{x}"]))
def test_nor_for_a_flow_that_was_damaged(at, length, other):
    text = SHIPPED.read_text(encoding="utf-8")
    lines_refused(text[:at] + other + text[at + length :], actions=ACTIONS, tables=TABLES)


def lines_refused(text, **given):
    """Whatever it is, it is accepted, or every refusal has its line and its reason."""
    problems: tuple[tuple[int, str], ...] = ()
    try:
        flowfile.parse(text, **given)
    except FlowError as refused:
        problems = refused.problems
    assert all(line >= 1 and reason for line, reason in problems)
