"""What Twilio knows: the account's numbers and calls. Ids come from one seed."""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote, urljoin

from emulator.account import HOME, Account
from emulator.clock import Clock

API_VERSION = "2010-04-01"
DEFAULT_NUMBER = "+15550100100"
KEEP_ENDED = 2000
COUNTRIES = {"+1": "US", "+31": "NL", "+33": "FR", "+353": "IE", "+44": "GB", "+49": "DE", "+61": "AU"}
# What is written down of one call: webhooks, notifications; the oldest go first.
KEEP_WRITTEN = 2000
LIVE = frozenset({"queued", "ringing", "in-progress"})


def country(number: str) -> str:
    """The country that a number's first digits tell, "" for any but those that examples are written with."""
    return next((name for digits, name in COUNTRIES.items() if number.startswith(digits)), "")


def rfc2822(moment: datetime | None) -> str | None:
    """A date as REST and call callbacks write it."""
    return None if moment is None else format_datetime(moment)


def iso(moment: datetime | None) -> str | None:
    """A date as stream callbacks write it: ISO 8601, UTC, milliseconds."""
    if moment is None:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Addresses:
    """What a new number's calls ask, as paths of the target or whole addresses; "" asks nothing."""

    voice: str = "/twilio/voice/"
    fallback: str = "/twilio/fallback/"
    status: str = "/twilio/call-status/"


@dataclass(kw_only=True)
class Answering:
    """What numbers and TwiML applications share: in which region, whom calls ask and tell."""

    region: str = HOME
    voice_url: str = ""
    voice_method: str = "POST"
    voice_fallback_url: str = ""
    voice_fallback_method: str = "POST"
    status_callback: str = ""
    status_callback_method: str = "POST"
    voice_caller_id_lookup: bool = False
    # What is only remembered: settings of texts, emergencies, papers.
    other: dict[str, Any] = field(default_factory=dict)


@dataclass
class Number(Answering):
    """A number of the account and the addresses that its calls ask."""

    sid: str
    phone_number: str
    friendly_name: str
    created: datetime
    updated: datetime
    voice_application_sid: str = ""
    trunk_sid: str = ""
    voice_region: str = HOME
    routed: datetime | None = None
    route_name: str = ""
    # The same number as other regions have it: each has its own addresses.
    elsewhere: dict[str, Number] = field(default_factory=dict)


@dataclass
class Application(Answering):
    """A TwiML application: addresses that numbers, browsers and calls may share."""

    sid: str
    friendly_name: str
    created: datetime
    updated: datetime


@dataclass
class Call:
    """One Twilio call (one leg), as REST shows it, and what was seen of it for the truth log."""

    sid: str
    account_sid: str
    from_: str
    to: str
    direction: str
    created: datetime
    updated: datetime
    region: str = HOME
    status: str = "queued"
    parent_sid: str = ""
    number_sid: str = ""
    caller_name: str = ""
    answered_by: str = ""
    script: str = ""
    dialled: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    reason: str = ""
    sip_code: str = ""
    hops: int = 0
    trust: dict[str, str] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    recorded: dict[str, str] = field(default_factory=dict)
    chance: random.Random = field(default_factory=random.Random)
    keys: list[dict[str, Any]] = field(default_factory=list)
    documents: list[dict[str, Any]] = field(default_factory=list)
    webhooks: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEEP_WRITTEN))
    notifications: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEEP_WRITTEN))
    statuses: list[dict[str, Any]] = field(default_factory=list)

    @property
    def live(self) -> bool:
        """Whether it has not ended."""
        return self.status in LIVE

    def new_sid(self, prefix: str) -> str:
        """A new id of something that this call brings forth: two letters and 32 hex digits."""
        return f"{prefix}{self.chance.getrandbits(128):032x}"

    def become(self, status: str, now: datetime) -> None:
        """Take a new status."""
        self.status = status
        self.updated = now
        self.statuses.append({"status": status, "at": iso(now)})
        if status != "queued" and self.dialled is None:
            self.dialled = now
        if status == "in-progress" and self.started is None:
            self.started = now
        if status not in LIVE:
            self.ended = now

    def duration(self, now: datetime | None = None) -> int:
        """Whole seconds between answer and end (`now` while it lasts); 0 if it was never answered."""
        end = self.ended or now
        if self.started is None or end is None:
            return 0
        return round((end - self.started).total_seconds())

    def note(self, code: int, message: str, now: datetime) -> None:
        """Write what Twilio's debugger would show."""
        self.notifications.append({"code": code, "message": message, "at": iso(now)})

    def form(self) -> dict[str, str]:
        """The parameters of every voice webhook of this call (Twilio's request parameters)."""
        numbers = {"From": self.from_, "To": self.to, "Caller": self.from_, "Called": self.to}
        places = {
            f"{who}{what}": country(number) if what == "Country" else ""
            for who, number in numbers.items()
            for what in ("City", "State", "Zip", "Country")
        }
        form = {
            "CallSid": self.sid,
            "AccountSid": self.account_sid,
            "From": self.from_,
            "To": self.to,
            "Caller": self.from_,
            "Called": self.to,
            "CallStatus": self.status,
            "Direction": self.direction,
            "ApiVersion": API_VERSION,
        }
        if self.caller_name:
            form["CallerName"] = self.caller_name
        if self.parent_sid:
            form["ParentCallSid"] = self.parent_sid
        return {**places, **form, **self.trust, **self.extra}


