"""The virtual environment in .venv: made once, filled again only when the requirements changed."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

from tools.house import ROOT, VENV, VENV_PYTHON, say, timed

RUN = "requirements.txt"
AGENT = "requirements-openai.txt"
TEST = "requirements-dev.txt"
STAMP = VENV / "installed.json"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(VENV_PYTHON)]


def ensure(requirements: str) -> None:
    """Bring .venv to the named requirements file; RUN and AGENT are contained in TEST."""
    if not usable():
        create()
    if installed(requirements):
        say("Python packages: unchanged")
        return
    with timed(f"Python packages of {requirements} (the first time takes a minute or two)"):
        install(requirements)
    remember(requirements)


def usable() -> bool:
    """Whether .venv has a Python that runs and is the version of this one."""
    if not VENV_PYTHON.exists():
        return False
    wanted = "import sys; print(sys.version_info[:2])"
    answer = subprocess.run([VENV_PYTHON, "-c", wanted], capture_output=True, text=True)
    return answer.stdout.strip() == str(sys.version_info[:2])


def create() -> None:
    """Make .venv anew; where Debian's python3 lacks ensurepip, this Python's pip puts a pip into it."""
    bare = outer_pip()
    if not bare and importlib.util.find_spec("ensurepip") is None:
        sys.exit("This Python has neither pip nor ensurepip. On Debian: apt-get install python3-pip")
    with timed(f"Virtual environment in .venv, Python {sys.version.split()[0]}"):
        shutil.rmtree(VENV, ignore_errors=True)
        options = ["--without-pip"] if bare else []
        subprocess.run([sys.executable, "-m", "venv", *options, str(VENV)], check=True)
        if bare:
            subprocess.run([*PIP, "install", "--quiet", "pip"], check=True)


def outer_pip() -> bool:
    """Whether this Python's pip can install into another environment (`--python`, pip 22.3 and later)."""
    asked = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, text=True)
    if asked.returncode:
        return False
    major, minor = asked.stdout.split()[1].split(".")[:2]
    return (int(major), int(minor)) >= (22, 3)


def install(requirements: str) -> None:
    """Install into .venv, showing what comes; a failure ends with pip's own words."""
    pip = [str(VENV_PYTHON), "-m", "pip", "--disable-pip-version-check"]
    command = [*pip, "install", "--progress-bar", "off", "-r", requirements]
    lines = []
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip_run:
        for line in pip_run.stdout or ():
            lines.append(line)
            if line.strip().startswith(("Downloading ", "Using cached ", "Installing ")):
                say("  " + line.strip()[:100])
    if pip_run.returncode:
        say("".join(lines[-20:]))
        sys.exit(f"pip could not install {requirements}: is a package registry reachable?")


def fingerprint(requirements: str) -> str:
    """A hash of the file and of those it includes."""
    digest = hashlib.sha256()
    for name in (RUN, *((AGENT,) if requirements == TEST else ()), requirements):
        digest.update(Path(ROOT, name).read_bytes())
    return digest.hexdigest()


def installed(requirements: str) -> bool:
    """Whether .venv already holds exactly what the file asks."""
    return stamps().get(requirements) == fingerprint(requirements)


def remember(requirements: str) -> None:
    """Write down what was installed; TEST holds RUN too."""
    names = {RUN, requirements}
    STAMP.write_text(json.dumps({name: fingerprint(name) for name in names}))


def stamps() -> dict[str, str]:
    """What was written down, or nothing."""
    try:
        found: dict[str, str] = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return found
