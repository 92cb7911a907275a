"""Queues with their thresholds, targets, agents and outcomes; who waits in them; callers who are blocked."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from calls.admin.fields import TelephoneField
from calls.admin.readonly import ReadOnly
from calls.admin.scoped import Scoped
from calls.admin.telling import TellingMixin, person, telling
from calls.models import BlockedCaller, Outcome, Queue, Waiting
from calls.selectors.admin import queue_users
from calls.services.contacts import default_region
from calls.telephones import telephone
from calls.text import clean, is_withheld

_NEEDED = "Choose where callers go: the overflow is “{}”."


class QueueForm(forms.ModelForm):  # type: ignore[type-arg]
    """A queue whose overflow leads somewhere, and never round in a circle."""

    overflow_to = TelephoneField(label="overflow telephone", required=False, help_text="Such as +31 20 …")

    music = forms.URLField(
        required=False, assume_scheme="https", help_text="An audio file (WAV or MP3); ours if empty."
    )

    class Meta:
        model = Queue
        fields = "__all__"  # the admin's fieldsets say which

    def clean_music(self) -> str:
        """Twilio fetches it, so that only https will do."""
        music: str = self.cleaned_data["music"]
        if music and not music.startswith("https://"):
            raise forms.ValidationError("Give an address that begins with https://; Twilio fetches it.")
        return music

    def clean(self) -> dict[str, Any]:
        """Thresholds in order, and an overflow that can be followed."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("bad_seconds", 0) < data.get("warn_seconds", 0):
            self.add_error("bad_seconds", "A bad wait is not shorter than one that is a warning.")
        overflow = data.get("overflow")
        if overflow == Queue.Overflow.QUEUE:
            self._check_queue(data.get("overflow_queue"))
        if (
            overflow == Queue.Overflow.PHONE
            and not data.get("overflow_to")
            and "overflow_to" not in self.errors
        ):
            self.add_error("overflow_to", _NEEDED.format(Queue.Overflow.PHONE.label))
        return data

    def _check_queue(self, chosen: Queue | None) -> None:
        if chosen is None:
            if "overflow_queue" not in self.errors:
                self.add_error("overflow_queue", _NEEDED.format(Queue.Overflow.QUEUE.label))
            return
        way = _way(self.instance, chosen)
        if way:
            self.add_error("overflow_queue", f"Callers would go round in a circle: {' → '.join(way)}.")


def _way(queue: Queue, chosen: Queue) -> list[str]:
    """The circle that this overflow would close, by name; empty if it closes none.

    The rows are locked until the queue is saved, so that two admins cannot each close half of one.
    """
    rows = {row.pk: row for row in Queue.objects.select_for_update().order_by("pk")}
    way, at, seen = [queue.name or "This queue"], rows.get(chosen.pk), set[int]()
    while at is not None and at.pk not in seen:
        seen.add(at.pk)
        way.append(at.name)
        if at.pk == queue.pk:
            return way
        leads_on = at.overflow == Queue.Overflow.QUEUE and at.overflow_queue_id is not None
        at = rows.get(at.overflow_queue_id) if leads_on and at.overflow_queue_id else None
    return []


class OutcomeInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Outcome
    extra = 1
    max_num = 40
    fields = ["label", "order", "active"]


