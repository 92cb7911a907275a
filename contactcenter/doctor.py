"""Is this set-up fit for a first real call? Small checks in the order in which a call meets them.

Each check returns what is right or raises Wrong with one remedy. What only Twilio can prove, the way from
its network to ours, is left to the first call (docs/first-call.md).
"""

import shutil
from collections.abc import Callable
from typing import NamedTuple

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.checks import run_checks

from calls.gateway.client import GatewayError
from calls.models import PhoneNumber
from calls.services import numbers as numbers_service
from calls.services.numbers import NotOurs
from contactcenter import health, reach
from contactcenter.reach import Wrong
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


def tokens() -> str:
    """Each auth token opens the account by REST: a wrong one would refuse every webhook. Raises Wrong."""
    for place, token in enumerate(settings.TWILIO_AUTH_TOKENS, start=1):
        status = reach.rest_status(token)
        if status == 401:
            raise Wrong(
                f"token {place} of TWILIO_AUTH_TOKEN is not of account {settings.TWILIO_ACCOUNT_SID}",
                "Copy the account's primary auth token (of us1) from the Twilio console.",
            )
        if status != 200:
            raise Wrong(f"Twilio answers {status}", "Try again; see status.twilio.com.")
    return f"{len(settings.TWILIO_AUTH_TOKENS)} of the account"


def numbers() -> str:
    """Every number sends its calls here. Raises Wrong."""
    ours = list(PhoneNumber.objects.all())
    if not ours:
        raise Wrong("none is connected", "Run: manage.py connect +31… (your Twilio number)")
    for number in ours:
        try:
            differences = numbers_service.compare(number)
        except (NotOurs, GatewayError) as error:
            raise Wrong(str(error).rstrip("."), f"Run: manage.py connect {number.e164}") from None
        if differences:
            fields = ", ".join(one.field for one in differences)
            raise Wrong(f"{number.e164} differs in {fields}", f"Run: manage.py connect {number.e164}")
    return f"{len(ours)} send their calls here"


CHECKS = (
    Check("configuration", configuration),
    Check("database", database),
    Check("redis", redis),
    Check("disk", disk),
    Check("speech", speech),
    Check("clock", reach.clock),
    Check("tokens", tokens, needs=("configuration",)),
    Check("public address", reach.pages, needs=("configuration",)),
    Check("certificate", reach.certificate, needs=("configuration",)),
    Check("worker", worker, needs=("database",)),
    Check("webhook", reach.webhook, needs=("configuration", "public address")),
    Check("media socket", reach.media_socket, needs=("configuration", "public address")),
    Check("numbers", numbers, needs=("configuration", "database", "tokens")),
)


def examine(say: Callable[[str], None], checks: tuple[Check, ...] = CHECKS) -> int:
    """Run the checks, one line each by `say`; how many are wrong or could not be looked at."""
    wrong: set[str] = set()
    for check in checks:
        if missing := wrong.intersection(check.needs):
            wrong.add(check.name)
            say(f"  --     {check.name}: needs {', '.join(sorted(missing))} first")
            continue
        try:
            say(f"  ok     {check.name}: {check.look()}")
        except Wrong as found:
            wrong.add(check.name)
            say(f"  WRONG  {check.name}: {found.text}. {found.remedy}")
    return len(wrong)
