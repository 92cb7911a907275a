"""The runner of the checks: what fails, what ends by its limit, what could not run."""

import sys

import pytest

from tools import check, packages
from tools.step import Outcome, Step, run


def python(code: str, **more: object) -> Step:
    """A step that runs a line of Python."""
    return Step("example", (sys.executable, "-c", code), **{"limit": 60, **more})  # type: ignore[arg-type]


def test_a_step_that_ends_well_counts_as_one() -> None:
    outcome = run(python("pass"), {}, [])
    assert (outcome.word, outcome.passed, outcome.failed) == ("ok", 1, 0)


def test_a_step_that_fails_counts_as_failed() -> None:
    outcome = run(python("raise SystemExit(3)"), {}, [])
    assert (outcome.word, outcome.passed, outcome.failed) == ("FAILED", 0, 1)


def test_a_step_is_ended_at_its_limit_with_what_it_started() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import signal; signal.pause()'])"
    outcome = run(python(code, limit=1), {}, [])
    assert outcome.word == "FAILED"
    assert "its limit of 1 s" in outcome.note


def test_a_pytest_run_without_a_report_has_failed() -> None:
    outcome = run(python("pass", counts=True), {}, [])
    assert (outcome.word, outcome.failed) == ("FAILED", 1)


def test_a_step_whose_program_is_missing_is_not_run() -> None:
    outcome = run(python("pass", needs=("chromium",)), {}, ["chromium"])
    assert (outcome.word, outcome.note) == ("NOT RUN", "chromium missing")


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_what_could_not_run_is_named_and_fails_in_ci(
    ci: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(packages, "missing", lambda: ["chromium"])
    assert check.summary([Outcome("browser", "NOT RUN"), Outcome("lint", "ok", passed=1)], 2.0) == code
    told = capsys.readouterr().out
    assert "Not run: browser" in told
    assert packages.command(["chromium"]) in told
    assert told.splitlines()[-1] == "1 passed, 0 failed"


def test_skipped_tests_fail_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert check.summary([Outcome("unit", "ok", passed=5, skipped=1)], 2.0) == 1


def test_settings_of_the_person_who_runs_the_tests_reach_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://somewhere/else")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN_FILE", "/nowhere")
    told = check.environment()
    assert "DATABASE_URL" not in told
    assert "TWILIO_AUTH_TOKEN_FILE" not in told


@pytest.mark.parametrize("there", [[], ["flite"]])
def test_running_without_flite_says_what_is_not_spoken(
    there: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(packages, "missing", lambda: [] if there else ["chromium", "flite"])
    packages.speaker()
    told = capsys.readouterr().err
    assert ("apt-get install -y --no-install-recommends flite" in told) == (not there)
