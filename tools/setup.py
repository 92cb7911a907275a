"""Make a clone ready: virtual environment, packages, speech models, database. Safe to repeat.

python3 -m tools.setup            for running it with your own settings
python3 -m tools.setup --for demo packages and models only: the demo keeps a database of its own
python3 -m tools.setup --for test the packages of the tests too

It says when flite is missing, and installs nothing of Debian: only the tests need that.
"""

from __future__ import annotations

import argparse

from tools import packages, venv
from tools.house import VENV_PYTHON, call, say, timed


def main() -> None:
    """Read the purpose and do what it needs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--for", dest="purpose", choices=["run", "demo", "test"], default="run")
    purpose = parser.parse_args().purpose
    venv.ensure(venv.TEST if purpose == "test" else venv.RUN)
    with timed("Speech models"):
        call(VENV_PYTHON, "-m", "streams.engines.install")
    if purpose != "test":
        packages.speaker()
    if purpose == "run":
        with timed("Database"):
            call(VENV_PYTHON, "manage.py", "migrate", "--noinput", "--skip-checks", "--verbosity", "0")
        say("Ready. Simulated calls: make demo. Your own: copy .env.example to .env, fill it in, make run")


if __name__ == "__main__":
    main()
