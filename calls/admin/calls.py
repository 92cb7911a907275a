"""Calls and their legs as they are; on a live call a stream may be started."""

import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from calls.admin.actions import ActionRefused, ObjectAction, ObjectActionsMixin
from calls.admin.readonly import ReadOnly
from calls.admin.scoped import NumberFilter, Scoped
from calls.models import Call, CallState, Command, Leg, User, Utterance
from calls.selectors.admin import calls_with_streams, streams_of
from calls.services import taps

TRACKS = [("both_tracks", "Both"), ("inbound_track", "Inbound (caller)"), ("outbound_track", "Outbound")]
_PARAMETERS_HELP = (
    "One a line, name=value; the stream's start message carries them. Name and value under 500 characters."
)


class StartStreamForm(forms.Form):
    """What a new unidirectional stream is to be."""

    name = forms.RegexField(
        r"^[A-Za-z0-9_.-]{1,64}$",
        required=False,
        help_text="Letters, digits and _.- ; left empty, one is made.",
    )
    track = forms.ChoiceField(choices=TRACKS, initial="both_tracks")
    parameters = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), required=False, help_text=_PARAMETERS_HELP
    )

    def clean_parameters(self) -> dict[str, str]:
        """The lines as a mapping; at most 99, as the Stream resource takes them."""
        pairs = [line.partition("=") for line in self.cleaned_data["parameters"].splitlines() if line.strip()]
        if any(not name.strip() or not equals for name, equals, _ in pairs):
            raise forms.ValidationError("Write each parameter as name=value on a line of its own.")
        if len(pairs) > 99 or any(len(name) + len(value) >= 500 for name, _, value in pairs):
            raise forms.ValidationError(
                "At most 99 parameters, name and value together under 500 characters."
            )
        return {name.strip(): value.strip() for name, _, value in pairs}


def _start(call: Call, person: User, data: dict[str, Any]) -> str:
    leg = call.legs.filter(kind=Leg.Kind.CALLER).first() or call.legs.first()
    if leg is None:
        raise ActionRefused("This call has no leg that could be streamed.")
    command = taps.start(
        leg=leg,
        by=person,
        name=data["name"],
        track=data["track"],
        parameters=data["parameters"],
        command_id=uuid.uuid4(),
        now=timezone.now(),
    )
    return told(command, "The stream is starting; it appears below as soon as Twilio connects.")


def told(command: Command, done: str) -> str:
    """The sentence for a command's state; raises ActionRefused with Twilio's reason if it failed."""
    if command.state == Command.State.FAILED:
        raise ActionRefused(f"{command.text} ({command.code})" if command.code else command.text)
    if command.state == Command.State.UNKNOWN:
        return "Twilio has not answered. The stream's state below shows what happened within 30 seconds."
    return done


class LegInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Leg
    extra = 0
    fields = ("sid", "kind", "status", "agent", "parent", "started_at", "answered_at", "ended_at")
    readonly_fields = fields


class UtteranceInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Utterance
    extra = 0
    fields = ("start_ms", "speaker", "text", "confidence")
    readonly_fields = fields
    ordering = ["start_ms"]
    verbose_name_plural = "transcript"


@admin.register(Call)
class CallAdmin(Scoped, ReadOnly, ObjectActionsMixin):
    list_display = [
        "id",
        "state",
        "caller_shown",
        "number",
        "agent",
        "started_at",
        "lasted",
        "streams",
        "outcome",
    ]
    list_filter = ["state", "outcome", "direction", "region", ("number", NumberFilter), "started_at"]
    search_fields = ["caller", "caller_name", "contact__name", "agent__name", "legs__sid"]
    list_select_related = ["number", "agent", "contact"]
    date_hierarchy = "started_at"
    inlines = [LegInline, UtteranceInline]
    fields = (
        "live_page", "state", "outcome", "caller_shown", "contact", "number", "agent", "direction", "region",
        "started_at", "answered_at", "ended_at", "stream_table", "tap_wanted", "words_wanted",
        "record_allowed", "figures",
    )  # fmt: skip
    readonly_fields = fields
    object_actions = (
        ObjectAction(
            name="start-stream",
            label="Start stream",
            question="Twilio will send this call's sound to this server until the call ends or the stream is "
            "stopped. A call may have four tracks in all; both tracks count as two. Twilio's Stream resource "
            "opens unidirectional streams only: a voice is set on the number, as its destination.",
            permission="calls.control_streams",
            run=_start,
            form=StartStreamForm,
            offered=lambda call: call.state != CallState.ENDED,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Call]:
        return calls_with_streams(super().get_queryset(request))

    @admin.display(description="caller", ordering="caller")
    def caller_shown(self, call: Call) -> str:
        return call.display_caller()

    @admin.display(description="length")
    def lasted(self, call: Call) -> str:
        seconds = int(((call.ended_at or timezone.now()) - call.started_at).total_seconds())
        hours, rest = divmod(max(0, seconds), 3600)
        clock = f"{rest // 60:02}:{rest % 60:02}"
        return f"{hours}:{clock}" if hours else clock

    @admin.display(description="streams", ordering="open_streams")
    def streams(self, call: Call) -> str:
        return str(getattr(call, "open_streams", 0) or "—")

    @admin.display(description="page")
    def live_page(self, call: Call) -> str:
        return format_html('<a href="/calls/{}/">Open the call</a>', call.pk)

    @admin.display(description="streams")
    def stream_table(self, call: Call) -> str:
        lines = format_html_join(
            "",
            '<li><a href="{}">{}</a>, {}: {}</li>',
            (
                (
                    reverse("admin:streams_stream_change", args=[stream.pk]),
                    stream.ticket.name,
                    " and ".join(stream.tracks),
                    stream.get_close_reason_display(),
                )
                for stream in streams_of(call)
            ),
        )
        return (
            format_html("<ul>{}</ul>", lines) if lines else "No stream: this call's sound is not sent to us."
        )
