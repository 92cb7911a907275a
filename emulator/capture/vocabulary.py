"""Twilio's own words, in closed lists: `words.toml` holds them. Whatever is not in them is replaced."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_LISTS = {
    name: frozenset(text.split())
    for name, text in tomllib.loads((Path(__file__).parent / "words.toml").read_text("utf-8")).items()
}
FIELDS, KEYS, SOCKET_KEYS = _LISTS["fields"], _LISTS["keys"], _LISTS["socket_keys"]
TAGS, ATTRIBUTES, VALUES = _LISTS["tags"], _LISTS["attributes"], _LISTS["values"]
HEADERS = frozenset(name.lower() for name in _LISTS["headers"])

Patterns = Mapping[str, re.Pattern[str]]


@dataclass(frozen=True)
class Contract:
    """What one kind of message may keep: names, and for names the values.

    `by_path`: `values` names the place of a key in its message ("media.chunk"), not the key alone.
    """

    names: frozenset[str]
    values: Patterns
    by_path: bool = False


def _one_of(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words))


def _row(words: Iterable[str]) -> str:
    one = _one_of(words)
    return rf"(?:{one})(?: (?:{one})){{0,15}}"


def _table(rows: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    """Pattern → the names whose values it fits, turned around; a name in several rows may be any of them."""
    found: dict[str, list[str]] = {}
    for pattern, names in rows.items():
        for name in names.split():
            found.setdefault(name, []).append(pattern)
    return {name: re.compile("|".join(patterns)) for name, patterns in found.items()}


_WORDS = _row(VALUES)
_SHARE = r"[01](?:\.[0-9]{1,6})?"
_VERSION = r"2010-04-01|2008-08-01"
_LANGUAGE = _one_of(_LISTS["languages"])
_ERROR = rf"(?:{_one_of(_LISTS['error_words'])})"

_WORD_FIELDS = """
    CallStatus DialCallStatus Direction CallbackSource StreamEvent StatusCallbackEvent RecordingStatus
    RecordingSource RecordingTrack QueueResult TranscriptionEvent AnsweredBy ParticipantCallStatus
    ReasonConferenceEnded ReasonParticipantLeft Track StatusCallbackMethod Method VoiceMethod
    VoiceFallbackMethod FallbackMethod RecordingStatusCallbackMethod MachineDetection PauseBehavior Trim
    Status RecordingStatusCallbackEvent ConferenceStatusCallbackEvent RecordingChannels WaitMethod HoldMethod
    AnnounceMethod ConferenceStatusCallbackMethod TranscriptionEngine SpeechModel Beep JitterBufferSize Region
    VoiceReceiveMode ReferCallStatus TranscriptionStatus
"""
_WORD_KEYS = """
    track status direction source price_unit answered_by reason_conference_ended region voice_region trim
    status_callback_method voice_method voice_fallback_method sms_method sms_fallback_method
    voice_receive_mode origin address_requirements emergency_status emergency_address_status
"""
_WORD_PLACES = "event protocol media.track dtmf.track start.tracks"

HOOK = Contract(
    FIELDS,
    _table(
        {
            _WORDS: _WORD_FIELDS,
            _VERSION: "ApiVersion",
            _one_of(_LISTS["verdicts"]): "StirVerstat",
            _LANGUAGE: "LanguageCode Language",
            "[#*]?": "FinishedOnKey",
            _SHARE: "Confidence Stability",
            rf"{_ERROR}[:,]?(?: (?:-|{_ERROR}[:,]?)){{0,15}}": "StreamError TranscriptionError",
            "[0-9]": "RecordingChannels",
            "[1-6][0-9]{2}": "SipResponseCode DialSipResponseCode StatusCode",
            "[1-9][0-9]{4}": "ErrorCode WarningCode StreamErrorCode TranscriptionErrorCode",
            "[0-9]{1,5}": """
                SequenceNumber SequenceId QueuePosition CurrentQueueSize MaxQueueSize CallDuration
                Duration DialCallDuration RecordingDuration QueueTime AvgQueueTime""",
        }
    ),
)
"""A webhook of Twilio's: its form, or the query of a GET."""

ASK = Contract(
    FIELDS,
    _table(
        {
            _WORDS: _WORD_FIELDS,
            _LANGUAGE: "LanguageCode",
            "[0-9]": "RecordingChannels",
            "[0-9]{1,5}": "PageSize Page TimeLimit Timeout MaxSize MaxParticipants",
        }
    ),
)
"""A REST request: an application's, in the API's words."""

ADDRESS = Contract(FIELDS, {})
"""The query of an address that an application made up."""

TOLD = Contract(
    KEYS,
    _table(
        {
            _WORDS: _WORD_KEYS,
            _VERSION: "api_version",
            "[1-5][0-9]{2}": "status",
            "[1-9][0-9]{4}": "code error_code",
            "[0-9]": "channels",
            "[0-9]{1,5}": """
                duration queue_time page page_size start end num_pages total max_size current_size
                average_wait_time position wait_time""",
        }
    ),
)
"""An answer of the REST API."""

