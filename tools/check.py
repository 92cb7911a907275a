"""Every check and test, in order, one line each, and what came of them at the end.

python3 -m tools.check                run all
python3 -m tools.check lint unit      run some, by name

What could not run, because a program is missing, is said at the end; with CI set it fails.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from tools import packages
from tools.house import VAR, VENV_PYTHON, in_ci, tell
from tools.names import settings_names
from tools.step import Outcome, Step, run

OTHER_RUNS = ("browser", "cluster", "journeys")
PYTEST = (str(VENV_PYTHON), "-m", "pytest", "-q", "--durations=3", "-p", "no:cacheprovider")
# Two at a time, file by file: what waits for real time waits together.
TWO = ("-n", "2", "--dist", "loadfile")
MANAGE = (str(VENV_PYTHON), "manage.py")
STRICT = {
    "SECRET_KEY": "4kV9wq7Zr2mXc8Lb3nTf6yHd1gJs5pQa0eUvRiWoYtBxNzMlKj",
    "PUBLIC_URL": "https://calls.example.com",
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "an example, for no account",
    "TWILIO_API_KEY": "SK" + "0" * 32,
    "TWILIO_API_SECRET": "an example too",
}


def steps() -> list[Step]:
    """What `make test` runs; each in a process of its own with a limit in seconds."""
    python = str(VENV_PYTHON)
    unit = [f"--ignore=tests/{name}" for name in OTHER_RUNS]
    cluster = ("redis-server", "postgresql")
    return [
        Step("lint", (python, "-m", "ruff", "check", "."), 60),
        Step("format", (python, "-m", "ruff", "format", "--check", "."), 60),
        Step("types", (python, "-m", "mypy", "."), 600),
        Step("migrations", (*MANAGE, "makemigrations", "--check", "--dry-run"), 60),
        Step("deploy", (*MANAGE, "check", "--deploy", "--fail-level", "WARNING"), 60),
        Step("unit", (*PYTEST, *TWO, *unit, "tests"), 1500, counts=True),
        Step("cluster", (*PYTEST, *TWO, "tests/cluster"), 400, needs=cluster, counts=True),
        Step("journeys", (*PYTEST, *TWO, "tests/journeys"), 1200, needs=("chromium", *cluster), counts=True),
        Step("browser", (*PYTEST, *TWO, "tests/browser"), 1700, needs=("chromium",), counts=True),
    ]


def environment() -> dict[str, str]:
    """This process's environment without settings of the product: nobody's own site decides a test."""
    ours = set(settings_names())
    kept = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in ours}
    data = VAR / "test" / "data"
    data.mkdir(parents=True, exist_ok=True)
    return {**kept, **STRICT, "ENV_FILE": os.devnull, "DATA_DIR": str(data), "PYTHONUNBUFFERED": "1"}


def main() -> None:
    """Run, sum up, and end non-zero when something failed (in CI also when something could not run)."""
    everything = steps()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[[], *(step.name for step in everything)], metavar="NAME")
    names = parser.parse_args().names or [step.name for step in everything]
    begun = time.monotonic()
    env, absent = environment(), packages.missing()
    outcomes = [run(step, env, absent) for step in everything if step.name in names]
    sys.exit(summary(outcomes, time.monotonic() - begun))


def summary(outcomes: list[Outcome], seconds: float) -> int:
    """Print the table and the sums; the exit code."""
    tell(f"\nSummary, {seconds:.0f} s")
    for outcome in outcomes:
        tell(f"  {outcome.word:<8}{outcome.name:<12}{outcome.seconds:>7.1f} s  {outcome.note}")
    unrun = [outcome for outcome in outcomes if outcome.word == "NOT RUN"]
    if unrun:
        tell(f"Not run: {', '.join(outcome.name for outcome in unrun)}")
        tell(f"To run them: {packages.command(packages.missing())}")
    passed, failed, skipped = (
        sum(getattr(o, name) for o in outcomes) for name in ("passed", "failed", "skipped")
    )
    strict = len(unrun) + skipped if in_ci() else 0
    more = f", {skipped} skipped" if skipped else ""
    tell(f"{passed} passed, {failed} failed{more}")
    return 1 if failed or strict else 0


if __name__ == "__main__":
    main()
