"""The Debian packages that the tests use: which are missing, and installing them after saying so.

python3 -m tools.packages             say what is missing
python3 -m tools.packages --install   install it by apt-get as root or by sudo without a password;
                                      where neither is possible, print the command and go on
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools.house import in_ci, say

PACKAGES = {
    "chromium": "the browser of the page tests",
    "redis-server": "the channel layer of several processes",
    "postgresql": "the database of several processes",
    "flite": "the voice of spoken test calls, and of voices that answer",
}
WITHOUT_FLITE = "Without it the demo says the sentences that came with us, and callers speak from recordings."
ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
TRIES = 3


def main() -> None:
    """Say or install; ends non-zero only in CI, when something is still missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--install", action="store_true")
    wants_install = parser.parse_args().install
    names = missing()
    if not names:
        say("Debian packages for the tests: all here")
        return
    for name in names:
        say(f"Debian package {name} is missing: {PACKAGES[name]}")
    if wants_install and may_install():
        install(names)
    if still := missing():
        say(f"To install them: {command(still)}")
        sys.exit(1 if in_ci() and wants_install else 0)


def missing() -> list[str]:
    """The names of packages whose programs are not found."""
    return [name for name in PACKAGES if program(name) is None]


def speaker() -> None:
    """Say what is not spoken without flite: it is the one package that running the product gains from."""
    if "flite" in missing():
        say(f"Debian package flite is missing: {PACKAGES['flite']}. {WITHOUT_FLITE}")
        say(f"To install it: {command(['flite'])}")


def program(package: str) -> str | None:
    """The path of a package's program; PostgreSQL's server stands outside PATH on Debian."""
    if package == "postgresql":
        servers = sorted(
            Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda found: int(found.parts[4])
        )
        return str(servers[-1]) if servers else shutil.which("postgres")
    if package == "chromium":
        return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    return shutil.which(package)


def command(names: list[str]) -> str:
    """The line a person would type."""
    return "sudo apt-get update && sudo apt-get install -y --no-install-recommends " + " ".join(names)


def may_install() -> bool:
    """Whether apt-get is here and can be run without asking for a password."""
    if shutil.which("apt-get") is None:
        return False
    return os.geteuid() == 0 or (
        shutil.which("sudo") is not None
        and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0
    )


def install(names: list[str]) -> None:
    """Update the lists and install; tried three times, for mirrors and locks pass."""
    say(f"Installing from Debian: {' '.join(names)} (this may take some minutes)")
    for attempt in range(1, TRIES + 1):
        if apt("update") and apt("install", "-y", "--no-install-recommends", *names):
            return
        say(f"apt-get failed, attempt {attempt} of {TRIES}")
        time.sleep(5 * attempt)


def apt(*arguments: str) -> bool:
    """One quiet apt-get; its output is shown when it fails."""
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    settings = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
    waits = ["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]
    done = subprocess.run(
        [*sudo, "env", *settings, "apt-get", "-q", *waits, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        say("\n".join(done.stdout.splitlines()[-15:]))
    return done.returncode == 0


if __name__ == "__main__":
    main()
