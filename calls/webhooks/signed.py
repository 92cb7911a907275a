"""The door for Twilio's webhooks: size, method, type, signature, fields, in this order and before any query.

What is refused gets an empty answer with 403, 405, 413 or 415, one named log line and a count.
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from calls import signature
from calls.counters import denied
from calls.gateway import credentials
from calls.services import regions
from calls.text import clean

__all__ = [
    "CALL_STATUS",
    "CONFERENCE",
    "HOLD",
    "RECORDING",
    "STREAM_STATUS",
    "VOICE",
    "Form",
    "signed",
    "tokens",
]

_log = logging.getLogger("contactcenter.twilio")

MAX_BYTES = 64 * 1024
MAX_FIELDS = 400
_TYPE = "application/x-www-form-urlencoded"

_SID = {name: re.compile(rf"{name}[0-9a-fA-F]{{32}}") for name in ("AC", "CA", "CF", "MZ", "QU", "RE")}
_WORD = re.compile(r"[a-z][a-z-]{0,23}")
_TRUTH = re.compile(r"true|false")
_KEYS = re.compile(r"[0-9*#A-D]{0,64}")
_DIGITS = re.compile(r"[0-9]{1,9}")
_ADDRESS = re.compile(r"\+[0-9*#]{1,20}|[^+].*|", re.DOTALL)
_ANY = re.compile(r".*", re.DOTALL)
# Name → shape. What is not named here is ignored: Twilio adds parameters without notice.
_SHAPES = {
    "AccountSid": _SID["AC"],
    "CallSid": _SID["CA"],
    "ParentCallSid": _SID["CA"],
    "DialCallSid": _SID["CA"],
    "StreamSid": _SID["MZ"],
    "CallStatus": _WORD,
    "DialCallStatus": _WORD,
    "StreamEvent": _WORD,
    "Direction": _WORD,
    "SequenceNumber": _DIGITS,
    "ErrorCode": _DIGITS,
    "From": _ADDRESS,
    "To": _ADDRESS,
    "Called": _ADDRESS,
    "CallerName": _ANY,
    "StreamName": _ANY,
    "StreamError": _ANY,
    "StreamErrorCode": _ANY,
    "Timestamp": _ANY,
    "ErrorUrl": _ANY,
    # conferences
    "ConferenceSid": _SID["CF"],
    "FriendlyName": _ANY,
    "StatusCallbackEvent": _WORD,
    "Muted": _TRUTH,
    "Hold": _TRUTH,
    "Coaching": _TRUTH,
    "ParticipantLabel": _ANY,
    "ParticipantCallStatus": _WORD,
    "ReasonParticipantLeft": _ANY,
    "ReasonConferenceEnded": _ANY,
    "Reason": _ANY,
    "CallSidEndingConference": _SID["CA"],
    "ParticipantLabelEndingConference": _ANY,
    # keys, speech, queues, recordings
    "Digits": _KEYS,
    "SpeechResult": _ANY,
    "Confidence": _ANY,
    "QueueSid": _SID["QU"],
    "QueueResult": _WORD,
    "QueueTime": _DIGITS,
    "QueuePosition": _DIGITS,
    "CurrentQueueSize": _DIGITS,
    "RecordingSid": _SID["RE"],
    "RecordingStatus": _WORD,
    "RecordingDuration": _DIGITS,
    "RecordingUrl": _ANY,
}
_NEVER_EMPTY = {"AccountSid", "CallSid", "CallStatus", "StreamSid", "StreamEvent"}
_LIKE_OTHERS = {"Called", "StreamError"}  # CalledCity, StreamErrorMessage … are fields of their own
_MAX_VALUE = 2048
# Twilio's names that may be absent. Names and values are signed without a border between them, so a captured
# request could be split anew and hide a field in the value before it; such a value is refused.
_MAY_HIDE = re.compile(
    r"(?:From|To|Caller|Called)(?:City|Country|State|Zip)|CallerName|ParentCallSid|DialCallStatus|DialCallSid"
    r"|SequenceNumber|SipResponseCode|StirVerstat|ErrorUrl"
)


@dataclass(frozen=True)
class Form:
    """One kind of webhook: which fields must be there."""

    name: str
    required: frozenset[str] = field(default_factory=frozenset)


VOICE = Form("voice", frozenset({"AccountSid", "CallSid", "CallStatus", "From", "To"}))
CALL_STATUS = Form("call-status", frozenset({"AccountSid", "CallSid", "CallStatus"}))
CONFERENCE = Form("conference", frozenset({"AccountSid", "ConferenceSid", "StatusCallbackEvent"}))
HOLD = Form("hold", frozenset({"AccountSid"}))
RECORDING = Form("recording", frozenset({"AccountSid", "CallSid", "RecordingSid", "RecordingStatus"}))
STREAM_STATUS = Form("stream-status", frozenset({"AccountSid", "CallSid", "StreamSid", "StreamEvent"}))

Fields = dict[str, str]
View = Callable[..., HttpResponse]


class _Refused(Exception):
    """`event` names the log line and the count, `status` is the answer."""

    def __init__(self, event: str, status: int) -> None:
        super().__init__(event)
        self.event = event
        self.status = status


def signed(form: Form) -> Callable[[View], View]:
    """Decorate `view(request, fields, …)`: it is called with the known fields, clean, one value each."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                fields = _admit(request, form)
            except _Refused as refusal:
                denied(refusal.event)
                _log.warning(refusal.event, extra={"webhook": form.name, "status": refusal.status})
                return _answer(refusal.status)
            return view(request, fields, *args, **kwargs)

        return door

    return decorate


