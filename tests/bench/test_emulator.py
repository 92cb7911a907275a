"""How the number of calls that are held is found."""

from typing import Any

import pytest

from bench import emulator

QUIET = {"calls": 300, "late": 1.0, "core_percent": 40.0, "us": 9.0}


def machine(monkeypatch: pytest.MonkeyPatch, *, percent_per_call: float, most: int) -> list[int]:
    """A machine that holds so many calls; the list fills with the rounds that were tried."""
    tried: list[int] = []

    def at(calls: int, seconds: float) -> dict[str, Any]:
        tried.append(calls)
        late = 3.0 if calls <= most else 40.0
        return {"calls": calls, "late": late, "core_percent": min(99.0, calls * percent_per_call)}

    monkeypatch.setattr(emulator, "_at", at)
    return tried


@pytest.mark.parametrize("most", [310, 500, 640, 900])
def test_the_most_calls_held_are_found_to_within_a_tenth(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    tried = machine(monkeypatch, percent_per_call=0.1, most=most)
    first = {"calls": 300, "late": 2.0, "core_percent": 30.0}
    held = emulator._most(first, 1.0)
    assert most * 0.9 < held["calls"] <= most
    assert len(tried) <= emulator.ROUNDS


def test_a_machine_that_does_not_hold_the_first_round_is_asked_for_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine(monkeypatch, percent_per_call=0.5, most=120)
    first = {"calls": 300, "late": 80.0, "core_percent": 99.0}
    assert 90 <= emulator._most(first, 1.0)["calls"] <= 120


def test_rounds_in_which_others_took_the_core_are_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = iter([60.0, 30.0, 2.0])

    def a_round(calls: int, seconds: float) -> dict[str, Any]:
        return {"calls": calls, "late": 1.0, "core_percent": 40.0, "us": 9.0, "foreign": next(foreign)}

    monkeypatch.setattr(emulator, "_round", a_round)
    assert emulator._at(300, 1.0)["foreign"] == 2.0


def test_a_core_that_is_never_free_ends_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator, "_round", lambda calls, seconds: {**QUIET, "foreign": 50.0})
    with pytest.raises(SystemExit, match="core was never free"):
        emulator._at(300, 1.0)


def test_a_round_that_does_not_come_about_was_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(calls: int, seconds: float) -> dict[str, Any]:
        raise TimeoutError("After 60 s there are 700 of 900 sockets open.")

    monkeypatch.setattr(emulator, "_round", never)
    assert emulator._at(900, 1.0)["late"] > emulator.LATE_LIMIT_MS
