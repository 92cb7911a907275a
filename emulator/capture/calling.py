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
AGAIN_S = 0.5
END_S = 5.0
ERRORS = range(10_000, 100_000)
FAILURES = (aiohttp.ClientError, OSError, ValueError)
EVENTS = ("initiated", "ringing", "answered", "completed")


class PlacingError(Exception):
    """The API did not take the call; the text says what it said, without numbers or credentials."""


class UnendedError(Exception):
    """The call was to be ended and may go on."""

    def __init__(self) -> None:
        super().__init__("whether the call has ended is not known")


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

    Raises PlacingError when it is refused or the API cannot be reached; later, what fails is asked again.
    Cancel it to end the call: nobody would hear it any more, and somebody pays for it. Raises UnendedError
    then, when that cannot be done in a short while.
    """
    timeout = aiohttp.ClientTimeout(total=ONE_REQUEST_S)
    headers = {"Authorization": aiohttp.encode_basic_auth(wish.account_sid, wish.auth_token)}
    calls = f"{api}/{API_VERSION}/Accounts/{wish.account_sid}/Calls"
    async with aiohttp.ClientSession(timeout=timeout, headers=headers) as http:
        creating = asyncio.ensure_future(_created(http, calls, wish))
        try:
            one = await asyncio.shield(creating)
            status = ""
            while status not in TERMINAL:
                await asyncio.sleep(ASK_EVERY_S)
                status = await _status(http.get(one))
            return status
        except asyncio.CancelledError:
            await asyncio.ensure_future(_hang_up(http, creating))
            raise


async def _created(http: aiohttp.ClientSession, calls: str, wish: Wish) -> str:
    """Create the call; returns its address."""
    fields = [("To", wish.to), ("From", wish.from_), ("Url", wish.url)]
    if wish.callback:
        fields += [("StatusCallback", wish.callback), *(("StatusCallbackEvent", name) for name in EVENTS)]
    try:
        sid = (await _answer(http.post(f"{calls}.json", data=fields))).get("sid")
        if not isinstance(sid, str):
            raise ValueError("no SID")
    except FAILURES as error:
        raise PlacingError(f"the API cannot be used: {type(error).__name__}") from error
    return f"{calls}/{sid}.json"


async def _hang_up(http: aiohttp.ClientSession, creating: asyncio.Future[str]) -> None:
    """End the call, unless it is over. Raises UnendedError when that takes too long."""
    try:
        async with asyncio.timeout(END_S):
            one = await creating
            while await _status(http.get(one)) not in TERMINAL:
                await _status(http.post(one, data={"Status": "completed"}))
                await asyncio.sleep(AGAIN_S)
    except PlacingError:
        return  # there is none
    except TimeoutError as error:
        raise UnendedError from error


async def _status(asking: Any) -> str:
    """The call's status, "" when it was not told."""
    try:
        return str((await _answer(asking)).get("status"))
    except (*FAILURES, PlacingError):
        return ""


async def _answer(asking: Any) -> dict[str, Any]:
    async with asking as answer:
        if answer.status >= 400:
            raise PlacingError(f"the API answered {answer.status}{await _number(answer)}")
        body = await answer.json()
        if not isinstance(body, dict):
            raise ValueError("no JSON object")
        return body


async def _number(answer: aiohttp.ClientResponse) -> str:
    """The number of an error. Nothing else is quoted of what came: it may hold anything."""
    try:
        body = await answer.json()
    except FAILURES:
        return ""
    code = body.get("code") if isinstance(body, dict) else None
    return f" with number {code}" if type(code) is int and code in ERRORS else ""
