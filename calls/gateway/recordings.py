"""Twilio's recordings: the sound of one, fetched with our credentials, so that no browser needs any."""

from typing import Any

from calls.gateway.client import GatewayError, ask
from calls.remedies import explain

__all__ = ["LIMIT", "sound"]

LIMIT = 10 * 1024 * 1024  # bytes: ten minutes at 8 kHz and 16 bits; a message lasts three at the most
_SECONDS = 20.0
_ADDRESS = "https://api.twilio.com/2010-04-01/Accounts/{account}/Recordings/{sid}.wav"


def sound(*, region: str, sid: str) -> bytes | None:
    """The recording as a WAV file; None if this account and region have none of that SID (any more).

    Raises GatewayError: `size` for more than LIMIT, `answer` for what is no WAV file.
    """
    try:
        found = ask(region, lambda twilio: _download(twilio, sid))
    except GatewayError as error:
        if error.code in {"20404", "404"}:
            return None
        raise
    if len(found) > LIMIT:
        text = "This recording is longer than can be played here. Listen to it at Twilio."
        raise GatewayError("size", permanent=True, unknown=False, text=text)
    if found[:4] != b"RIFF" or found[8:12] != b"WAVE":
        raise GatewayError("answer", permanent=False, unknown=True, text=explain("answer"))
    return found


def _download(twilio: Any, sid: str) -> bytes:
    address = twilio.get_hostname(_ADDRESS.format(account=twilio.account_sid, sid=sid))
    login = (twilio.username, twilio.password)
    body: bytes = twilio.http_client.download(address, login, limit=LIMIT, seconds=_SECONDS)
    return body
