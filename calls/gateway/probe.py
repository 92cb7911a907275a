"""Our own public address, asked as Twilio asks it. What is wrong has a remedy."""

import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from twilio.request_validator import RequestValidator

__all__ = ["LIMIT", "OPEN_443", "Wrong", "get", "pages", "webhook"]

LIMIT = 10.0  # seconds
OPEN_443 = "Open port 443 to every address (Twilio's media servers have no fixed ones) and end TLS there."


class Wrong(Exception):
    """What is wrong, and the one remedy."""

    def __init__(self, text: str, remedy: str) -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy


def pages() -> str:
    """The site answers by its public address, without a redirect. Raises Wrong."""
    url = f"{settings.PUBLIC_URL}/healthz"
    status, body, _ = get(url)
    if status != 200 or not body.startswith(b"ok"):
        raise Wrong(
            f"{url} answers {status}, but not from this product",
            "Start it (manage.py serve) and let the proxy or tunnel pass every path to its port.",
        )
    return f"{url} answers"


def webhook(token: str) -> str:
    """A webhook signed by this token over the public address is let in. Raises Wrong."""
    path = "/twilio/call-status/"
    fields = {
        "AccountSid": settings.TWILIO_ACCOUNT_SID,
        "CallSid": "CA" + "0" * 32,  # nobody's: a signed status of it changes nothing
        "CallStatus": "completed",
    }
    url = settings.PUBLIC_URL + path
    signature = RequestValidator(token).compute_signature(url, fields)
    status, _, _ = get(url, data=urlencode(fields).encode(), headers={"X-Twilio-Signature": signature})
    if status == 204:
        return "a signed request is let in"
    if status == 403:
        raise Wrong(
            "a rightly signed request is refused (403)",
            "Give the server that answers there the same PUBLIC_URL and TWILIO_AUTH_TOKEN, and let the proxy "
            "leave path and body as they are.",
        )
    raise Wrong(
        f"{url} answers {status}", "Let the proxy pass POST below /twilio/ without login or redirect."
    )


def get(url: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, bytes, str]:
    """(status, up to 1 kB of the body, Date header); no redirect is followed. Raises Wrong."""
    try:
        request = urllib.request.Request(url, data=data, headers=headers or {})  # noqa: S310
        with _opener.open(request, timeout=LIMIT) as answer:
            return answer.status, answer.read(1024), answer.headers.get("Date", "")
    except urllib.error.HTTPError as error:
        return error.code, error.read(1024), error.headers.get("Date", "")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise Wrong(f"{urlsplit(url).netloc} cannot be reached ({reason})", OPEN_443) from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST loses its fields, so Twilio must never meet one."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)
