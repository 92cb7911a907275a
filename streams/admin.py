"""Streams as they are; an open one may be stopped."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from calls import audit
from calls.admin.actions import ActionRefused, ObjectAction, ObjectActionsMixin
from calls.admin.calls import told
from calls.admin.readonly import ReadOnly
from calls.admin.scoped import NumberFilter, Scoped
from calls.models import User
from calls.services import taps
from streams.models import Gap, Process, Recording, Stream


class OpenFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Open now"), ("no", "Closed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Stream]) -> QuerySet[Stream]:
        if self.value() in ("yes", "no"):
            return queryset.filter(closed_at__isnull=self.value() == "yes")
        return queryset


def stop(stream: Stream, person: User, data: dict[str, Any]) -> str:
    """Stop one stream by its SID through the gateway; the sentence that the person reads."""
    command = taps.stop(
        ticket=stream.ticket, by=person, command_id=uuid.uuid4(), now=timezone.now(), stream_sid=stream.sid
    )
    return told(command, f"The stream {stream.ticket.name} is stopping.")


class GapInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Gap
    extra = 0
    fields = ("track", "at_ms", "ms", "cause")
    readonly_fields = fields
    verbose_name_plural = "gaps (sound that did not reach us)"


@admin.register(Stream)
class StreamAdmin(Scoped, ReadOnly, ObjectActionsMixin):
    call_path = "leg__call__"
    list_display = [
        "name",
        "call",
        "number",
        "started_by",
        "sides",
        "state",
        "opened_at",
        "frames",
        "lost_ms",
        "late",
    ]
    list_filter = [
        OpenFilter,
        "close_reason",
        "ticket__kind",
        "ticket__origin",
        ("leg__call__number", NumberFilter),
        "opened_at",
    ]
    search_fields = ["sid", "leg__sid", "ticket__name"]
    list_select_related = ["leg__call__number", "ticket__asked_by"]
    actions = ["stop_selected"]
    inlines = [GapInline]
    fields = (
        "sid", "name", "call", "leg", "started_by", "sides", "parameters", "state", "error", "opened_at",
        "closed_at", "frames", "bytes", "lost_ms", "late", "errors", "journal_state", "process",
    )  # fmt: skip
    readonly_fields = fields
    object_actions = (
        ObjectAction(
            name="stop-stream",
            label="Stop stream",
            question="Sound and words of this call will no longer arrive. The call itself goes on.",
            permission="calls.control_streams",
            run=stop,
            offered=lambda stream: stream.closed_at is None,
            danger=True,
        ),
    )

    @admin.display(ordering="ticket__name")
    def name(self, stream: Stream) -> str:
        return stream.ticket.name

    @admin.display(ordering="leg__call")
    def call(self, stream: Stream) -> str:
        return str(stream.leg.call)

    @admin.display(ordering="leg__call__number__label")
    def number(self, stream: Stream) -> str:
        return str(stream.leg.call.number or "—")

    @admin.display(description="started by")
    def started_by(self, stream: Stream) -> str:
        return str(stream.ticket.asked_by or stream.ticket.get_origin_display())

    @admin.display(description="tracks")
    def sides(self, stream: Stream) -> str:
        return " and ".join(stream.tracks)

    @admin.display(ordering="closed_at")
    def state(self, stream: Stream) -> str:
        return stream.get_close_reason_display()

    @admin.action(description="Stop the selected streams", permissions=["control"])
    def stop_selected(self, request: HttpRequest, queryset: QuerySet[Stream]) -> HttpResponse | None:
        chosen = list(queryset.filter(closed_at__isnull=True).select_related("ticket", "leg__call"))
        if not chosen:
            messages.warning(request, "None of these streams is open.")
            return None
        if "confirmed" not in request.POST:
            return self._ask_to_stop(request, chosen)
        for stream in chosen:
            self._stop_one(request, stream)
        return None

    def _ask_to_stop(self, request: HttpRequest, chosen: list[Stream]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Stop streams",
            "streams": chosen,
            "selected_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/stop_streams_confirm.html", context)

    def _stop_one(self, request: HttpRequest, stream: Stream) -> None:
        person = request.user
        assert isinstance(person, User)
        audit.record(who=person, what="admin.stop-stream", on=stream, ip=request.META.get("REMOTE_ADDR"))
        try:
            messages.success(request, stop(stream, person, {}))
        except ActionRefused as refusal:
            messages.error(request, f"{stream.ticket.name}: {refusal}")

    def has_control_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("calls.control_streams")


@admin.register(Process)
class ProcessAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["id", "host", "pid", "started_at", "seen_at", "draining"]


@admin.register(Recording)
class RecordingAdmin(Scoped, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    call_path = "stream__leg__call__"
    list_display = ["file", "stream", "ms", "bytes", "degraded", "created_at"]
    search_fields = ["file", "stream__sid"]
