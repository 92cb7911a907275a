"""System checks of what we need to talk to Twilio: token, account, public address.

A missing one would mean open webhooks or calls that never reach us, so serving refuses to start; `check`
alone warns, so that a fresh clone can be migrated and looked at.
"""

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from calls.gateway import credentials

__all__ = ["Fault", "as_errors", "as_warnings"]

_ACCOUNT = re.compile(r"AC[0-9a-fA-F]{32}")


@dataclass(frozen=True)
class Fault:
    """One fault of configuration: an id that stays, what is wrong, what to do."""

    id: str
    message: str
    hint: str


def token() -> list[Fault]:
    """Without the auth token no signature can be checked."""
    if settings.TWILIO_AUTH_TOKENS:
        return []
    hint = "Set TWILIO_AUTH_TOKEN (or TWILIO_AUTH_TOKEN_FILE) to the token of your Twilio account."
    return [Fault("cc.E001", "No Twilio auth token: requests from Twilio cannot be told from others.", hint)]


def public_url() -> list[Fault]:
    """The address that Twilio signs and calls; it must be known, never guessed from a request."""
    if settings.PUBLIC_URL:
        return []
    hint = (
        "Set PUBLIC_URL to the address by which Twilio reaches this site, such as https://calls.example.com"
    )
    return [
        Fault("cc.E002", "No PUBLIC_URL: signatures cannot be checked and no stream can be opened.", hint)
    ]


def public_url_form() -> list[Fault]:
    """https, or http for a loopback host beside an emulator; a host and at most a port."""
    if not settings.PUBLIC_URL or _is_fit(settings.PUBLIC_URL):
        return []
    hint = (
        "Use https://host or https://host:port, without a path; http is allowed for a loopback host alone, "
        "and only with TWILIO_API_URL set to the emulator's address."
    )
    return [Fault("cc.E004", "PUBLIC_URL cannot be used.", hint)]


def account() -> list[Fault]:
    """Streams and webhooks of other accounts are refused, so ours must be known."""
    if _ACCOUNT.fullmatch(settings.TWILIO_ACCOUNT_SID):
        return []
    hint = "Set TWILIO_ACCOUNT_SID: AC and 32 hexadecimal digits, from the first page of the Twilio console."
    return [Fault("cc.E007", "No Twilio account SID, or not in its form.", hint)]


def regional_tokens() -> list[Fault]:
    """Each region signs with a token of its own: one that is repeated would let one speak for the other."""
    seen = set(settings.TWILIO_AUTH_TOKENS)
    for region in settings.TWILIO_REGIONS:
        own = set(credentials.of(region).tokens)
        if own & seen:
            hint = f"Copy the token of {region} from the Twilio console, with that region chosen there."
            name = f"TWILIO_AUTH_TOKEN_{region.upper()}"
            return [Fault("cc.E021", f"{name} repeats the token of another region.", hint)]
        seen |= own
    return []


def api_keys() -> list[Fault]:
    """A key needs its secret, and beside it the token with which Twilio signs in that region."""
    for region in (credentials.HOME, *settings.TWILIO_REGIONS):
        own, end = credentials.of(region), "" if region == credentials.HOME else f"_{region.upper()}"
        if bool(own.key) != bool(own.secret):
            hint = f"Set both TWILIO_API_KEY{end} and TWILIO_API_SECRET{end}, or neither."
            return [Fault("cc.E022", f"The API key of {region} is half set.", hint)]
        if own.key and end and not own.tokens:
            hint = f"Set TWILIO_AUTH_TOKEN{end}: webhooks of {region} are signed with it."
            return [Fault("cc.E023", f"{region} has an API key but no auth token.", hint)]
    return []


def transcriber() -> list[Fault]:
    """Only engines that exist."""
    if settings.TRANSCRIBER in {"embedded", "none", "scripted"}:
        return []
    hint = "Set TRANSCRIBER to embedded or none."
    return [Fault("cc.E008", "TRANSCRIBER names no engine.", hint)]


def softphone() -> list[Fault]:
    """The stand-in's origin goes into the desk's policy, so it must be one."""
    if not settings.SOFTPHONE_URL or re.fullmatch(r"https?://[\w.:\[\]-]+/\S+", settings.SOFTPHONE_URL):
        return []
    hint = "Set SOFTPHONE_URL to the whole address of a script, or leave it empty for Twilio's own SDK."
    return [Fault("cc.E024", "SOFTPHONE_URL is no address of a script.", hint)]


def _is_fit(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    if not plain or not parts.hostname or port == 0:
        return False
    if parts.scheme == "http":
        return bool(settings.PUBLIC_IS_LOOPBACK and settings.TWILIO_API_URL)
    return parts.scheme == "https"


_CHECKS = (token, public_url, public_url_form, account, regional_tokens, api_keys, transcriber, softphone)


def as_warnings(checks: Iterable[Callable[[], list[Fault]]]) -> list[CheckMessage]:
    """For plain `check`; under `check --deploy` the same ids come as errors, so nothing here."""
    if "--deploy" in sys.argv:
        return []
    return [Warning(fault.message, hint=fault.hint, id=fault.id) for check in checks for fault in check()]


def as_errors(checks: Iterable[Callable[[], list[Fault]]]) -> list[CheckMessage]:
    """For `check --deploy` and serving."""
    return [Error(fault.message, hint=fault.hint, id=fault.id) for check in checks for fault in check()]


@register("cc")
def in_check(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """For `check` and every command: warnings."""
    return as_warnings(_CHECKS)


@register("cc", deploy=True)
def in_deploy(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """For `check --deploy` and serving: errors."""
    return as_errors(_CHECKS)
