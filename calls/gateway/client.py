"""Twilio's official client: one per region, with a timeout, and all its errors as one."""

import json
import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from calls.remedies import explain

__all__ = ["GatewayError", "ask", "client"]

_log = logging.getLogger("contactcenter.twilio")
# Both are needed: with a region alone the library builds a host name that no longer exists.
_EDGES = {"ie1": "dublin", "au1": "sydney"}
_API = "https://api.twilio.com"
T = TypeVar("T")


class GatewayError(Exception):
    """A REST call that brought no good answer.

    `code` is Twilio's, or timeout, unreachable or answer; `text` explains it to people. `permanent`: asking
    again brings the same. `unknown`: it may have happened all the same, so it must not be repeated blindly.
    Neither: it has not happened and may be tried again later.
    """

    def __init__(self, code: str, *, permanent: bool, unknown: bool, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.permanent = permanent
        self.unknown = unknown
        self.text = text


def client(region: str) -> Client:
    """The client for a region, us1 by default. Raises GatewayError 20003 without credentials."""
    user, password = _credentials(region)
    if not (user and password and settings.TWILIO_ACCOUNT_SID):
        raise GatewayError("20003", permanent=True, unknown=False, text=explain(20003))
    return _client(
        region,
        user,
        password,
        settings.TWILIO_ACCOUNT_SID,
        settings.TWILIO_API_URL,
        settings.TWILIO_TIMEOUT_SECONDS,
    )


def ask(region: str, question: Callable[[Client], T]) -> T:
    """The answer of one REST call to the region. Raises GatewayError, never anything else."""
    try:
        return question(client(region))
    except GatewayError:
        raise
    except Exception as error:
        failure = _failure(error)
        _log.warning("twilio.rest.failed", extra={"code": failure.code, "unknown": failure.unknown})
        raise failure from error


def _credentials(region: str) -> tuple[str, str]:
    """An API key where there is one, else the account with its current token."""
    other = settings.TWILIO_REGIONS.get(region)
    if other:
        tokens = cast("list[str]", other["tokens"])
        key, secret = str(other["key"]), str(other["secret"])
    else:
        tokens, key, secret = settings.TWILIO_AUTH_TOKENS, settings.TWILIO_API_KEY, settings.TWILIO_API_SECRET
    if key and secret:
        return key, secret
    return settings.TWILIO_ACCOUNT_SID, tokens[0] if tokens else ""


@lru_cache(maxsize=8)
def _client(region: str, user: str, password: str, account: str, origin: str, timeout: float) -> Client:
    edge = None if origin else _EDGES.get(region)
    return Client(
        username=user,
        password=password,
        account_sid=account,
        region=region if edge else None,
        edge=edge,
        http_client=_Http(origin, timeout),
        environment={"": ""},  # nothing of TWILIO_REGION and the like; an empty mapping would mean os.environ
    )


class _Http(TwilioHttpClient):  # type: ignore[misc]  # the library has no types
    """Twilio's HTTP client with a timeout; another origin than Twilio's is the emulator's."""

    def __init__(self, origin: str, timeout: float) -> None:
        super().__init__(timeout=timeout)
        self._origin = origin
        if origin and self.session is not None:
            self.session.trust_env = False  # a proxy of the environment must not see a loopback address

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        if self._origin:
            url = url.replace(_API, self._origin, 1)
        return super().request(method, url, *args, **kwargs)


def _failure(error: Exception) -> GatewayError:
    if isinstance(error, TwilioException):
        return _refusal(error)
    if isinstance(error, requests.ConnectTimeout) or _never_connected(error):
        return GatewayError("unreachable", permanent=False, unknown=False, text=explain("unreachable"))
    if isinstance(error, requests.Timeout | requests.ConnectionError):
        return GatewayError("timeout", permanent=False, unknown=True, text=explain("timeout"))
    if isinstance(error, requests.RequestException | json.JSONDecodeError | ValueError):
        return GatewayError("answer", permanent=False, unknown=True, text=explain("answer"))
    return GatewayError("answer", permanent=False, unknown=True, text=f"{type(error).__name__}.")


def _refusal(error: TwilioException) -> GatewayError:
    """An error answer: 429 was never processed, 5xx may have been, other 4xx is final."""
    status, code, words = _said(error)
    if status == 429 or code == "20429":
        return GatewayError("20429", permanent=False, unknown=False, text=explain(20429))
    unknown = status >= 500 or status == 0
    return GatewayError(code, permanent=not unknown, unknown=unknown, text=explain(code, words)[:300])


def _said(error: TwilioException) -> tuple[int, str, str]:
    """HTTP status, Twilio's code and words; of a failed list the library gives the bare answer."""
    answer = next((arg for arg in error.args if hasattr(arg, "status_code")), None)
    if answer is None:
        status = int(getattr(error, "status", 0) or 0)
        words = str(getattr(error, "msg", "") or getattr(error, "title", ""))
        return status, str(getattr(error, "code", "") or status or "answer"), words
    try:
        body = json.loads(answer.text)
    except ValueError:
        body = {}
    status = int(answer.status_code)
    return status, str(body.get("code") or status), str(body.get("message") or "")


def _never_connected(error: Exception) -> bool:
    """Whether no connection came about: the request was not sent."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return type(reason).__name__ in {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError"}
