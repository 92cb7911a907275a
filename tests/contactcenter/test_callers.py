"""The demo's callers: always so many calls live, script after script, and no end on one slow answer."""

from collections.abc import Callable
from typing import Any

import pytest

from contactcenter import callers as module
from contactcenter.callers import Callers
from contactcenter.stage import Failed, Stage
from tests.contactcenter.test_stage import make

SCRIPTS = [{"name": name} for name in ("conversation", "auto_repair_call", "reading_5min")]


class Console:
    """The emulator's console: remembers what was asked, tells the calls that were placed."""

    def __init__(self) -> None:
        self.placed: list[dict[str, Any]] = []
        self.ended: set[str] = set()
        self.is_silent = False

    def ask(self, url: str, body: dict[str, Any] | None = None) -> Any:
        if self.is_silent:
            raise OSError("timed out")
        if url.endswith("/hangup/"):
            self.ended.add(url.split("/")[-3])
        elif body is not None:
            self.placed.append(body)
            return {"call_sid": f"CA{len(self.placed)}"}
        calls = [f"CA{at + 1}" for at in range(len(self.placed))]
        return {
            "calls": [
                {"call_sid": sid, "ended": sid in self.ended, "streams": [{"of": sid}]} for sid in calls
            ]
        }


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Console:
    one = Console()
    monkeypatch.setattr(module, "ask", one.ask)
    return one


@pytest.fixture
def stage(tmp_path: Any) -> Stage:
    return make(tmp_path / "demo")


@pytest.fixture
def crowd(stage: Stage) -> Callable[[int], Callers]:
    return lambda wanted: Callers(stage, wanted, SCRIPTS, ["+1", "+2"], lambda at: f"+4{at}")


def test_so_many_calls_as_wanted_are_placed_in_the_scripts_order(
    console: Console, crowd: Callable[[int], Callers]
) -> None:
    crowd(4).look()
    assert [call["script"] for call in console.placed] == [
        "conversation",
        "auto_repair_call",
        "reading_5min",
        "conversation",
    ]
    assert [call["to"] for call in console.placed] == ["+1", "+2", "+1", "+1"]


def test_a_call_that_ends_is_followed_by_the_next(console: Console, crowd: Callable[[int], Callers]) -> None:
    three = crowd(2)
    three.look()
    console.ended.add("CA1")
    three.look()
    assert [call["script"] for call in console.placed] == ["conversation", "auto_repair_call", "reading_5min"]
    assert sorted(three.live) == ["CA2", "CA3"]


def test_one_call_of_a_steady_script_is_always_there(
    console: Console, crowd: Callable[[int], Callers]
) -> None:
    two = crowd(2)
    two.steady = ("auto_repair_call",)
    two.look()
    for sid in ("CA1", "CA2", "CA3"):
        console.ended.add(sid)
        two.look()
    assert [call["script"] for call in console.placed] == [
        "auto_repair_call",
        "conversation",
        "auto_repair_call",
        "reading_5min",
        "auto_repair_call",
    ]


def test_calls_that_never_work_end_the_demo_with_a_reason(
    console: Console, crowd: Callable[[int], Callers]
) -> None:
    one = crowd(1)

    def look_and_end() -> None:
        one.look()
        console.ended.update(one.live)

    for _ in range(5):
        look_and_end()
    with pytest.raises(Failed, match=r"serve\.log"):
        one.look()


def test_one_slow_answer_is_no_end_but_silence_is(console: Console, crowd: Callable[[int], Callers]) -> None:
    one = crowd(0)
    console.is_silent = True
    for _ in range(4):
        one.look()
    with pytest.raises(Failed, match="does not answer"):
        one.look()


def test_when_the_end_was_asked_for_no_call_is_placed(
    console: Console, crowd: Callable[[int], Callers], stage: Stage
) -> None:
    stage.ending.set()
    crowd(3).look()
    assert console.placed == []


def test_hanging_up_ends_all_and_keeps_what_was_seen(
    console: Console, crowd: Callable[[int], Callers]
) -> None:
    two = crowd(2)
    two.look()
    two.hang_up()
    assert console.ended == {"CA1", "CA2"}
    assert two.live == {}
    assert two.streams() == [{"of": "CA1"}, {"of": "CA2"}]
