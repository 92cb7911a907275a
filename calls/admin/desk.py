"""What happened at the desks, to read: offers, callbacks, messages, wrap-ups, notes, conferences."""

from django.contrib import admin

from calls.admin.readonly import ReadOnly
from calls.admin.scoped import Scoped
from calls.models import Callback, Conference, Note, Offer, Participant, Voicemail, WrapUp


class OfCall(Scoped, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows of a call: seen by whoever may see the call."""

    call_path = "call__"


@admin.register(Offer)
class OfferAdmin(OfCall):
    list_display = ["created_at", "agent", "call", "kind", "state", "accepted_at", "ended_at", "hung_up"]
    list_filter = ["state", "kind", "agent", "created_at"]
    list_select_related = ["agent", "call"]
    search_fields = ["agent__name", "leg_sid"]
    date_hierarchy = "created_at"


@admin.register(Callback)
class CallbackAdmin(OfCall):
    list_display = ["due_at", "e164", "queue", "agent", "state", "tries", "note", "call"]
    list_filter = ["state", "queue", "agent", "due_at"]
    list_select_related = ["queue", "agent", "call"]
    search_fields = ["e164", "note", "agent__name"]


@admin.register(Voicemail)
class VoicemailAdmin(OfCall):
    list_display = ["created_at", "call", "queue", "seconds", "ready", "heard_at", "heard_by"]
    list_filter = [("heard_at", admin.EmptyFieldListFilter), "queue", "created_at"]
    list_select_related = ["call", "queue", "heard_by"]
    search_fields = ["recording_sid", "queue__name"]


@admin.register(WrapUp)
class WrapUpAdmin(OfCall):
    list_display = ["opened_at", "agent", "call", "queue", "outcome", "due_at", "closed_at"]
    list_filter = [("closed_at", admin.EmptyFieldListFilter), "agent", "queue", "outcome", "opened_at"]
    list_select_related = ["agent", "call", "queue"]
    search_fields = ["agent__name", "outcome"]


@admin.register(Note)
class NoteAdmin(OfCall):
    list_display = ["updated_at", "call", "by", "beginning"]
    list_filter = ["by", "updated_at"]
    list_select_related = ["call", "by"]
    search_fields = ["text", "by__username"]

    @admin.display(description="text")
    def beginning(self, note: Note) -> str:
        return note.text if len(note.text) <= 80 else f"{note.text[:79]}…"


class ParticipantInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Participant
    extra = 0
    fields = ["label", "leg", "joined_at", "left_at", "muted", "held"]


@admin.register(Conference)
class ConferenceAdmin(OfCall):
    list_display = ["name", "call", "round", "started_at", "ended_at", "ended_reason"]
    list_filter = [("ended_at", admin.EmptyFieldListFilter), "ended_reason"]
    list_select_related = ["call"]
    search_fields = ["name", "sid", "participants__leg__sid"]
    inlines = [ParticipantInline]
