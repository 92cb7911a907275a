"""Is this set-up fit for a first real call? Small checks in the order in which a call meets them.

Each check returns what is right or raises Wrong with one remedy; Careful where calls work, but perhaps not
as meant, which is told and no failure; Several of both. What only Twilio can prove, the way from
its network to ours, is left to the first call (docs/first-call.md).
"""

import shutil
from collections.abc import Callable
from typing import NamedTuple

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.checks import run_checks

from contactcenter import doctor_numbers, doctor_voices, health, reach
from contactcenter.reach import Careful, Several, Wrong
from streams.engines import install

__all__ = ["CHECKS", "Check", "examine"]

FREE_BYTES = 1 << 30


class Check(NamedTuple):
    """A name for people and how to look; `needs` names checks without which it means nothing."""

    name: str
    look: Callable[[], str]
    needs: tuple[str, ...] = ()


def configuration() -> str:
    """The system checks, as serving asks them. Raises Wrong."""
    faults = [one for one in run_checks(include_deployment_checks=True, tags=["cc"]) if one.level >= 40]
    if faults:
        raise Wrong(f"{faults[0].id} {faults[0].msg}", faults[0].hint or "See docs/settings.md.")
    return f"complete; the public address is {settings.PUBLIC_URL}"


def database() -> str:
    """Reached and migrated. Raises Wrong."""
    parts = health.rows()
    if parts["database"] != "ok":
        raise Wrong(f"it is {parts['database']}", "Check DATABASE_URL and that the server runs.")
    if parts["migrations"] != "ok":
        raise Wrong("its tables are not up to date", "Run: manage.py migrate")
    return "reached, up to date"


def worker() -> str:
    """A worker runs; without one nothing lost is repaired. Raises Wrong."""
    if health.rows()["worker"] != "ok":
        raise Wrong("none runs", "Run: manage.py serve (role all starts one), or manage.py worker")
    return "runs"


def redis() -> str:
    """A message goes round. Raises Wrong."""
    if not settings.REDIS_URL:
        return "not used: one serving process"
    state = async_to_sync(health.layer)()
    if state != "ok":
        raise Wrong(f"it is {state}", "Check REDIS_URL and that the server runs.")
    return "a message goes round"


def disk() -> str:
    """Room for journals. Raises Wrong."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.DATA_DIR).free
    if free < FREE_BYTES:
        raise Wrong(
            f"{free >> 20} MiB are free in {settings.DATA_DIR}", "Make room: a call-hour takes 66 MB."
        )
    return f"{free >> 30} GiB free"


def speech() -> str:
    """The models are where the engine looks. Raises Wrong."""
    if settings.TRANSCRIBER != "embedded":
        return f"TRANSCRIBER={settings.TRANSCRIBER}: nothing is written down"
    if not install.installed(settings.SPEECH_MODEL_DIR):
        raise Wrong(f"no models in {settings.SPEECH_MODEL_DIR}", "Run: make setup (or set TRANSCRIBER=none)")
    return "models are in place"


CHECKS = (
    Check("configuration", configuration),
    Check("database", database),
    Check("redis", redis),
    Check("disk", disk),
    Check("speech", speech),
    Check("clock", reach.clock),
    Check("tokens", doctor_numbers.tokens, needs=("configuration",)),
    Check("public address", reach.pages, needs=("configuration",)),
    Check("certificate", reach.certificate, needs=("configuration",)),
    Check("worker", worker, needs=("database",)),
    Check("webhook", reach.webhook, needs=("configuration", "public address")),
    Check("media socket", reach.media_socket, needs=("configuration", "public address")),
    Check("numbers", doctor_numbers.numbers, needs=("configuration", "database", "tokens")),
    Check("people", doctor_numbers.people, needs=("database",)),
    Check("browser phone", doctor_numbers.phone, needs=("database",)),
    Check("voices", doctor_voices.voices, needs=("database",)),
)


def examine(say: Callable[[str], None], checks: tuple[Check, ...] = CHECKS) -> int:
    """Run the checks, one line each by `say`; how many are wrong or could not be looked at."""
    wrong: set[str] = set()
    for check in checks:
        if missing := wrong.intersection(check.needs):
            wrong.add(check.name)
            say(f"  --     {check.name}: needs {', '.join(sorted(missing))} first")
            continue
        if not _tell(check, say):
            wrong.add(check.name)
    return len(wrong)


def _tell(check: Check, say: Callable[[str], None]) -> bool:
    """Say what the check finds, one line each; whether nothing is wrong."""
    try:
        say(f"  ok     {check.name}: {check.look()}")
        return True
    except Wrong as found:
        faults = found.faults if isinstance(found, Several) else [found]
    for fault in faults:
        mark = "note " if isinstance(fault, Careful) else "WRONG"
        say(f"  {mark}  {check.name}: {fault.text}. {fault.remedy}")
    return all(isinstance(fault, Careful) for fault in faults)
