"""A leg's party in a browser: it rings at every browser of an identity, and one of them holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, urlencode

from emulator.audio.ear import Spoken
from emulator.audio.jitter import Jitter
from emulator.audio.sound import SILENCE, Frame
from emulator.leg import Leg
from emulator.people.party import RINGS_AFTER_S, Conversation, Line

if TYPE_CHECKING:
    from emulator.exchange import Exchange

# Twilio notices after 15 to 20 s that a browser has gone which did not say so.
GRACE_S = 15.0
NOT_REGISTERED = "480"
MAX_MESSAGES = 100


class Browser(Protocol):
    """A page, as a handset sees it."""

    def ring(self, handset: Handset, message: dict[str, Any]) -> None:
        """A call for it."""
        ...

    def tell(self, message: dict[str, Any]) -> None:
        """Send it a control message."""
        ...

    def hear(self, raw: bytes) -> None:
        """Send it 20 ms of mu-law."""
        ...


class Handset:
    """The party of one leg. With `key` the browser that held it may take it up again when its line broke."""

    conversation: Conversation | None = None

    def __init__(self, exchange: Exchange, to: str, key: str) -> None:
        self._exchange = exchange
        name, _, query = to.removeprefix("client:").partition("?")
        self.identity = name
        self.key = key
        self.leg: Leg | None = None
        self.browser: Browser | None = None
        self._ringing: list[Browser] = []
        self._parameters = dict(parse_qsl(query, keep_blank_values=True))
        self._jitter = Jitter()
        self._losses = 0
        self.messages: list[Any] = []

    @property
    def sid(self) -> str:
        """The call's id, "" before it has a leg and after its end."""
        return self.leg.call.sid if self.leg is not None else ""

    # the leg's side

    def attach(self, line: Line) -> None:
        """The leg whose party this is."""
        self.leg = line if isinstance(line, Leg) else None

    async def called(self, line: Line) -> None:
        """Ring at every browser of the identity; without one there is no answer, at once."""
        await self._exchange.world.clock.sleep(RINGS_AFTER_S)
        if self.leg is None:
            return
        self._ringing = self._exchange.softphones.at(self.identity, self.leg.call.region)
        if not self._ringing:
            self._give_up("the client is not registered")
            return
        line.ring()
        message = self._invitation(self.leg)
        for browser in self._ringing:
            browser.ring(self, message)

    def frame(self, tick: int) -> Frame:
        return self._jitter.frame(tick) if self.leg is not None else SILENCE

    def spoken(self, start: int, end: int) -> list[Spoken]:
        """Nobody knows what a microphone heard."""
        return []

    def words(self, start: int, end: int) -> list[str]:
        return []

    def notice(self, event: str) -> None:
        """Tell the browser of the answer; a person hears the rest."""
        if event == "answered" and self.browser is not None:
            self.browser.tell({"type": "answer", "call": self.sid, "reconnect": self.key})

    def hear_key(self, digit: str) -> None:
        """A tone among the sound; the page is not told."""

    def ended(self) -> None:
        """The call is over: whoever rings stops, whoever holds it is told."""
        self._exchange.pacer.remove(self)
        message = {"type": "cancel", "call": self.sid}
        for browser in self._ringing:
            browser.tell(message)
        if self.browser is not None:
            self.browser.tell({**message, "type": "hangup"})
        self.leg, self.browser, self._ringing = None, None, []
        self._exchange.softphones.ended(self)

    def tick(self, number: int) -> None:
        """Send the browser what the leg hears; what it says moves on, whether anybody listens or not."""
        self._jitter.frame(number)
        if self.browser is not None and self.leg is not None:
            self.browser.hear(self.leg.hears(number).raw)

    # the browser's side

    def take(self, browser: Browser) -> None:
        """This browser holds it from now on."""
        self.browser = browser
        self._exchange.pacer.add(self)

    def accept(self, browser: Browser) -> bool:
        """Answer the call at this browser; False when another was faster or the call is over."""
        if self.leg is None or browser not in self._ringing:
            return False
        self._stop_ringing(browser)
        self.take(browser)
        self.leg.answer()
        return True

    def reject(self, browser: Browser) -> None:
        """Decline for all browsers of the identity: the caller meets a busy line."""
        if self.leg is not None and browser in self._ringing:
            self._stop_ringing(browser)
            self.leg.finish("busy", "rejected by the client")

    def hang_up(self, browser: Browser) -> None:
        """Put it down; at a browser where it still rings this declines."""
        if self.leg is not None and browser is self.browser:
            self.leg.hang_up()
        else:
            self.reject(browser)

    def listen(self, frame: Frame) -> None:
        """The browser's microphone."""
        self._jitter.push(frame)

    def press(self, digits: str) -> None:
        """The browser's keys."""
        for digit in digits:
            if self.leg is not None:
                self.leg.press(digit)

    def note(self, content: Any) -> None:
        """A message of the page."""
        self.messages.append(content)
        del self.messages[:-MAX_MESSAGES]

    def send(self, content: Any) -> bool:
        """A message to the page; False when no page holds the call."""
        if self.browser is None:
            return False
        self.browser.tell({"type": "message", "call": self.sid, "content": content})
        return True

    def lose(self, browser: Browser) -> None:
        """The browser is gone without a word: stop ringing there; what it held waits for it a while."""
        if browser in self._ringing:
            self._ringing.remove(browser)
            if not self._ringing:
                self._give_up("the client has gone")
        elif browser is self.browser:
            self.browser = None
            self._losses += 1
            self._exchange.courier.spawn(self._wait_for_it(self._losses))

    async def _wait_for_it(self, loss: int) -> None:
        await self._exchange.world.clock.sleep(GRACE_S)
        if loss == self._losses and self.browser is None and self.leg is not None:
            self.leg.hang_up("the client was lost")

    def _stop_ringing(self, but: Browser) -> None:
        for browser in self._ringing:
            if browser is not but:
                browser.tell({"type": "cancel", "call": self.sid})
        self._ringing = []

    def _give_up(self, why: str) -> None:
        if self.leg is not None:
            self.leg.call.sip_code = NOT_REGISTERED
            self.leg.finish("no-answer", why)

    def _invitation(self, leg: Leg) -> dict[str, Any]:
        call = leg.call
        custom = {**self._parameters, **leg.parameters}
        shown = {"From": call.from_, "To": call.to, "CallSid": call.sid, "AccountSid": call.account_sid}
        if custom:
            shown["Params"] = urlencode(custom)
        return {"type": "incoming", "call": call.sid, "parameters": shown, "custom": custom}
