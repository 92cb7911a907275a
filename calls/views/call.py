"""One call, live or past. One of another team's answers like one that does not exist."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from calls import audit
from calls.access import may_control_streams, scope_of
from calls.models import CallState
from calls.selectors import call as calls
from calls.selectors.feed import iso
from calls.text import to_call
from calls.views.guard import signed_in, watching
from calls.views.pieces import may_call

__all__ = ["by_sid", "detail"]


@require_safe
@never_cache
@watching
def detail(request: HttpRequest, call_id: str) -> HttpResponse:
    """The call's page; that somebody read what was said is audited."""
    snapshot = calls.snapshot(int(call_id), scope_of(request.user))
    if snapshot is None:
        raise Http404
    ip = request.META.get("REMOTE_ADDR")
    audit.record(who=signed_in(request), what="call.viewed", on=call_id, ip=ip)
    context = {
        "call": snapshot["call"],
        "snapshot": {"at": iso(timezone.now()), **snapshot},
        "page": "live" if snapshot["call"]["state"] != CallState.ENDED else "calls",
        "may_dial": bool(to_call(snapshot["call"]["caller_number"])) and may_call(signed_in(request)),
        "may_control": may_control_streams(request.user),
    }
    return render(request, "calls/call.html", context)


@require_safe
@watching
def by_sid(request: HttpRequest, sid: str) -> HttpResponse:
    """From a Twilio CallSid to the page of its call."""
    call_id = calls.by_sid(sid, scope_of(request.user))
    if call_id is None:
        raise Http404
    return redirect("call", call_id)
