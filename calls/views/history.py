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
from calls.views.pieces import badge, length, may_call

__all__ = ["calls"]

LAST_PAGE = 10_000


@require_safe
@never_cache
@watching
def calls(request: HttpRequest) -> HttpResponse:
    """One page of the list; the whole filter is in the address."""
    scope = scope_of(request.user)
    form = HistoryForm(request.GET, scope=scope)
    found = history.search(form.wanted(), page=_page(request), scope=scope)
    calls_out = may_call(signed_in(request))
    context = {
        "form": form,
        "found": found,
        "rows": [_row(call, calls_out) for call in found.calls],
        "page": "calls",
        "filtered": any(value for name, value in request.GET.items() if name != "page"),
        "newer": _address(request, found.page - 1),
        "older": _address(request, found.page + 1),
    }
    return render(request, "calls/history.html", context)


def _row(call: Call, calls_out: bool) -> dict[str, Any]:
    may_dial = calls_out and bool(to_call(call.caller))
    return {"call": call, "badge": badge(call), "length": length(call), "may_dial": may_dial}


def _page(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    return min(max(1, int(text)), LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 8 else 1


def _address(request: HttpRequest, page: int) -> str:
    query = request.GET.copy()
    query["page"] = str(page)
    return f"?{query.urlencode()}"
