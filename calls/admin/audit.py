"""What was asked of Twilio, and who did what: read only."""

from django.contrib import admin

from calls.admin.readonly import ReadOnly
from calls.admin.scoped import Scoped
from calls.models import AuditEvent, Command


@admin.register(AuditEvent)
class AuditAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["at", "who", "what", "on", "ip"]
    list_filter = ["what", "at"]
    search_fields = ["who__username", "what", "on"]
    date_hierarchy = "at"


@admin.register(Command)
class CommandAdmin(Scoped, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    call_path = "call__"
    list_display = ["created_at", "kind", "call", "state", "code", "text", "by"]
    list_filter = ["state", "kind", "created_at"]
    search_fields = ["code", "text", "by__username"]