INSIDE = Contract(KEYS, _table({_SHARE: "confidence"}))
"""JSON inside a field or a header."""

STREAM = Contract(
    SOCKET_KEYS,
    _table(
        {
            _WORDS: _WORD_PLACES,
            r"[0-9]\.[0-9]\.[0-9]": "version",
            "audio/x-mulaw": "start.mediaFormat.encoding",
            "8000|16000": "start.mediaFormat.sampleRate",
            "[12]": "start.mediaFormat.channels",
            "[0-9]{1,8}": "sequenceNumber media.chunk media.timestamp",
        }
    ),
    by_path=True,
)
"""A message of Twilio's on a media socket."""

REPLY = Contract(SOCKET_KEYS, _table({"media|mark|clear": "event"}), by_path=True)
"""A message of an application's on a media socket, or any other JSON of it."""

_NAMES = """
    StreamName Name FriendlyName Label ParticipantLabel CallerName name friendly_name label caller_name
    InboundTrackLabel OutboundTrackLabel ParticipantLabelEndingConference
"""
NAMES = frozenset(_NAMES.split())
"""Fields and keys whose value is a name; the same name has the same placeholder everywhere."""

WORDED = frozenset((_WORD_FIELDS + _WORD_KEYS + _WORD_PLACES).split())
"""Fields, keys and places that hold one word; one that Twilio's lists have not gets a placeholder."""

WITHHELD = frozenset({"anonymous", "unknown", "restricted", "unavailable", "private"})
"""What Twilio writes for a number that the caller withholds."""

SPOKEN = re.compile(
    r"(?:.*\.)?(?:Digits|SendDigits|digits|digit|.*SpeechResult|transcript|customParameters"
    r"|Parameter[0-9]{1,2}\.Value)"
)
"""Fields and keys that hold what people pressed and said, or what an application told its own socket."""

PARAMETER = re.compile(r"Parameter[1-9][0-9]?\.(?:Name|Value)")
"""Names of the fields that are numbered."""

_SEGMENTS = """
    2010-04-01 Accounts Calls Streams Recordings Transcriptions Conferences Participants Queues Members
    Front IncomingPhoneNumbers Applications Media Twilio.CURRENT docs errors api v2 PhoneNumbers
"""
SEGMENTS = frozenset(_SEGMENTS.split())
"""Pieces of paths that are the REST API's own."""

SETTINGS: Patterns = _table(
    {
        _WORDS: """
            method statusCallbackMethod recordingStatusCallbackMethod waitMethod waitUrlMethod track record
            recordingTrack input beep trim transcriptionEngine speechModel reason partialResultCallbackMethod
            jitterBufferSize region answerOnBridge hangupOnStar muted startConferenceOnEnter referMethod
            endConferenceOnExit bargeIn profanityFilter actionOnEmptyResult partialResults playBeep transcribe
            sequential enhanced enableAutomaticPunctuation enableProviderData statusCallbackEvent
            recordingStatusCallbackEvent machineDetection amdStatusCallbackMethod""",
        r"[0-9]{1,5}|[0-9]{1,3}\.[0-9]{1,2}|auto": """length loop timeout timeLimit numDigits speechTimeout
            maxLength maxSize maxParticipants maxQueueSize""",
        "|[0-9#*]|[*]#|#[*]|0123456789|1234567890(?:[*]#)?": "finishOnKey",
        _LANGUAGE: "language languageCode",
        _one_of(_LISTS["ring_tones"]): "ringTone",
        "man|woman|alice": "voice",
    }
)
"""TwiML attribute → the pattern of values that may stay."""

_ADDRESSES = """
    url action statusCallback statusCallbackUrl waitUrl referUrl recordingStatusCallback amdStatusCallback
    partialResultCallback recordingStatusCallbackUrl transcribeCallback holdUrl announceUrl
"""
ADDRESSES = frozenset(_ADDRESSES.split())
"""TwiML attributes that hold an address, also a relative one."""

ADDRESS_NAMES = re.compile(r"(?:.*\.)?(?:.*(?:Url|Callback|_url|_uri|uri|callback)|url)")
"""Fields and keys that hold an address."""

_EDGES, _REGIONS = _one_of(_LISTS["edges"]), _one_of(_LISTS["regions"])
TWILIO_HOST = re.compile(
    rf"(?:(?:api|voice-js)(?:\.(?:{_EDGES}))?(?:\.(?:{_REGIONS}))?|www|eventgw|routes)\.twilio\.com"
)
"""Hosts of Twilio's own; an account's SIP domains, assets and functions are not among them."""

LISTS = tuple(_LISTS.values())