def tokens() -> Mapping[str, tuple[str, ...]]:
    """Every token that may have signed, by region: the current one and the next."""
    return credentials.tokens_by_region()


def _admit(request: HttpRequest, form: Form) -> Fields:
    body = _body(request)
    posted = _parse(body)
    signers = signature.webhook_signers(
        public_url=settings.PUBLIC_URL,
        path=_raw_path(request),
        fields=posted,
        signature=request.headers.get("X-Twilio-Signature"),
        tokens=tokens(),
    )
    if not signers:
        raise _Refused("twilio.signature.invalid", 403)
    fields = _fields(posted, form)
    try:
        return {**fields, "Region": regions.of_request(fields=fields, signers=signers)}
    except regions.Foreign:
        raise _Refused("twilio.signature.region", 403) from None


def _body(request: HttpRequest) -> bytes:
    length = str(request.META.get("CONTENT_LENGTH") or "")
    if length and not (_DIGITS.fullmatch(length) and int(length) <= MAX_BYTES):
        raise _Refused("twilio.request.too_large", 413)
    if request.method != "POST":
        raise _Refused("twilio.request.method", 405)
    if not length:
        raise _Refused("twilio.request.too_large", 413)  # of unknown length: a body in chunks
    if request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != _TYPE:
        raise _Refused("twilio.request.type", 415)
    return request.read(MAX_BYTES)


def _parse(body: bytes) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except UnicodeDecodeError:
        raise _Refused("twilio.signature.invalid", 403) from None
    except ValueError:
        raise _Refused("twilio.request.too_large", 413) from None
    posted: dict[str, list[str]] = {}
    for name, value in pairs:
        posted.setdefault(name, []).append(value)
    return posted


def _raw_path(request: HttpRequest) -> str:
    """Path and query as they came over the wire; Django's own path is decoded."""
    raw = getattr(request, "scope", {}).get("raw_path")
    path = raw.decode("latin-1") if raw else request.get_full_path().partition("?")[0]
    query = request.META.get("QUERY_STRING", "")
    return f"{path}?{query}" if query else path


def _fields(posted: dict[str, list[str]], form: Form) -> Fields:
    """The known fields; refuses double names, missing ones, wrong shapes and other accounts."""
    if any(len(values) > 1 for values in posted.values()) or not form.required <= posted.keys():
        raise _Refused("twilio.params.invalid", 403)
    fields = {name: posted[name][0] for name in _SHAPES if name in posted}
    if _torn(posted) or not all(_right(name, value) for name, value in fields.items()):
        raise _Refused("twilio.params.invalid", 403)
    if not settings.TWILIO_ACCOUNT_SID or fields["AccountSid"] != settings.TWILIO_ACCOUNT_SID:
        raise _Refused("twilio.account.foreign", 403)
    return {name: clean(value, _MAX_VALUE) for name, value in fields.items()}


def _right(name: str, value: str) -> bool:
    """Whether the value has its shape; what may be absent may be empty, as at Twilio."""
    return bool(_SHAPES[name].fullmatch(value)) or (value == "" and name not in _NEVER_EMPTY)


def _torn(posted: dict[str, list[str]]) -> bool:
    """Whether a border was moved: a field that is not there hides in another's value, or in its name."""
    absent = tuple(name for name in _SHAPES if name not in posted and name not in _LIKE_OTHERS)
    for name, [value] in posted.items():
        if any(hidden not in posted for hidden in _MAY_HIDE.findall(name + value)):
            return True
        if name not in _SHAPES and (name + value).startswith(absent):
            return True
    return False


def _answer(status: int) -> HttpResponse:
    response = HttpResponse(status=status, content_type="text/plain")
    response._has_been_logged = True  # type: ignore[attr-defined]  # one line each; Django would add one
    if status == 405:
        response["Allow"] = "POST"
    return response