def _trust(call: Call) -> dict[str, str]:
    """What is known of who calls in: a token to pass on, and for North America the STIR verdict."""
    token = json.dumps({"parentCallInfoToken": call.new_sid("") * 8, "identityHeaderTokens": []})
    stir = {"StirVerstat": "TN-Validation-Passed-A"} if call.from_.startswith("+1") else {}
    return {"CallToken": quote(token), **stir}


class World:
    """The account's numbers and calls, and the maker of ids."""

    def __init__(
        self,
        account: Account,
        clock: Clock,
        target: str,
        seed: int,
        numbers: Sequence[str] = (),
        addresses: Addresses | None = None,
    ) -> None:
        self.account = account
        self.clock = clock
        self.target = target.rstrip("/")
        self.seed = seed
        self._addresses = addresses or Addresses()
        self.random = random.Random(seed)
        self._calls = random.Random(f"{seed} calls")
        self.numbers: dict[str, Number] = {}
        self.applications: dict[str, Application] = {}
        self.calls: dict[str, Call] = {}
        self._ended: deque[str] = deque()
        for number in numbers:
            self.number(number)

    def sid(self, prefix: str) -> str:
        """A new id: two letters and 32 hex digits."""
        return f"{prefix}{self.random.getrandbits(128):032x}"

    def number(self, phone_number: str) -> Number:
        """The number, made with the target's default addresses when it is new."""
        if phone_number not in self.numbers:
            number = self.new_number(phone_number)
            number.voice_url = self._at_target(self._addresses.voice)
            number.voice_fallback_url = self._at_target(self._addresses.fallback)
            number.status_callback = self._at_target(self._addresses.status)
        return self.numbers[phone_number]

    def _at_target(self, path: str) -> str:
        return urljoin(f"{self.target}/", path) if path else ""

    def new_number(self, phone_number: str) -> Number:
        """A number that asks nothing yet."""
        now = self.clock.now()
        made = Number(self.sid("PN"), phone_number, phone_number, created=now, updated=now)
        self.numbers[phone_number] = made
        return made

    def number_in(self, number: Number, region: str) -> Number:
        """The number as this region has it; the first time with what us1 has."""
        if region == number.region:
            return number
        if region not in number.elsewhere:
            number.elsewhere[region] = replace(number, region=region, other={}, elsewhere={})
        return number.elsewhere[region]

    def number_by_sid(self, sid: str) -> Number | None:
        """The number with this PN id."""
        return next((number for number in self.numbers.values() if number.sid == sid), None)

    def addresses(self, number: Number) -> Number | Application:
        """Whose addresses the number's calls ask: its application's, if it has one, overrides its own."""
        here = self.number_in(number, number.voice_region)
        application = self.applications.get(here.voice_application_sid)
        return application if application is not None and application.region == here.region else here

    def new_call(self, from_: str, to: str, direction: str, **facts: Any) -> Call:
        """Write a new call down; it has no status history yet."""
        now = self.clock.now()
        parent = self.calls.get(facts.get("parent_sid", ""))
        # What a call brings forth is drawn from its own row: calls side by side change no id of each other.
        sid = parent.new_sid("CA") if parent is not None else f"CA{self._calls.getrandbits(128):032x}"
        call = Call(sid, self.account.sid, from_, to, direction, created=now, updated=now, **facts)
        call.chance.seed(f"{self.seed} {sid}")
        if direction == "inbound" and from_.startswith("+"):
            call.trust = _trust(call)
        self.calls[sid] = call
        return call

    def outbound(self, from_: str, to: str, region: str) -> Call:
        """A new call that the REST API places."""
        own = self.numbers.get(from_)
        number_sid = own.sid if own is not None else ""
        return self.new_call(from_, to, "outbound-api", region=region, number_sid=number_sid)

    def forget_old(self, sid: str) -> list[str]:
        """Remember that a call ended; returns the ids of calls now forgotten, oldest first."""
        self._ended.append(sid)
        gone: list[str] = []
        while len(self._ended) > KEEP_ENDED:
            gone.append(self._ended.popleft())
            self.calls.pop(gone[-1], None)
        return gone
