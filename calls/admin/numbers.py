"""Numbers: picked from the Twilio account or typed, compared with it, set right; and ingest addresses."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join

from calls.admin.actions import ObjectActionsMixin
from calls.admin.number_actions import ACTIONS, rows
from calls.admin.number_form import NumberForm
from calls.admin.readonly import ReadOnly
from calls.gateway import credentials
from calls.gateway.client import GatewayError
from calls.models import IngestKey, PhoneNumber, Region
from calls.selectors.admin import numbers_with_streams, streaming_now, without_stream
from calls.services import numbers, tickets
from calls.services.numbers import Difference

_NOT_YET = "Nothing at Twilio was changed. Press Fix: it shows what differs there before it sets it."
_VOICE_UNUSED = (
    "The voice %(voice)s does not answer: calls go to “%(where)s”. For the voice choose the destination "
    "“A voice that answers”."
)


class StreamingFilter(admin.SimpleListFilter):
    title = "streaming"
    parameter_name = "streaming"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("now", "Streaming now"), ("not", "Not streaming"), ("off", "Switched off")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PhoneNumber]) -> QuerySet[PhoneNumber]:
        if self.value() == "now":
            return streaming_now(queryset)
        if self.value() == "not":
            return without_stream(queryset)
        return queryset.filter(stream=False) if self.value() == "off" else queryset


class ConnectedFilter(admin.SimpleListFilter):
    """By what was last seen at Twilio; a number that was never looked at is not connected."""

    title = "connected"
    parameter_name = "connected"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Connected"), ("no", "Not connected")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PhoneNumber]) -> QuerySet[PhoneNumber]:
        right = {"webhook_state": PhoneNumber.Webhooks.RIGHT}
        if self.value() == "no":
            return queryset.exclude(**right)
        return queryset.filter(**right) if self.value() == "yes" else queryset


class IngestKeyInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = IngestKey
    extra = 0
    fields = ["address", "created_at", "created_by", "used_at", "revoked_at"]
    readonly_fields = ["address", "created_at", "created_by", "used_at", "revoked_at"]
    verbose_name_plural = "ingest addresses (for streams that other applications open)"

    @admin.display(description="address")
    def address(self, key: IngestKey) -> str:
        return "revoked" if key.revoked_at else tickets.key_url(key)


@admin.register(PhoneNumber)
class PhoneNumberAdmin(ObjectActionsMixin):
    form = NumberForm
    list_display = [
        "label",
        "e164",
        "leads_to",
        "connected_in",
        "live",
        "streams",
        "last_call",
    ]
    list_filter = [
        ConnectedFilter,
        StreamingFilter,
        "webhook_state",
        "destination",
        "queue",
        "region",
        "record",
        "transcribe",
    ]
    list_select_related = ["queue", "agent", "voice"]
    search_fields = ["label", "e164", "forward_to", "agent__name", "queue__name", "voice__name"]
    autocomplete_fields = ["agent"]
    readonly_fields = ["at_twilio", "inbound", "live", "streams", "last_call"]
    inlines = [IngestKeyInline]
    object_actions = ACTIONS
    fieldsets = [
        (None, {"fields": ["e164", "label", "language", "team"]}),
        ("At Twilio", {"fields": ["region", "inbound", "at_twilio"]}),
        ("Where calls go", {"fields": ["destination", "queue", "forward_to", "agent", "voice"]}),
        (
            "When it is open",
            {
                "fields": ["hours", "closed", "closed_text", "closed_to"],
                "description": "Holidays belong to the opening hours.",
            },
        ),
        ("What callers hear first", {"fields": ["greeting", "consent", "verify", "verify_prompt"]}),
        ("Listening", {"fields": ["stream", "transcribe", "record"]}),
        ("Now", {"fields": ["live", "streams", "last_call"]}),
    ]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.pick_view)
        return [path("pick/", view, name="calls_phonenumber_pick"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PhoneNumber]:
        return numbers_with_streams(super().get_queryset(request))

    def save_model(self, request: HttpRequest, obj: PhoneNumber, form: Any, change: bool) -> None:
        """What was seen at Twilio holds no longer for another number or region."""
        if {"e164", "region"} & set(form.changed_data):
            obj.webhook_state, obj.webhook_found, obj.checked_at = PhoneNumber.Webhooks.UNKNOWN, {}, None
            messages.info(request, _NOT_YET)
        if obj.voice is not None and obj.destination != PhoneNumber.Destination.VOICE:
            where = obj.get_destination_display()
            messages.warning(request, _VOICE_UNUSED % {"voice": obj.voice, "where": where})
        super().save_model(request, obj, form, change)

    def pick_view(self, request: HttpRequest) -> HttpResponse:
        """The account's numbers that are not here, to add one of them; only reads."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        region = request.GET.get("region", "")
        region = region if region in Region.values else credentials.HOME
        found, error = [], ""
        try:
            found = numbers.unconnected(region=region)
        except GatewayError as failure:
            error = f"{failure} ({failure.code})"
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Pick a number from Twilio",
            "regions": Region.choices,
            "region": region,
            "found": found,
            "error": error,
            "limit": numbers.LIMIT,
        }
        return TemplateResponse(request, "admin/calls/phonenumber/pick.html", context)

    @admin.display(description="leads to", ordering="destination")
    def leads_to(self, number: PhoneNumber) -> str:
        """The kind of destination and its name, which is all of where calls go."""
        if number.destination == PhoneNumber.Destination.TAP:
            return "Stream only"
        kind, name = {
            PhoneNumber.Destination.QUEUE: ("Queue", number.queue),
            PhoneNumber.Destination.PHONE: ("Telephone", number.forward_to),
            PhoneNumber.Destination.AGENT: ("Agent", number.agent and number.agent.name),
            PhoneNumber.Destination.VOICE: ("Voice", number.voice),
        }[PhoneNumber.Destination(number.destination)]
        return f"{kind}: {name or 'none'}"

    @admin.display(description="connected", ordering="webhook_state")
    def connected_in(self, number: PhoneNumber) -> str:
        return f"{number.get_webhook_state_display()}, {number.region}"

    @admin.display(description="webhooks")
    def at_twilio(self, number: PhoneNumber) -> str:
        """The state that was last seen, with what differed: field, ours, Twilio's."""
        if number.checked_at is None:
            return "Not checked yet: press Check."
        head = f"{number.get_webhook_state_display()}, as of {number.checked_at:%d %B %Y, %H:%M} UTC"
        if "phone_number" in number.webhook_found:
            return format_html("{}: the account has no such number in {}.", head, number.region)
        wanted = {**numbers.expected(), numbers.INBOUND_REGION: number.region}
        differ = [
            Difference(name, wanted.get(name, ""), str(it)) for name, it in number.webhook_found.items()
        ]
        lines = format_html_join("", "<li>{}: ours {}, Twilio's {}</li>", rows(differ))
        return format_html("{}<ul>{}</ul>", head, lines) if differ else head

    @admin.display(description="inbound region")
    def inbound(self, number: PhoneNumber) -> str:
        """Where Twilio processes its calls, which Fix sets to the region above."""
        return number.inbound_region or "not known yet"

    @admin.display(description="live calls", ordering="live_calls")
    def live(self, number: PhoneNumber) -> int:
        return int(getattr(number, "live_calls", 0))

    @admin.display(description="streams now", ordering="open_streams")
    def streams(self, number: PhoneNumber) -> str:
        open_streams = int(getattr(number, "open_streams", 0))
        return format_html("<strong>{}</strong>", open_streams) if open_streams else "—"

    @admin.display(description="last call", ordering="last_call")
    def last_call(self, number: PhoneNumber) -> Any:
        return getattr(number, "last_call", None)
