"""The same call again with the emulator in Twilio's place, captured by the same recorder, in virtual time."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
from aiohttp import web

from emulator.account import Account
from emulator.app import application
from emulator.audio.sound import Library
from emulator.capture import entries
from emulator.capture.addresses import led_to, twiml_led_to, with_sids
from emulator.capture.cast import LONGEST_S, script
from emulator.capture.kinds import Kinds
from emulator.capture.lockstep import Lockstep
from emulator.capture.recorder import Plan, Recorder
from emulator.capture.reel import OVER, Asked, Reel, read
from emulator.capture.schedule import TERMINAL, Event, HangUp, Press, Rest, first_call, schedule, stop
from emulator.capture.standin import StandIn
from emulator.capture.tape import Memory
from emulator.capture.vocabulary import FIELDS
from emulator.clock import VirtualClock
from emulator.people.script_files import RECORDINGS
from emulator.people.scripts import Scripts
from emulator.world import API_VERSION

ACCOUNT = Account("AC" + "5e" * 16, "token-of-a-replay")
SOMEBODY, NUMBER = "+99900009901", "+99900009902"
EVENTS = {"initiated": "initiated", "ringing": "ringing", "in-progress": "answered"}
REAL_LIMIT_S = 900.0
AFTERMATH_S = 3.0
STOPPED = "stopped with its capture"


class ReplayError(Exception):
    """The capture holds no call that can be placed again; the text says why."""


async def replay(reel: Reel) -> Reel:
    """Place the capture's call with the emulator and return that capture. Raises ReplayError."""
    if not first_call(reel):
        raise ReplayError("the capture holds no call")
    try:
        async with asyncio.timeout(REAL_LIMIT_S):
            return await _Stage(reel).run()
    except TimeoutError as error:
        raise ReplayError(f"the replay took more than {REAL_LIMIT_S:.0f} s") from error
    except (aiohttp.ClientError, ValueError, OSError) as error:
        raise ReplayError(f"the call cannot be placed again: {type(error).__name__}: {error}") from error


