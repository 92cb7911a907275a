"""Creating a participant: somebody is called, and sits in the conference when the call is answered."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from aiohttp import web

from emulator.rest.endpoints import NO_APPLICATION, Endpoint, called, caller
from emulator.rest.envelope import exchange_of, form_of, region_of
from emulator.rest.errors import RestError, bad
from emulator.rest.forms import Form, takes
from emulator.rest.guests import Guest, show
from emulator.rest.orders import BAD_CALLBACK, TRIMS
from emulator.rest.placing import PLACING_FIELDS, callbacks, detection, place, placing
from emulator.rest.terms import coaching
from emulator.rooms.conference import TOPICS, Conference
from emulator.rooms.recording import EVENTS
from emulator.rooms.seat import MAX_ROOM, Terms
from emulator.twiml import Document, Step, Verb
from emulator.verbs.dial_conference import MAX_NAME, terms
from emulator.webhooks.progress import Fallback

BAD_NAME, OVER, BAD_LABEL, LABEL_IN_USE = 16003, 16022, 16024, 16026
MAX_LABEL = 128
ID = re.compile(r"CF[0-9a-fA-F]{32}")
CALL_ID = re.compile(r"CA[0-9a-fA-F]{32}")
# What no XML may hold.
NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
BEEPS = frozenset({"true", "false", "onEnter", "onExit"})
BUFFERS = frozenset({"off", "small", "medium", "large"})
RECORD = frozenset({"true", "false", "record-from-start", "do-not-record"})
BLANK = Document((), "", "")


@takes(
    *PLACING_FIELDS,
    "To",
    "From",
    "Label",
    "Muted",
    "Beep",
    "StartConferenceOnEnter",
    "EndConferenceOnExit",
    "WaitUrl",
    "WaitMethod",
    "EarlyMedia",
    "MaxParticipants",
    "JitterBufferSize",
    "Coaching",
    "CallSidToCoach",
    "Region",
    "ConferenceRecord",
    "ConferenceTrim",
    "ConferenceStatusCallback",
    "ConferenceStatusCallbackMethod",
    "ConferenceStatusCallbackEvent",
    "ConferenceRecordingStatusCallback",
    "ConferenceRecordingStatusCallbackMethod",
    "ConferenceRecordingStatusCallbackEvent",
    "AmdStatusCallback",
    "AmdStatusCallbackMethod",
    "CallerDisplayName",
)
async def create(request: web.Request) -> web.Response:
    """Call somebody into a conference, which is made by its name when there is none."""
    exchange, given, region = exchange_of(request), form_of(request), region_of(request)
    to = called(given.get("To"), applications=True)
    _check_application(request, to)
    from_ = caller(given.get("CallerId") or given.get("From"), to)
    how = placing(given, detection(given, "Amd"))
    told = callbacks(given, given.words("StatusCallbackEvent"))
    name = _name(request)
    noun = _noun(given, name)
    room = exchange.conferences.room(name, region)
    try:
        agreed = _terms(given, noun, room)
    except RestError:
        room.close_unused()
        raise
    call = exchange.world.outbound(from_, to.address, region)
    room.expected[call.sid] = agreed
    leg = place(call, told, Fallback(), Step(twiml=_twiml(noun)), how, exchange)
    leg.parameters = to.parameters
    leg.endings.append(lambda: room.missed(call))
    return web.json_response(show(Guest(room, call, agreed)), status=201)


def _check_application(request: web.Request, to: Endpoint) -> None:
    sid = to.address.removeprefix("app:")
    found = exchange_of(request).world.applications.get(sid)
    if to.address.startswith("app:") and (found is None or found.region != region_of(request)):
        raise bad(f"ApplicationSid {sid[:40]!r} is not valid", NO_APPLICATION)


def _name(request: web.Request) -> str:
    """The conference's name; an id must be that of a living one. Raises RestError 16022, 16003."""
    asked = request.match_info["conference"]
    if ID.fullmatch(asked):
        found = exchange_of(request).conferences.find(asked, region_of(request), live=True)
        if found is None:
            raise RestError(404, OVER, "Conference does not exist or is completed")
        return found.friendly_name
    name = asked.strip()
    if not name or len(name) > MAX_NAME or NO_XML.search(name):
        raise bad("Could not recognize conference sid or friendly name", BAD_NAME)
    return name


