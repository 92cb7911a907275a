"""Our answers in TwiML, by Twilio's own builder, so that no text of a caller can become markup."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from twilio.twiml.voice_response import Connect as ConnectVerb
from twilio.twiml.voice_response import Dial as DialVerb
from twilio.twiml.voice_response import Gather, Start, Stop, VoiceResponse

from calls import path
from calls.steps import Ask, Connect, Dial, End, Go, Leave, Listen, Meet, Record, Say, Step, StopTaps, Wait
from calls.text import clean
from calls.waiting import Round

__all__ = ["Addresses", "Tap", "ending", "hold", "render"]

_EVENTS = "initiated ringing answered completed"
_ROOM_EVENTS = "start end join leave mute hold"
_PAUSE_SECONDS = 60
_LOOPS = 2  # of the music, a quarter of a minute long, in one round
_ANSWER_SECONDS = 8  # so long a caller may think before a code
# A first <Pause> does not answer the call (it rings on); a short sentence does.
_LISTENING = "You are connected."
_OURS = "en-GB"


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
    """Absolute addresses for what Twilio asks and tells us next, and of the music."""

    next_turn: str
    call_status: str
    queue: str = ""
    gather: str = ""
    recording: str = ""
    conference: str = ""
    music: str = ""


def render(*pieces: Step | Tap | Round, addresses: Addresses, language: str = _OURS) -> str:
    """The document: each piece in order. The owner's texts are spoken in `language`, ours in English."""
    response = VoiceResponse()
    paper = _Paper(response, addresses, language)
    for piece in pieces:
        paper.write(piece)
    return str(response)


def ending(step: End) -> str:
    """A document that says the text, if there is one, and hangs up."""
    return render(step, addresses=Addresses("", ""))


def hold(music: str) -> str:
    """Music for who is on hold, as long as they are: nothing else is allowed there (Twilio error 13238)."""
    response = VoiceResponse()
    response.play(music, loop=0)
    return str(response)


class _Paper:
    """A document that is being written."""

    def __init__(self, response: VoiceResponse, addresses: Addresses, language: str) -> None:
        self._response = response
        self._to = addresses
        self._language = language
        self._spoken = False

    def write(self, piece: Step | Tap | Round) -> None:
        """Append one piece."""
        _WRITERS[type(piece)](self, piece)

    def say(self, step: Say, into: Any = None) -> None:
        if not step.text:
            return
        language = self._language if step.own or self._language.startswith("en") else _OURS
        (into or self._response).say(clean(step.text, 1000), language=language)
        self._spoken = True

    def start(self, tap: Tap) -> None:
        start = Start()
        self._stream(start, tap, track=tap.track)
        self._response.append(start)

    def connect(self, step: Connect) -> None:
        """Without a track: Twilio takes only the inbound one here, and says no to the word for another."""
        connect = ConnectVerb()
        self._stream(connect, step)
        self._response.append(connect)

    def _stream(self, into: Any, piece: Tap | Connect, **more: str) -> None:
        stream = into.stream(
            name=piece.name,
            url=piece.url,
            status_callback=piece.status_callback,
            status_callback_method="POST",
            **more,
        )
        for name, value in piece.parameters.items():
            stream.parameter(name=clean(name, 200), value=clean(value, 400))

    def stop(self, step: StopTaps) -> None:
        for name in step.names:
            stop = Stop()
            stop.stream(name=name)
            self._response.append(stop)

    def dial(self, step: Dial) -> None:
        dial = self._dial(answer_on_bridge=True, caller_id=step.caller_id or None)
        dial.number(
            step.target,
            status_callback=self._to.call_status,
            status_callback_method="POST",
            status_callback_event=_EVENTS,
        )
        self._response.append(dial)

    def meet(self, step: Meet) -> None:
        dial = self._dial()
        dial.conference(
            step.name,
            start_conference_on_enter=True,
            end_conference_on_exit=True,
            beep="false",
            wait_url="",
            participant_label="caller",
            status_callback=self._to.conference,
            status_callback_method="POST",
            status_callback_event=_ROOM_EVENTS,
        )
        self._response.append(dial)

    def listen(self, step: Listen) -> None:
        if not (self._spoken or step.again):
            self.say(Say(_LISTENING))
        self._response.pause(length=_PAUSE_SECONDS)
        self._response.redirect(self._to.next_turn, method="POST")

    def wait(self, step: Wait) -> None:
        self._response.enqueue(
            step.name,
            action=self._to.next_turn,
            method="POST",
            wait_url=self._to.queue,
            wait_url_method="POST",
        )

    def round(self, step: Round) -> None:
        """Sentences and music; a key at any time goes to `gather`, else the next round is asked for."""
        into: Any = self._response
        if step.keys:
            into = Gather(input="dtmf", action=self._to.gather, method="POST", num_digits=1, timeout=1)
            self._response.append(into)
        for sentence in step.said:
            self.say(sentence, into)
        into.play(self._to.music, loop=_LOOPS)
        self._response.redirect(self._to.queue, method="POST")

    def ask(self, step: Ask) -> None:
        gather = Gather(
            input="dtmf speech",
            action=self._to.gather,
            method="POST",
            timeout=_ANSWER_SECONDS,
            speech_timeout="auto",
            finish_on_key="#",
            num_digits=step.keys or None,
            action_on_empty_result=True,
            language=self._language,
        )
        self.say(step.prompt, gather)
        self._response.append(gather)

    def record(self, step: Record) -> None:
        self._response.record(
            action=self._to.next_turn,
            method="POST",
            max_length=step.seconds,
            timeout=5,
            finish_on_key="#",
            play_beep=True,
            recording_status_callback=self._to.recording,
            recording_status_callback_method="POST",
            recording_status_callback_event="completed absent",
        )
        self.end(End(path.NOTHING_HEARD))

    def leave(self, step: Leave) -> None:
        self._response.leave()

    def go(self, step: Go) -> None:
        if step.after:
            self._response.pause(length=step.after)
        self._response.redirect(self._to.next_turn, method="POST")

    def end(self, step: End) -> None:
        self.say(Say(step.text))
        self._response.hangup()

    def _dial(self, **more: Any) -> DialVerb:
        return DialVerb(action=self._to.next_turn, method="POST", **more)


_WRITERS: dict[type, Callable[[_Paper, Any], None]] = {
    Say: _Paper.say,
    Tap: _Paper.start,
    StopTaps: _Paper.stop,
    Dial: _Paper.dial,
    Meet: _Paper.meet,
    Listen: _Paper.listen,
    Connect: _Paper.connect,
    Wait: _Paper.wait,
    Round: _Paper.round,
    Ask: _Paper.ask,
    Record: _Paper.record,
    Leave: _Paper.leave,
    Go: _Paper.go,
    End: _Paper.end,
}
