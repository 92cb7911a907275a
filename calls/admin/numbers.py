"""Numbers, and the addresses by which other applications may stream to us."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from calls.admin.actions import ActionRefused, ObjectAction, ObjectActionsMixin
from calls.admin.readonly import ReadOnly
from calls.models import IngestKey, PhoneNumber, User
from calls.selectors.admin import numbers_with_streams, streaming_now, without_stream
from calls.services import tickets


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


class IngestKeyInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = IngestKey
    extra = 0
    fields = ["address", "created_at", "created_by", "used_at", "revoked_at"]
    readonly_fields = ["address", "created_at", "created_by", "used_at", "revoked_at"]
    verbose_name_plural = "ingest addresses (for streams that other applications open)"

    @admin.display(description="address")
    def address(self, key: IngestKey) -> str:
        return "revoked" if key.revoked_at else tickets.key_url(key)


def _issue(number: PhoneNumber, person: User, data: dict[str, Any]) -> str:
    key = tickets.issue_key(number=number, by=person, now=timezone.now())
    return f"The address is {tickets.key_url(key)} — put it into the TwiML as the Stream url."


def _revoke(number: PhoneNumber, person: User, data: dict[str, Any]) -> str:
    keys = number.ingest_keys.filter(revoked_at__isnull=True)
    if not keys:
        raise ActionRefused("This number has no ingest address in use.")
    count = sum(1 for key in keys if tickets.revoke_key(key=key, now=timezone.now()) or True)
    return f"{count} ingest address{'es' if count > 1 else ''} revoked. Streams that are open go on."


def _has_key(number: PhoneNumber) -> bool:
    return number.ingest_keys.filter(revoked_at__isnull=True).exists()


@admin.register(PhoneNumber)
class PhoneNumberAdmin(ObjectActionsMixin):
    list_display = [
        "label",
        "e164",
        "destination",
        "region",
        "stream",
        "transcribe",
        "record",
        "live",
        "streams",
    ]
    list_filter = [StreamingFilter, "webhook_state", "destination", "region", "record", "transcribe"]
    search_fields = ["label", "e164", "forward_to", "agent__name"]
    autocomplete_fields = ["agent"]
    readonly_fields = ["webhook_state", "created_at"]
    inlines = [IngestKeyInline]
    fieldsets = [
        (None, {"fields": ["e164", "label", "region", "webhook_state"]}),
        ("Where calls go", {"fields": ["destination", "forward_to", "agent"]}),
        ("Listening", {"fields": ["stream", "transcribe", "consent", "record"]}),
    ]
    object_actions = (
        ObjectAction(
            name="issue-ingest",
            label="Issue ingest address",
            question="Whoever holds this address and signs with the account's token may open a stream for "
            "this number. It can be revoked at any time.",
            permission="calls.add_ingestkey",
            run=_issue,
        ),
        ObjectAction(
            name="revoke-ingest",
            label="Revoke ingest addresses",
            question="New streams to these addresses will be refused. Streams that are open go on.",
            permission="calls.change_ingestkey",
            run=_revoke,
            offered=_has_key,
            danger=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[PhoneNumber]:
        return numbers_with_streams(super().get_queryset(request))

    @admin.display(description="live calls", ordering="live_calls")
    def live(self, number: PhoneNumber) -> int:
        return int(getattr(number, "live_calls", 0))

    @admin.display(description="streams now", ordering="open_streams")
    def streams(self, number: PhoneNumber) -> str:
        open_streams = int(getattr(number, "open_streams", 0))
        return format_html("<strong>{}</strong>", open_streams) if open_streams else "—"
