"""A bare Debian in a directory, and both commands in it from a clone of the last commit, as a stranger would.

sudo python3 -m tools.clean_machine [--directory D] [demo] [test]

Needs root and debootstrap; takes some minutes and about 3 GB. Only settings of pip and certificates are taken
along, for behind a proxy no registry could be reached without them. The machine is deleted afterwards, unless
it stands in a directory that you named.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.house import ROOT, say, timed

BARE = "python3,python3-pip,make,git,ca-certificates"
SUITE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
COMMANDS = {
    "demo": 'make demo ARGS="--calls 3 --seconds 30 --json"',
    "test": ".ci/run",
}
# How pip and apt reach their registries from here.
TAKEN_ALONG = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_DEFAULT_TIMEOUT",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)
FILES = ("/etc/resolv.conf", "/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt")


def main() -> None:
    """Make the machine, run the commands, say how long each took; non-zero if one failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="demo|test", default=list(COMMANDS))
    parser.add_argument("--directory", type=Path, default=None, help="where; made if it is empty, and kept")
    told = parser.parse_args()
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        sys.exit("This needs root and debootstrap: apt-get install debootstrap")
    machine = told.directory or Path(tempfile.mkdtemp(prefix="clean-machine-"))
    try:
        results = {name: run(machine, name) for name in told.names} if make(machine) else {"debootstrap": 1}
    finally:
        leave(machine, keep=told.directory is not None)
    failed = sorted(name for name, code in results.items() if code)
    say(f"{len(results) - len(failed)} of {len(results)} commands worked on a bare Debian")
    sys.exit(1 if failed else 0)


def make(machine: Path) -> bool:
    """debootstrap into the directory unless a machine is there; then the clone."""
    if not (machine / "usr").exists():
        with timed(f"A bare Debian {SUITE} in {machine}"):
            done = subprocess.run(
                ["debootstrap", "--variant=minbase", f"--include={BARE}", SUITE, str(machine), MIRROR],
                stdout=subprocess.DEVNULL,
            )
        if done.returncode:
            return False
    for name in FILES:
        if Path(name).exists():
            (machine / name[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, machine / name[1:])
    for kind, source in (("proc", "proc"), ("sysfs", "sys"), ("devtmpfs", "dev")):
        mount(kind, machine / source)
    clone = machine / "srv" / "clone"
    shutil.rmtree(clone, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    return True


def mount(kind: str, at: Path) -> None:
    """Mount what programs expect to find; where that is not allowed, take over this machine's by binding."""
    at.mkdir(exist_ok=True)
    if at.is_mount():
        return
    if subprocess.run(["mount", "-t", kind, kind, str(at)], capture_output=True).returncode:
        subprocess.run(["mount", "--rbind", f"/{at.name}", str(at)], check=True)


def run(machine: Path, name: str) -> int:
    """One command in the clone; its exit code."""
    settings = [f"{key}={os.environ[key]}" for key in TAKEN_ALONG if key in os.environ]
    home = ["HOME=/root", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"]
    say(f"\n##### {COMMANDS[name]}")
    begun = time.monotonic()
    inside = ["sh", "-c", f"cd /srv/clone && {COMMANDS[name]}"]
    code = subprocess.run(["chroot", str(machine), "env", "-i", *home, *settings, *inside]).returncode
    say(f"##### {name}: exit code {code} after {time.monotonic() - begun:.0f} s")
    return code


def leave(machine: Path, *, keep: bool) -> None:
    """Unmount, and delete the machine unless it is to be kept."""
    for name in ("dev", "sys", "proc"):
        if (machine / name).is_mount():
            subprocess.run(["umount", "--recursive", "--lazy", str(machine / name)], check=False)
    if keep:
        say(f"The machine is in {machine}")
    elif not any((machine / name).is_mount() for name in ("dev", "sys", "proc")):
        shutil.rmtree(machine, ignore_errors=True)


if __name__ == "__main__":
    main()
