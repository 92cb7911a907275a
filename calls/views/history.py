"""`/calls/`: all calls, by filter."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from calls.access import scope_of
from calls.forms import HistoryForm
from calls.models import Call
from calls.selectors import history
from calls.text import to_call
from calls.views.guard import signed_in, watching
from calls.views.pieces import address_of, badge, length, may_call, page_of

__all__ = ["calls"]


@require_safe
@never_cache
@watching
def calls(request: HttpRequest) -> HttpResponse:
    """One page of the list; the whole filter is in the address."""
    scope = scope_of(request.user)
    form = HistoryForm(request.GET, scope=scope)
    found = history.search(form.wanted(), page=page_of(request), scope=scope)
    calls_out = may_call(signed_in(request))
    context = {
        "form": form,
        "found": found,
        "rows": [_row(call, calls_out) for call in found.calls],
        "page": "calls",
        "filtered": any(value for name, value in request.GET.items() if name != "page"),
        "newer": address_of(request, found.page - 1),
        "older": address_of(request, found.page + 1),
    }
    return render(request, "calls/history.html", context)


def _row(call: Call, calls_out: bool) -> dict[str, Any]:
    may_dial = calls_out and bool(to_call(call.caller))
    return {"call": call, "badge": badge(call), "length": length(call), "may_dial": may_dial}
