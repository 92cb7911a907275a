"""Places the one call through the REST API and asks after it until it has ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp

from emulator.capture.schedule import TERMINAL
from emulator.world import API_VERSION

ASK_EVERY_S = 2.0
ONE_REQUEST_S = 30.0
EVENTS = ("initiated", "ringing", "answered", "completed")


class PlacingError(Exception):
    """The API did not take the call; the text says what it said, without numbers or credentials."""


@dataclass(frozen=True)
class Wish:
    """The call: `url` is where Twilio asks for TwiML, `callback` where it tells of progress ("" nowhere)."""

    account_sid: str
    auth_token: str
    to: str
    from_: str
    url: str
    callback: str = ""


async def place(api: str, wish: Wish) -> str:
    """Create the call by way of `api` (the recorder's door); returns its status at the end.

    Raises PlacingError when it is refused or the API cannot be reached. Cancel it to stop asking.
    """
    fields = [("To", wish.to), ("From", wish.from_), ("Url", wish.url)]
    if wish.callback:
        fields += [("StatusCallback", wish.callback), *(("StatusCallbackEvent", name) for name in EVENTS)]
    timeout = aiohttp.ClientTimeout(total=ONE_REQUEST_S)
    headers = {"Authorization": aiohttp.encode_basic_auth(wish.account_sid, wish.auth_token)}
    calls = f"{api}/{API_VERSION}/Accounts/{wish.account_sid}/Calls"
    try:
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as http:
            call = await _answer(http.post(f"{calls}.json", data=fields))
            while str(call.get("status")) not in TERMINAL:
                await asyncio.sleep(ASK_EVERY_S)
                call = await _answer(http.get(f"{calls}/{call.get('sid')}.json"))
            return str(call["status"])
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise PlacingError(f"the API cannot be used: {type(error).__name__}") from error


async def _answer(asking: Any) -> dict[str, Any]:
    async with asking as answer:
        body = await answer.json()
        if not isinstance(body, dict):
            raise ValueError("no JSON object")
        if answer.status >= 400:
            raise PlacingError(f"the API answered {answer.status} with number {body.get('code')}")
        return body
