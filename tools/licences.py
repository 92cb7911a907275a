"""The packages that are installed with ours, and their licences, as rows for THIRD_PARTY.md.

.venv/bin/python -m tools.licences   print the three tables, to be put into THIRD_PARTY.md
"""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from tools.house import ROOT

# Extras that the requirements ask for, whose packages count too.
EXTRAS = {"psycopg": {"binary", "pool"}, "environs": {"django"}, "twisted": {"tls"}, "openai": {"realtime"}}
# Licences that a package's own metadata does not name plainly.
PLAINLY = {"channels-redis": "BSD-3-Clause", "audioop-lts": "PSF-2.0", "async-timeout": "Apache-2.0"}


def main() -> None:
    """Print what runs, what an AI agent needs more, and what only tests, checks and measurements use."""
    run = closure(named("requirements.txt"))
    agent = closure(named("requirements-openai.txt")) - run
    tests = closure(named("requirements-dev.txt")) - run - agent
    for title, names in (("run time", run), ("AI agent", agent), ("tests", tests)):
        print(f"\n{title}\n| package | licence |\n| --- | --- |")
        for name in sorted(names):
            print(f"| {name} | {licence(name)} |")


def named(requirements: str) -> set[str]:
    """The packages that a requirements file names, and those that the files named in it do."""
    lines = Path(ROOT, requirements).read_text(encoding="utf-8").splitlines()
    own = {normal(re.split(r"[\[=; #]", line)[0]) for line in lines if re.match(r"\w", line)}
    return own.union(*(named(line[3:].strip()) for line in lines if line.startswith("-r ")))


def normal(name: str) -> str:
    """A package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(names: set[str]) -> set[str]:
    """The packages and all that they need, as far as they are installed here."""
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        if name in found or not installed(name):
            continue
        found.add(name)
        waiting |= needs(name)
    return found


def installed(name: str) -> bool:
    """Whether the package is here; some are needed by other Pythons only."""
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def needs(name: str) -> set[str]:
    """What a package asks for, optional parts only where we ask for them."""
    asked = set()
    for line in metadata.requires(name) or []:
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", line)
        if extra is None or extra.group(1) in EXTRAS.get(name, ()):
            asked.add(normal(re.split(r"[ ;<>=!~\[(]", line)[0]))
    return asked


def licence(name: str) -> str:
    """The licence as the package states it: expression, else classifier, else text."""
    if name in PLAINLY:
        return PLAINLY[name]
    about = metadata.metadata(name)
    classes = [c.split(" :: ")[-1] for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
    stated = [
        *(about.get_all("License-Expression") or []),
        "; ".join(classes),
        *(about.get_all("License") or []),
    ]
    return next((str(text).splitlines()[0] for text in stated if text), "not stated")


if __name__ == "__main__":
    main()
