"""Our answers in TwiML, by Twilio's own builder, so that no text of a caller can become markup."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from twilio.twiml.voice_response import Dial as DialVerb
from twilio.twiml.voice_response import Start, VoiceResponse

from calls.path import Dial, End, Listen, Step
from calls.text import clean

__all__ = ["Addresses", "Tap", "ending", "render"]

_EVENTS = "initiated ringing answered completed"
_PAUSE_SECONDS = 60
# A first <Pause> does not answer the call (it rings on); a short sentence does.
_LISTENING = "You are connected."


@dataclass(frozen=True)
class Tap:
    """A unidirectional stream to start: its address with the nonce, its name, track and parameters."""

    url: str
    name: str
    track: str
    status_callback: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Addresses:
    """Absolute addresses for what Twilio asks and tells us next."""

    next_turn: str
    call_status: str


def render(step: Step, *, addresses: Addresses, consent: str = "", tap: Tap | None = None) -> str:
    """The document: consent text, start of the stream, then the step. At least one verb always follows."""
    response = VoiceResponse()
    if consent:
        response.say(_speech(consent))
    if tap is not None:
        response.append(_start(tap))
    _append(response, step, addresses, spoken=bool(consent))
    return str(response)


def ending(step: End) -> str:
    """A document that says the text, if there is one, and hangs up."""
    response = VoiceResponse()
    _end(response, step)
    return str(response)


def _append(response: VoiceResponse, step: Step, addresses: Addresses, *, spoken: bool) -> None:
    if isinstance(step, Dial):
        response.append(_dial(step, addresses))
    elif isinstance(step, Listen):
        _listen(response, addresses, spoken=spoken or step.again)
    else:
        _end(response, step)


def _start(tap: Tap) -> Start:
    start = Start()
    stream = start.stream(
        name=tap.name,
        url=tap.url,
        track=tap.track,
        status_callback=tap.status_callback,
        status_callback_method="POST",
    )
    for name, value in tap.parameters.items():
        stream.parameter(name=clean(name, 200), value=clean(value, 400))
    return start


def _dial(step: Dial, addresses: Addresses) -> DialVerb:
    dial = DialVerb(
        answer_on_bridge=True, action=addresses.next_turn, method="POST", caller_id=step.caller_id or None
    )
    noun = dial.number if step.kind == "number" else dial.client
    noun(
        step.target,
        status_callback=addresses.call_status,
        status_callback_method="POST",
        status_callback_event=_EVENTS,
    )
    return dial


def _listen(response: VoiceResponse, addresses: Addresses, *, spoken: bool) -> None:
    if not spoken:
        response.say(_LISTENING)
    response.pause(length=_PAUSE_SECONDS)
    response.redirect(addresses.next_turn, method="POST")


def _end(response: VoiceResponse, step: End) -> None:
    if step.text:
        response.say(_speech(step.text))
    response.hangup()


def _speech(text: str) -> str:
    return clean(text, 1000)
