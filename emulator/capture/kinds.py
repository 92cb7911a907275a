"""What kind of request a webhook is, told by its fields and by the TwiML that asked for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from emulator.capture import document
from emulator.capture.reel import Asked, Reel

BY_FIELD = (
    ("UnstableSpeechResult", "partial result of Gather"),
    ("DialCallStatus", "action of Dial"),
    ("QueueResult", "action of Enqueue"),
    ("QueuePosition", "request of a waiting caller"),
    ("RecordingUrl", "action of Record"),  # its Digits are the key that ended it
    ("SpeechResult", "action of Gather"),
    ("Digits", "action of Gather"),
)


class Kinds:
    """Names the kinds of one capture's requests."""

    def __init__(self, reel: Reel) -> None:
        self._connect_actions = set(actions(documents(reel), "Connect"))

    def of(self, asked: Asked) -> str:
        """For example "voice request inbound ringing" or "stream callback stream-started"."""
        form = asked.form
        if kind := _callback(form):
            return kind
        if "ErrorUrl" in form:
            return "fallback request"
        if asked.request.path in self._connect_actions:
            return "action of Connect"
        kind = next((kind for name, kind in BY_FIELD if name in form), "")
        if kind or "CallSid" not in form:
            return kind or "other request"
        return f"voice request {form.get('Direction', '')} {form.get('CallStatus', '')}".strip()


def _callback(form: dict[str, str]) -> str:
    if "StreamEvent" in form:
        return f"stream callback {form['StreamEvent']}"
    if "TranscriptionEvent" in form:
        return f"transcription callback {form['TranscriptionEvent']}"
    if "StatusCallbackEvent" in form:
        return f"conference callback {form['StatusCallbackEvent']}"
    if "RecordingStatus" in form:
        return f"recording callback {form['RecordingStatus']}"
    counted = {"SequenceNumber", "CallStatus"} <= form.keys() and "UnstableSpeechResult" not in form
    if "CallbackSource" in form or counted:
        dialled = " of a dialled leg" if form.get("ParentCallSid") else ""
        return f"call status {form.get('CallStatus', '')}{dialled}"
    return ""


def documents(reel: Reel) -> list[str]:
    """Every TwiML document of the capture, in order."""
    return [asked.answer.twiml for asked in reel.webhooks if asked.answer and asked.answer.twiml]


def elements(texts: Iterable[str], tag: str) -> Iterator[Element]:
    """Every element of this name in these documents."""
    for text in texts:
        root = document.read(text)
        if root is not None:
            yield from root.iter(tag)


def actions(texts: Iterable[str], verb: str) -> list[str]:
    """The paths that this verb's `action` names."""
    named = (element.get("action") for element in elements(texts, verb))
    return [urlsplit(action).path for action in named if action]