def _label(given: Form) -> str:
    label = given.get("Label") or ""
    unfit = CALL_ID.fullmatch(label) or NO_XML.search(label) or "/" in label or "%2f" in label.lower()
    if len(label) > MAX_LABEL or unfit:
        raise bad(
            "Invalid participant label, must not exceed 128 characters, must not be a CallSid, "
            "must not contain '/'",
            BAD_LABEL,
        )
    return label


def _terms(given: Form, noun: Verb, room: Conference) -> Terms:
    """How it will take part. Raises RestError: 16026 label in use, 16028 nobody to coach."""
    agreed = terms(noun, BLANK)
    if agreed.label and room.uses(agreed.label):
        raise bad("Participant label is in use by another participant", LABEL_IN_USE)
    for name, value in coaching(given, agreed, "", room).items():
        setattr(agreed, name, value)
    return agreed


def _noun(given: Form, name: str) -> Verb:
    """The <Conference> that the call follows. Raises RestError."""
    attributes = {
        "participantLabel": _label(given),
        "muted": _flag(given, "Muted"),
        "beep": given.choice("Beep", BEEPS),
        "startConferenceOnEnter": _flag(given, "StartConferenceOnEnter"),
        "endConferenceOnExit": _flag(given, "EndConferenceOnExit"),
        "maxParticipants": _number(given, "MaxParticipants"),
        "jitterBufferSize": given.choice("JitterBufferSize", BUFFERS),
        "trim": given.choice("ConferenceTrim", TRIMS),
        **_events(given),
        **_recording(given),
    }
    kept = {key: value for key, value in attributes.items() if value}
    url, method = given.url("WaitUrl"), given.method("WaitMethod")
    if given.get("WaitUrl") is not None:
        kept |= {"waitUrl": url, "waitMethod": method}
    return Verb("Conference", kept, text=name)


def _events(given: Form) -> dict[str, str]:
    url, method = given.callback("ConferenceStatusCallback"), given.method("ConferenceStatusCallbackMethod")
    topics = [topic for topic in given.words("ConferenceStatusCallbackEvent") if topic in TOPICS]
    told = {"statusCallback": url, "statusCallbackMethod": method, "statusCallbackEvent": " ".join(topics)}
    return told if url else {}


def _recording(given: Form) -> dict[str, str]:
    prefix = "ConferenceRecordingStatusCallback"
    url, method = given.callback(prefix, BAD_CALLBACK), given.method(f"{prefix}Method")
    events = [event for event in given.words(f"{prefix}Event") if event in EVENTS]
    if given.choice("ConferenceRecord", RECORD) not in {"true", "record-from-start"}:
        return {}
    told = {
        "recordingStatusCallback": url,
        "recordingStatusCallbackMethod": method,
        "recordingStatusCallbackEvent": " ".join(events),
    }
    return {"record": "record-from-start"} | (told if url else {})


def _flag(given: Form, name: str) -> str:
    value = given.flag(name)
    return "" if value is None else str(value).lower()


def _number(given: Form, name: str) -> str:
    value = given.whole(name, 2, MAX_ROOM)
    return "" if value is None else str(value)


def _twiml(noun: Verb) -> str:
    """The TwiML of the call: it stays in the conference, and ends with it."""
    response = ET.Element("Response")
    element = ET.SubElement(ET.SubElement(response, "Dial"), noun.name, noun.attributes)
    element.text = noun.text
    return ET.tostring(response, encoding="unicode")
