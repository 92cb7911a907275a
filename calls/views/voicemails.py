"""`/voicemails/`: the messages that callers left, their sound, and that somebody has heard them."""

import logging
import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from calls import audit
from calls.counters import denied
from calls.models import Voicemail
from calls.refusal import Refused
from calls.selectors import voicemails
from calls.services import inbox
from calls.text import to_call
from calls.views.asked import Rate
from calls.views.guard import hearing, signed_in
from calls.views.pieces import address_of, clock, may_call, page_of

__all__ = ["heard", "messages", "sound"]

PER_SECOND, BURST = 2.0, 30.0
KEPT_SECONDS = 600  # by the browser of who listened, so that seeking asks Twilio no more
_log = logging.getLogger("contactcenter.desk")
_rate = Rate(PER_SECOND, BURST)
_PART = re.compile(r"bytes=([0-9]{0,9})-([0-9]{0,9})")


@require_safe
@never_cache
@hearing
def messages(request: HttpRequest) -> HttpResponse:
    """One page of them, newest first."""
    user = signed_in(request)
    found = voicemails.listed(user, page=page_of(request))
    calls_out = may_call(user)
    context = {
        "found": found,
        "rows": [_row(row, calls_out) for row in found.messages],
        "page": "voicemails",
        "newer": address_of(request, found.page - 1),
        "older": address_of(request, found.page + 1),
    }
    return render(request, "calls/voicemails.html", context)


@require_GET
@hearing
def sound(request: HttpRequest, voicemail_id: str) -> HttpResponse:
    """The message as WAV, or the part of it that a player asks for; that somebody listened is audited."""
    row = _find(request, voicemail_id)
    if not row.ready:
        raise Http404
    if not _rate.spend(signed_in(request).pk):
        denied("voicemail.rate")
        return _refused("rate", 429, gettext("That was too much at once. Wait a moment and try again."))
    _audit(request, "voicemail.listened", row)
    try:
        body = inbox.sound(voicemail=row)
    except Refused as refused:
        return _refused(refused.code, 404 if refused.code == "gone" else 502, refused.text)
    return _answer(body, request.headers.get("Range", ""))


@require_POST
@hearing
def heard(request: HttpRequest, voicemail_id: str) -> HttpResponse:
    """Somebody has listened to it: back to the page of the list, at the message."""
    row = _find(request, voicemail_id)
    _audit(request, "voicemail.heard", row)
    inbox.heard(voicemail=row, by=signed_in(request), now=timezone.now())
    return redirect(f"{reverse('voicemails')}?page={page_of(request)}#message-{row.pk}")


def _row(row: Voicemail, calls_out: bool) -> dict[str, Any]:
    line = row.call.number.label if row.call.number else ""
    return {
        "message": row,
        "call": row.call,
        "place": row.queue.name if row.queue else line,
        "length": clock(row.seconds),
        "may_dial": calls_out and bool(to_call(row.call.caller)),
    }


def _find(request: HttpRequest, voicemail_id: str) -> Voicemail:
    row = voicemails.find(signed_in(request), int(voicemail_id))
    if row is None:
        raise Http404
    return row


def _audit(request: HttpRequest, what: str, row: Voicemail) -> None:
    audit.record(
        who=signed_in(request), what=what, on=f"voicemail {row.pk}", ip=request.META.get("REMOTE_ADDR")
    )


def _answer(body: bytes, wanted: str) -> HttpResponse:
    """All of it, or one part: players of some browsers play nothing that they cannot ask for in parts."""
    first, last = _part(wanted, len(body))
    answer = HttpResponse(body[first : last + 1], content_type="audio/wav")
    answer["Accept-Ranges"] = "bytes"
    patch_cache_control(answer, private=True, max_age=KEPT_SECONDS)
    if wanted and _PART.fullmatch(wanted):
        answer.status_code = 206 if first <= last else 416
        of = f"{first}-{last}" if first <= last else "*"
        answer["Content-Range"] = f"bytes {of}/{len(body)}"
    return answer


def _part(wanted: str, size: int) -> tuple[int, int]:
    """First and last byte of `bytes=a-b`, `a-` or `-n`; all for what is none of them, (0, -1) for none."""
    asked = _PART.fullmatch(wanted)
    if asked is None:
        return 0, size - 1
    first, last = asked.groups()
    if not first:
        return (max(0, size - int(last)), size - 1) if last and int(last) else (0, -1)
    end = min(int(last), size - 1) if last else size - 1
    return (int(first), end) if int(first) <= end else (0, -1)


def _refused(code: str, status: int, text: str) -> HttpResponse:
    _log.info("voicemail.sound.refused", extra={"code": code, "status": status})
    answer = HttpResponse(text, content_type="text/plain; charset=utf-8", status=status)
    answer["Cache-Control"] = "no-store"
    return answer
