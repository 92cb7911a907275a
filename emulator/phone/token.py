"""Access tokens of browsers, read as Twilio reads them: a JWT signed with an API key of its region."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import jwt

from emulator.account import HOME, Account

CONTENT = "twilio-fpa;v=1"
LONGEST_S = 24 * 3600
# The year 33658: whoever writes a later one means no time.
LATEST = 10**12
MAX_TOKEN = 8 * 1024
MAX_IDENTITY = 256
# Control, space, delimiters and unwise characters (31105).
NOT_IN_A_NAME = re.compile(r"[\x00-\x20\x7f<>#%\"{}|\\^\[\]`]")


class TokenError(Exception):
    """A token that opens nothing; `code` is Twilio's.

    20101 invalid in any way, 20104 expired or valid for too long, 31105 an identity that cannot be one.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Grant:
    """What a token allows its browser, until `expires` (seconds since 1970).

    `application_sid` is asked when it calls out, "" if it may not; `params` go with each such call.
    """

    identity: str
    region: str
    expires: float
    incoming: bool = False
    application_sid: str = ""
    params: dict[str, str] = field(default_factory=dict)


def read(token: str, account: Account, now: datetime) -> Grant:
    """What the token grants at this moment. Raises TokenError."""
    head = _head(token)
    region = str(head.get("twr") or HOME)
    claims = _claims(token, _secret(token, account, region))
    if claims.get("sub") != account.sid:
        raise TokenError(20101, "the token is another account's")
    expires = _times(claims, now.timestamp())
    grants = claims.get("grants")
    if not isinstance(grants, dict) or not isinstance(voice := grants.get("voice"), dict):
        raise TokenError(20101, "the token has no voice grant")
    incoming, outgoing = _part(voice, "incoming"), _part(voice, "outgoing")
    return Grant(
        _identity(grants.get("identity")),
        region,
        expires,
        incoming.get("allow") is True,
        str(outgoing.get("application_sid") or ""),
        {str(name): str(value) for name, value in _part(outgoing, "params").items()},
    )


def _head(token: str) -> dict[str, Any]:
    if len(token) > MAX_TOKEN:
        raise TokenError(20101, f"the token is longer than {MAX_TOKEN} characters")
    try:
        head = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise TokenError(20101, f"not a JWT: {error}") from error
    if head.get("cty") != CONTENT:
        raise TokenError(20101, f"the token's cty is not {CONTENT!r}")
    return head


def _secret(token: str, account: Account, region: str) -> str:
    """The secret of the API key that the token names as its issuer; nothing is believed yet."""
    unproved = _decode(token, "", {"verify_signature": False})
    credentials = account.credentials(region)
    secret = credentials.api_keys.get(str(unproved.get("iss"))) if credentials is not None else None
    if not secret:
        raise TokenError(20101, f"the token's issuer is no API key of the account in {region}")
    return secret


def _claims(token: str, secret: str) -> dict[str, Any]:
    # The times are judged by the account's clock, which need not be the machine's.
    return _decode(token, secret, {"verify_exp": False, "verify_nbf": False, "verify_iat": False})


def _decode(token: str, secret: str, options: Any) -> dict[str, Any]:
    try:
        return jwt.decode(token, secret, algorithms=["HS256"], options=options)
    except jwt.PyJWTError as error:
        raise TokenError(20101, f"the token cannot be believed: {error}") from error


def _times(claims: dict[str, Any], now: float) -> float:
    expires, begins = _time(claims.get("exp")), _time(claims.get("nbf", now))
    if expires <= now:
        raise TokenError(20104, "the token has expired")
    if expires - max(begins, now) > LONGEST_S:
        raise TokenError(20104, "the token is valid for longer than 24 hours")
    if begins > now:
        raise TokenError(20101, "the token is not valid yet")
    return expires


def _time(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < LATEST:
        raise TokenError(20101, "the token's exp or nbf is no time")
    return float(value)


def _identity(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TokenError(20101, "the token names no identity")
    if len(value) > MAX_IDENTITY or NOT_IN_A_NAME.search(value):
        raise TokenError(31105, "an identity has at most 256 characters, none of them a space or a delimiter")
    return value


def _part(of: dict[str, Any], name: str) -> dict[str, Any]:
    part = of.get(name)
    return part if isinstance(part, dict) else {}
