"""One call, live or past. One of another team's answers like one that does not exist."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from calls import audit
from calls.access import me, scope_of
from calls.models import CallState, User
from calls.selectors import alert_words
from calls.selectors import call as calls
from calls.selectors.feed import iso
from calls.text import to_call
from calls.views import phone_page
from calls.views.guard import signed_in, watching
from calls.views.pieces import may_call

__all__ = ["by_sid", "detail"]

_OVER = (CallState.ENDED, "ended")  # state and phase of a call that nothing changes any more


@require_safe
@never_cache
@watching
def detail(request: HttpRequest, call_id: str) -> HttpResponse:
    """The call's page; that somebody read what was said is audited. While it is live it can be a phone."""
    user = signed_in(request)
    found = calls.snapshot(int(call_id), scope_of(user))
    if found is None:
        raise Http404
    ip = request.META.get("REMOTE_ADDR")
    audit.record(who=user, what="call.viewed", on=call_id, ip=ip)
    page = {
        "at": iso(timezone.now()),
        "me": me(user),
        "phrases": alert_words.by_rule(),
        **calls.in_words(found),
    }
    context = _context(user, page)
    if context["phone"]:
        return phone_page.served(lambda asked: render(asked, "calls/call.html", context), request)
    return render(request, "calls/call.html", context)


def _context(user: User, snapshot: dict[str, Any]) -> dict[str, Any]:
    call, may = snapshot["call"], snapshot["me"]["may"]
    ended = call["state"] == CallState.ENDED
    return {
        "call": call,
        "snapshot": snapshot,
        "page": "calls" if ended else "live",
        "moves": (call["state"], call.get("phase", call["state"])) != _OVER,
        "may": may,
        "may_dial": bool(to_call(call["caller_number"])) and may_call(user),
        "phone": may["intervene"] and not ended,
        "softphone": settings.SOFTPHONE_URL,
    }


@require_safe
@watching
def by_sid(request: HttpRequest, sid: str) -> HttpResponse:
    """From a Twilio CallSid to the page of its call."""
    call_id = calls.by_sid(sid, scope_of(request.user))
    if call_id is None:
        raise Http404
    return redirect("call", call_id)