@admin.register(Queue)
class QueueAdmin(Scoped, TellingMixin):
    form = QueueForm
    list_display = ["name", "team", "waiting", "agent_count", "target", "thresholds", "overflow", "priority"]
    list_filter = ["team", "overflow"]
    search_fields = ["name", "team__name"]
    list_select_related = ["team"]
    filter_horizontal = ["agents"]
    inlines = [OutcomeInline]
    readonly_fields = ["in_use"]
    fieldsets = [
        (None, {"fields": ["name", "team", "agents", "priority", "in_use"]}),
        ("Targets", {"fields": [("target_percent", "target_seconds")]}),
        ("Thresholds", {"fields": [("warn_seconds", "bad_seconds")]}),
        ("At the desk", {"fields": [("ring_seconds", "wrapup_seconds")]}),
        (
            "While callers wait",
            {"fields": ["music", ("announce_position", "offer_voicemail", "offer_callback")]},
        ),
        (
            "Overflow",
            {"fields": [("max_waiting", "overflow_seconds"), "overflow", "overflow_queue", "overflow_to"]},
        ),
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Queue]:
        waiting = Count("waits", filter=Q(waits__left_at__isnull=True, waits__isnull=False), distinct=True)
        rows: QuerySet[Queue] = super().get_queryset(request)
        return rows.annotate(waiting_now=waiting, agents_all=Count("agents", distinct=True))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj is not None and queue_users(obj))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        telling(request).emit(kind="queue.changed", noun="queue", key=form.instance.pk, by=person(request).pk)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        telling(request).emit(kind="queue.deleted", noun="queue", key=obj.pk, by=person(request).pk)
        super().delete_model(request, obj)

    @admin.display(description="waiting", ordering="waiting_now")
    def waiting(self, queue: Queue) -> int:
        return int(getattr(queue, "waiting_now", 0))

    @admin.display(description="agents", ordering="agents_all")
    def agent_count(self, queue: Queue) -> int:
        return int(getattr(queue, "agents_all", 0))

    @admin.display(description="target")
    def target(self, queue: Queue) -> str:
        return f"{queue.target_percent} % in {queue.target_seconds} s"

    @admin.display(description="warn, bad")
    def thresholds(self, queue: Queue) -> str:
        return f"{queue.warn_seconds} s, {queue.bad_seconds} s"

    @admin.display(description="in use by")
    def in_use(self, queue: Queue) -> str:
        users = queue_users(queue) if queue.pk else []
        return f"{', '.join(users)}. It cannot be deleted until that ends." if users else "—"


@admin.register(Waiting)
class WaitingAdmin(Scoped, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["call", "queue", "agent", "priority", "entered_at", "left_at", "result", "reason"]
    list_filter = [("left_at", admin.EmptyFieldListFilter), "queue", "result", "entered_at"]
    list_select_related = ["call", "queue", "agent"]
    search_fields = ["queue__name", "agent__name", "reason"]
    date_hierarchy = "entered_at"
    call_path = "call__"


class BlockedForm(forms.ModelForm):  # type: ignore[type-arg]
    """Who is blocked: a number as people type it, client:…, sip:…, or everyone who withholds theirs."""

    class Meta:
        model = BlockedCaller
        fields = ["e164", "reason", "until"]

    def clean_e164(self) -> str:
        """As calls carry it."""
        typed = clean(self.cleaned_data["e164"], 255)
        caller = _blockable(typed)
        if BlockedCaller.objects.filter(e164=caller).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("This caller is blocked already.")
        return caller

    def clean_until(self) -> Any:
        """A time to come, or for good."""
        until = self.cleaned_data["until"]
        if until and until <= timezone.now():
            raise forms.ValidationError("This time has passed. Leave it empty to block for good.")
        return until


def _blockable(typed: str) -> str:
    if is_withheld(typed):
        return BlockedCaller.WITHHELD
    kind, colon, rest = typed.partition(":")
    if colon and kind.lower() in {"client", "sip", "sips"} and rest.strip():
        return f"{kind.lower()}:{rest.strip()}"
    try:
        return telephone(typed, default_region())
    except ValueError as wrong:
        raise forms.ValidationError(f"{wrong} Or write client:…, sip:… or withheld.") from None


@admin.register(BlockedCaller)
class BlockedCallerAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = BlockedForm
    list_display = ["e164", "reason", "until", "created_by", "created_at"]
    list_filter = ["until", "created_at"]
    list_select_related = ["created_by"]
    search_fields = ["e164", "reason"]
    readonly_fields = ["created_by", "created_at"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = person(request)
        super().save_model(request, obj, form, change)
