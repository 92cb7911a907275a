"""Twilio's official client: one per region and login, with a timeout, and all its errors as one.

While a token is being rotated there are two: the first that Twilio accepts is used and remembered. Twilio
refuses a wrong token before it does anything (20003), so asking again with the other repeats nothing.
"""

import json
import logging
import re
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from calls.gateway import credentials
from calls.remedies import explain

__all__ = ["GatewayError", "ask", "client"]

_log = logging.getLogger("contactcenter.twilio")
_REFUSED_LOGIN = "20003"
_PIECE = 64 * 1024  # bytes
_ORIGIN = re.compile(r"https://[a-z0-9.]+\.twilio\.com")
# The region → the password that Twilio accepted last, where it was not the first one.
_accepted: dict[str, str] = {}
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
    return _clients(region)[0]


def ask(region: str, question: Callable[[Client], T]) -> T:
    """The answer of one REST call to the region, by the first login that it accepts.

    Raises GatewayError, never anything else.
    """
    *others, last = _clients(region)
    for one in others:
        try:
            return _answer(region, one, question)
        except GatewayError as error:
            if error.code != _REFUSED_LOGIN:
                raise
            _log.warning("twilio.token.refused", extra={"region": region})
    return _answer(region, last, question)


def _answer(region: str, one: Client, question: Callable[[Client], T]) -> T:
    try:
        answer = question(one)
    except Exception as error:
        failure = _failure(error)
        _log.warning(
            "twilio.rest.failed",
            extra={"code": failure.code, "unknown": failure.unknown, "region": region},
        )
        raise failure from error
    _accepted[region] = one.password
    return answer


def _clients(region: str) -> list[Client]:
    """One for each login of the region, the one that was accepted last first."""
    logins = credentials.of(region).logins(settings.TWILIO_ACCOUNT_SID)
    if not (logins and settings.TWILIO_ACCOUNT_SID):
        text = f"There are no credentials for the region {region}. {explain(_REFUSED_LOGIN)}"
        raise GatewayError(_REFUSED_LOGIN, permanent=True, unknown=False, text=text)
    logins.sort(key=lambda login: login[1] != _accepted.get(region))  # stable: else as configured
    rest = (settings.TWILIO_ACCOUNT_SID, settings.TWILIO_API_URL, settings.TWILIO_TIMEOUT_SECONDS)
    return [_client(region, user, password, *rest) for user, password in logins]


@lru_cache(maxsize=16)
def _client(region: str, user: str, password: str, account: str, origin: str, timeout: float) -> Client:
    edge = None if origin else credentials.EDGES.get(region)
    return Client(
        username=user,
        password=password,
        account_sid=account,
        region=region if edge else None,
        edge=edge,
        http_client=_Http(origin, timeout, credentials.host(region)),
        environment={"": ""},  # nothing of TWILIO_REGION and the like; an empty mapping would mean os.environ
    )


class _Http(TwilioHttpClient):  # type: ignore[misc]  # the library has no types
    """Twilio's HTTP client with a timeout; another origin than Twilio's is the emulator's, for all regions:
    it tells them apart by the name of the host that would have been asked.
    """

    def __init__(self, origin: str, timeout: float, host: str) -> None:
        super().__init__(timeout=timeout)
        self._origin = origin
        self._host = host
        if origin and self.session is not None:
            self.session.trust_env = False  # a proxy of the environment must not see a loopback address

    def request(self, method: str, url: str, *args: Any, headers: Any = None, **kwargs: Any) -> Any:
        url, headers = self._at_origin(url, headers)
        return super().request(method, url, *args, headers=headers, **kwargs)

    def download(self, url: str, auth: tuple[str, str], *, limit: int, seconds: float) -> bytes:
        """The bytes at an address, which `request` would take for text: at most `limit` and one more.

        Raises what requests raises, Timeout too when it takes longer than `seconds`, and TwilioRestException
        for another answer than 200.
        """
        url, headers = self._at_origin(url, None)
        until = time.monotonic() + seconds
        found = bytearray()
        session = self.session or requests.Session()
        with session.get(url, auth=auth, headers=headers, timeout=self.timeout, stream=True) as answer:
            if answer.status_code != 200:
                raise TwilioRestException(answer.status_code, url, "No recording", _code(answer))
            for piece in answer.iter_content(_PIECE):
                found += piece
                if len(found) > limit:
                    break
                if time.monotonic() > until:
                    raise requests.Timeout
        return bytes(found[: limit + 1])

    def _at_origin(self, url: str, headers: Any) -> tuple[str, Any]:
        if not self._origin:
            return url, headers
        return _ORIGIN.sub(self._origin, url, count=1), {**(headers or {}), "Host": self._host}


def _code(answer: requests.Response) -> int | None:
    """Twilio's code in the JSON of an error, read no further than an error is long; None if it is no JSON."""
    try:
        return int(json.loads(next(answer.iter_content(_PIECE), b"")).get("code"))
    except (ValueError, TypeError, AttributeError):
        return int(_REFUSED_LOGIN) if answer.status_code == 401 else None


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
