"""The browsers that answer as `client:<identity>` or call out, and the calls that they hold."""

from __future__ import annotations

import random
from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode

from emulator.people.party import Party
from emulator.phone.handset import Browser, Handset
from emulator.phone.token import Grant
from emulator.twiml import Step
from emulator.webhooks.progress import Callbacks, Fallback
from emulator.world import Application

if TYPE_CHECKING:
    from emulator.exchange import Exchange

# As many registrations of one identity ring as at Twilio: the newest.
MAX_RINGING = 10
MAX_BROWSERS = 500
MAX_SEEN = 10_000
MAX_PARAMETERS = 4096
# Fields of Twilio's requests that no browser may write.
RESERVED = frozenset(
    {
        "ApplicationSid", "CallbackSource", "CallDuration", "CallerName", "Confidence", "DialBridged",
        "DialCallDuration", "DialCallSid", "DialCallStatus", "Digits", "Duration", "ErrorCode", "ErrorUrl",
        "ForwardedFrom", "ParentCallSid", "QueueResult", "QueueSid", "QueueTime", "RecordingDuration",
        "RecordingSid", "RecordingUrl", "SequenceNumber", "SipResponseCode", "SpeechResult", "StirVerstat",
        "StreamSid", "Timestamp", "bodySHA256",
    }
)  # fmt: skip


class DialError(Exception):
    """A call out that does not come about; `code` is Twilio's (31001, 31002, 31103)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Closable(Protocol):
    """A browser's connection."""

    async def close(self) -> None:
        """The emulator ends."""
        ...


class Softphones:
    """Who is registered, in each region, and who ever was."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._registered: dict[tuple[str, str], list[Browser]] = {}
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._held: dict[str, Handset] = {}
        # Of their own, so that browsers do not change the ids of calls.
        self._keys = random.Random(f"softphones {exchange.world.seed}")
        self.open: set[Closable] = set()

    def party(self, to: str) -> Party | None:
        """The browser that answers at `to`; None when a script shall: no browser ever had that identity."""
        return self._handset(to) if self.knows(to) else None

    def knows(self, to: str) -> bool:
        """Whether a browser was ever registered by this name (`client:agent_7`)."""
        return to.startswith("client:") and to.removeprefix("client:").partition("?")[0] in self._seen

    def at(self, identity: str, region: str) -> list[Browser]:
        """The browsers that ring for an identity, at most MAX_RINGING."""
        return self._registered.get((identity, region), [])[-MAX_RINGING:]

    def register(self, browser: Browser, grant: Grant) -> None:
        """From now on it rings."""
        browsers = self._registered.setdefault((grant.identity, grant.region), [])
        if browser not in browsers:
            browsers.append(browser)
        self._seen[grant.identity] = None
        self._seen.move_to_end(grant.identity)
        while len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)

    def unregister(self, browser: Browser, grant: Grant) -> bool:
        """It rings no more; whether it did."""
        place = (grant.identity, grant.region)
        browsers = self._registered.get(place, [])
        if browser not in browsers:
            return False
        browsers.remove(browser)
        if not browsers:
            del self._registered[place]
        return True

    def held(self, key: str, identity: str) -> Handset | None:
        """The call that a browser of this identity held when its connection broke."""
        found = self._held.get(key)
        return found if found is not None and found.identity == identity and found.leg is not None else None

    def ended(self, handset: Handset) -> None:
        """Forget its key."""
        self._held.pop(handset.key, None)

    def dial(self, browser: Browser, grant: Grant, given: dict[str, str]) -> Handset:
        """A browser calls: its application says what happens. Raises DialError."""
        application = self._application(grant)
        params = {**given, **grant.params}
        if len(urlencode(params)) > MAX_PARAMETERS:
            raise DialError(31103, f"the parameters are longer than {MAX_PARAMETERS} bytes")
        world = self._exchange.world
        call = world.new_call(
            f"client:{grant.identity}",
            params.get("To", ""),
            "inbound",
            region=grant.region,
            extra={"ApplicationSid": application.sid},
        )
        taken = {*call.form(), *RESERVED}
        fields = {name: value for name, value in params.items() if name not in taken}
        handset = self._handset(call.from_)
        handset.take(browser)
        self._exchange.from_browser(
            handset,
            call,
            Step(application.voice_url, application.voice_method, fields=fields),
            Callbacks(application.status_callback, application.status_callback_method),
            Fallback(application.voice_fallback_url, application.voice_fallback_method),
        )
        return handset

    def _application(self, grant: Grant) -> Application:
        if not grant.application_sid:
            raise DialError(31002, "the token's voice grant has no outgoing application")
        found = self._exchange.world.applications.get(grant.application_sid)
        if found is None or found.region != grant.region:
            raise DialError(31001, f"no TwiML application {grant.application_sid} in {grant.region}")
        return found

    def _handset(self, to: str) -> Handset:
        handset = Handset(self._exchange, to, f"{self._keys.getrandbits(128):032x}")
        self._held[handset.key] = handset
        return handset
