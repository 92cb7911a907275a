"""The words of Twilio's that may stay as they are. Whatever is not here is replaced."""

from __future__ import annotations

import re

WORD = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}")
WHOLE = re.compile(r"[0-9]{1,8}")
VERSION = re.compile(r"[0-9][0-9.-]{0,11}")
BOOLEAN = re.compile(r"true|false")
MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,40}")
_PIECE = r"(?:[A-Za-z][A-Za-z,:-]{0,19}|[0-9]{5}|-)"
MESSAGE = re.compile(rf"{_PIECE}(?: {_PIECE}){{0,15}}")
EVENTS = re.compile(r"[a-z-]{1,20}(?: [a-z-]{1,20}){0,11}")
KEYS = re.compile(r"[#*]?")
DECIMAL = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
LENGTH = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,3})?|auto")
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z]{2,4})?")

_WORD_FIELDS = """
    CallStatus DialCallStatus Direction CallbackSource StreamEvent StatusCallbackEvent RecordingStatus
    RecordingSource RecordingTrack QueueResult TranscriptionEvent AnsweredBy ParticipantCallStatus
    ReasonConferenceEnded ReasonParticipantLeft Track StatusCallbackMethod Method VoiceMethod
    VoiceFallbackMethod FallbackMethod RecordingStatusCallbackMethod MachineDetection PauseBehavior Trim
    Status RecordingStatusCallbackEvent ConferenceStatusCallbackEvent RecordingChannels
    TranscriptionEngine SpeechModel Beep event protocol track tracks status direction source price_unit
    answered_by reason_conference_ended region status_callback_method voice_method
    voice_fallback_method sms_method sms_fallback_method voice_receive_mode origin
    address_requirements emergency_status emergency_address_status
"""
_NUMBER_FIELDS = """
    SequenceNumber SequenceId SipResponseCode ErrorCode RecordingChannels QueuePosition CurrentQueueSize
    MaxQueueSize CallDuration Duration DialCallDuration RecordingDuration QueueTime AvgQueueTime
    PageSize Page TimeLimit Timeout StatusCode WarningCode StreamErrorCode sequenceNumber chunk
    timestamp duration queue_time code status sampleRate channels page page_size start end num_pages
    total max_size current_size average_wait_time position wait_time error_code
"""
_FLAG_FIELDS = """
    Final PartialResults DialBridged Muted Hold Coaching EndConferenceOnExit StartConferenceOnEnter
    VoiceCallerIdLookup Record AsyncAmd EarlyMedia BeepOnExit ConferenceRecord
"""
_NAME_FIELDS = """
    StreamName Name FriendlyName Label ParticipantLabel CallerName name friendly_name label caller_name
    InboundTrackLabel OutboundTrackLabel ParticipantLabelEndingConference
"""
_SEGMENTS = """
    2010-04-01 Accounts Calls Streams Recordings Transcriptions Conferences Participants Queues Members
    Front IncomingPhoneNumbers Applications Media Twilio.CURRENT docs errors api v2 PhoneNumbers
"""
_WORD_ATTRIBUTES = """
    method statusCallbackMethod recordingStatusCallbackMethod waitMethod waitUrlMethod track record
    recordingTrack input beep trim transcriptionEngine speechModel ringTone reason
    partialResultCallbackMethod jitterBufferSize region answerOnBridge hangupOnStar muted
    startConferenceOnEnter endConferenceOnExit bargeIn profanityFilter actionOnEmptyResult
    partialResults playBeep transcribe sequential enhanced enableAutomaticPunctuation
    enableProviderData
"""
_LENGTH_ATTRIBUTES = """
    length loop timeout timeLimit numDigits speechTimeout maxLength maxSize maxParticipants maxQueueSize
"""
_ADDRESSES = """
    url action statusCallback statusCallbackUrl waitUrl referUrl recordingStatusCallback
    partialResultCallback recordingStatusCallbackUrl transcribeCallback holdUrl announceUrl
"""


def _harmless() -> dict[str, tuple[re.Pattern[str], ...]]:
    table: dict[str, tuple[re.Pattern[str], ...]] = {}
    for names, pattern in ((_WORD_FIELDS, WORD), (_NUMBER_FIELDS, WHOLE), (_FLAG_FIELDS, BOOLEAN)):
        for name in names.split():
            table[name] = (*table.get(name, ()), pattern)
    return table


HARMLESS: dict[str, tuple[re.Pattern[str], ...]] = {
    **_harmless(),
    "ApiVersion": (VERSION,),
    "api_version": (VERSION,),
    "version": (VERSION,),
    "encoding": (MEDIA_TYPE,),
    "StreamError": (MESSAGE,),
    "StatusCallbackEvent": (EVENTS,),
    "FinishedOnKey": (KEYS,),
    "Confidence": (DECIMAL,),
    "Stability": (DECIMAL,),
    "confidence": (DECIMAL,),
    "StirVerstat": (re.compile(r"TN-[A-Za-z-]{1,60}"),),
}
"""Field or key → the patterns of values that may stay."""

WITHHELD = frozenset({"anonymous", "unknown", "restricted", "unavailable", "private"})
"""What Twilio writes for a number that the caller withholds."""

NAMES = frozenset(_NAME_FIELDS.split())
"""Fields and keys whose value is a name; the same name has the same placeholder everywhere."""

SPOKEN = re.compile(
    r"Digits|SendDigits|digits|digit|.*SpeechResult|transcript|Parameter[0-9]{1,2}\.Value|customParameters"
)
"""Fields and keys that hold what people pressed and said, or what an application told its own socket."""

FIELD_NAME = re.compile(r"[A-Z][A-Za-z]{1,39}(?:[0-9]{1,2}(?:\.(?:Name|Value))?)?[<>]?")
KEY_NAME = re.compile(r"[A-Za-z][A-Za-z_]{0,39}")
HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
"""Spellings of names that Twilio gives; other names are somebody else's and are replaced."""

SEGMENTS = frozenset(_SEGMENTS.split())
"""Pieces of paths that are the REST API's own."""

ATTRIBUTES: dict[str, re.Pattern[str]] = {
    **dict.fromkeys(_WORD_ATTRIBUTES.split(), re.compile(r"[A-Za-z][A-Za-z _-]{0,39}")),
    **dict.fromkeys(_LENGTH_ATTRIBUTES.split(), LENGTH),
    "statusCallbackEvent": EVENTS,
    "recordingStatusCallbackEvent": EVENTS,
    "finishOnKey": re.compile(r"[0-9#*]{0,12}"),
    "language": LANGUAGE,
    "languageCode": LANGUAGE,
    "voice": re.compile(r"[A-Za-z]{1,12}(?:[.-][A-Za-z]{1,20}){0,3}"),
}
"""TwiML attribute → the pattern of values that may stay."""

ADDRESSES = frozenset(_ADDRESSES.split())
"""TwiML attributes that hold an address, also a relative one."""

ADDRESS_NAMES = re.compile(r".*(?:Url|Callback|_url|_uri|uri|callback)|url")
"""Fields and keys that hold an address."""