class _Stage:
    """Emulator, recorder and stand-in of one replay."""

    def __init__(self, reel: Reel) -> None:
        self._reel = reel
        self._clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self._standin = StandIn(reel)
        self._store = Memory()

    async def run(self) -> Reel:
        """All of it."""
        async with AsyncExitStack() as open_things:
            target = await _serve(open_things, self._standin.application())
            self._twilio = await _serve(open_things, self._emulator())
            plan = Plan(target, self._twilio, [ACCOUNT.auth_token], again=True)
            self._recorder = Recorder(plan, self._clock, self._store)
            await self._recorder.start()
            self._recorder.places.sid(ACCOUNT.sid)  # the first account of the capture, before it is named
            open_things.push_async_callback(self._recorder.close, STOPPED)
            self._standin.netloc = urlsplit(self._recorder.url).netloc
            self._http = await open_things.enter_async_context(aiohttp.ClientSession())
            self._time = Lockstep(self._clock, lambda: self._recorder.activity + self._standin.heard)
            await self._play()
            await self._recorder.close(STOPPED if self._reel.stopped else OVER)
        return read(self._store.lines, "replay")

    def _emulator(self) -> web.Application:
        return application(
            account=ACCOUNT,
            target="http://127.0.0.1:9",
            scripts=Scripts([script(self._reel)], Library(RECORDINGS)),
            clock=self._clock,
            seed=1,
            numbers=[self._number],
        )

    @property
    def _first(self) -> Asked:
        """The request that began the call."""
        return next(asked for asked in self._reel.webhooks if asked.form.get("CallSid"))

    @property
    def _inbound(self) -> bool:
        return self._first.form.get("Direction", "inbound") == "inbound"

    @property
    def _number(self) -> str:
        """The account's own number."""
        number = self._first.form.get("To" if self._inbound else "From", "")
        return number if number.startswith("+") else NUMBER

    # the course of it

    async def _play(self) -> None:
        if not any(self._began_it(asked) for asked in self._reel.rest):
            await self._place()
        for event in schedule(self._reel):
            await self._until(event.at)
            await self._do(event)
        # A replay goes as far as its capture does.
        if (stopped := stop(self._reel)) is not None:
            await self._until(stopped)
        else:
            await self._time.advance(AFTERMATH_S)

    async def _until(self, at: float) -> None:
        await self._time.advance(min(at / 1000, LONGEST_S) - self._clock.seconds())

    def _began_it(self, asked: Asked) -> bool:
        """Whether this REST request made the call."""
        creates = asked.request.method == "POST" and asked.request.path.endswith("/Calls.json")
        made = asked.answer is not None and asked.answer.status == 201
        return creates and made and asked.request.at <= self._first.request.at

    async def _place(self) -> None:
        """The caller calls the number; or, for a call to somebody, the application calls by REST."""
        first, form = self._first, self._first.form
        if not self._inbound:
            await self._call_out()
            return
        await self._point(self._own(first.request), first.request.method)
        body = {"from": form.get("From") or SOMEBODY, "to": self._number, "script": "replay"}
        if "CallerName" in form:
            body["caller_name"] = form["CallerName"] or "name"
        async with self._http.post(f"{self._twilio}/emulator/calls/", json=body) as answer:
            answer.raise_for_status()

    async def _call_out(self) -> None:
        """Make the call that the capture's application made, but not through the recorder."""
        kinds, call = Kinds(self._reel), first_call(self._reel)
        own = [asked for asked in self._reel.webhooks if asked.form.get("CallSid") == call]
        told = [asked for asked in own if kinds.of(asked).startswith("call status")]
        voice = next((asked for asked in own if asked not in told), self._first).request
        fields = [("To", self._first.form.get("To") or SOMEBODY), ("From", self._number)]
        fields += [("Url", self._own(voice)), ("Method", voice.method)]
        for asked in told:
            event = EVENTS.get(asked.form.get("CallStatus", ""), "completed")
            fields.append(("StatusCallbackEvent", event))
        for asked in told[:1]:
            fields.append(("StatusCallback", self._own(asked.request)))
            fields.append(("StatusCallbackMethod", asked.request.method))
        await self._direct("POST", "/Calls.json", fields)

    async def _point(self, url: str, method: str) -> None:
        """Give the number the addresses that the capture's number had."""
        kinds, call = Kinds(self._reel), first_call(self._reel)
        fields = {"VoiceUrl": url, "VoiceMethod": method, "StatusCallback": "", "VoiceFallbackUrl": ""}
        for asked in self._reel.webhooks:
            kind, request = kinds.of(asked), asked.request
            if kind.startswith("call status") and asked.form.get("CallSid") == call:
                fields |= {"StatusCallback": self._own(request), "StatusCallbackMethod": request.method}
            if kind == "fallback request":
                fields |= {"VoiceFallbackUrl": self._own(request), "VoiceFallbackMethod": request.method}
        numbers = await self._direct("GET", "/IncomingPhoneNumbers.json")
        sid = numbers["incoming_phone_numbers"][0]["sid"]
        await self._direct("POST", f"/IncomingPhoneNumbers/{sid}.json", fields)

    def _own(self, request: entries.Request) -> str:
        """The address that the capture's application gave for this request."""
        pairs = [(name, value) for name, _, value in request.query]
        if request.method == "GET":  # Twilio's fields follow
            pairs = list(takewhile(lambda pair: pair[0] not in FIELDS, pairs))
        return self._recorder.url + _rooted(request.path) + (f"?{urlencode(pairs)}" if pairs else "")

    async def _direct(self, method: str, path: str, fields: Any = None) -> dict[str, Any]:
        """Use the REST API without being captured."""
        url = f"{self._twilio}/{API_VERSION}/Accounts/{ACCOUNT.sid}{path}"
        async with self._http.request(method, url, data=fields, headers=_credentials()) as answer:
            answer.raise_for_status()
            found: dict[str, Any] = await answer.json()
            return found

    async def _do(self, event: Event) -> None:
        if isinstance(event, Rest):
            await self._rest(event.asked)
            return
        sid = self._recorder.places.behind(event.call) or await self._dialled()
        if sid is None:
            return  # a leg that the replay has not got is a difference of its own
        match event:
            case Press():
                path, body = "press", {"digits": event.digits}
            case HangUp():
                path, body = "hangup", {}
        async with self._http.post(f"{self._twilio}/emulator/calls/{sid}/{path}/", json=body) as answer:
            await answer.read()

    async def _dialled(self) -> str | None:
        """A live leg that the call has dialled and that no request has named yet."""
        async with self._http.get(f"{self._twilio}/emulator/log/") as answer:
            calls = (await answer.json())["calls"]
        legs = (c["call_sid"] for c in calls if c["parent_call_sid"] and c["status"] not in TERMINAL)
        return next(legs, None)

    async def _rest(self, asked: Asked) -> None:
        """What the application asked of the REST API, through the recorder."""
        request = asked.request
        refused = asked.answer is not None and asked.answer.status == 401
        async with self._http.request(
            request.method,
            self._recorder.api_url + with_sids(_rooted(request.path), self._recorder.places.behind),
            params=[(name, self._real(name, value)) for name, _, value in request.query],
            data=aiohttp.FormData([(name, self._real(name, value)) for name, _, value in request.form]),
            headers=_credentials("wrong") if refused else _credentials(),
        ) as answer:
            await answer.read()

    def _real(self, name: str, text: str) -> str:
        led = (twiml_led_to if name == "Twiml" else led_to)(text, self._standin.netloc)
        return with_sids(led, self._recorder.places.behind)


def _rooted(path: str) -> str:
    """The path, unless it would be part of the host before it. Raises ReplayError."""
    if not path.startswith("/"):
        raise ReplayError("a path of the capture does not begin with /")
    return path


async def _serve(open_things: AsyncExitStack, app: web.Application) -> str:
    """Serve on a free port until the end; returns the URL."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    open_things.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


def _credentials(token: str = ACCOUNT.auth_token) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(ACCOUNT.sid, token)}
