"""Alert rules as supervisors keep them, tried on past calls before they ring; and what they have found."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import ForeignKey, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timezone import localtime

from calls.access import WALL, scope_of
from calls.admin.actions import ObjectAction, ObjectActionsMixin, Table
from calls.admin.readonly import ReadOnly
from calls.admin.scoped import Scoped
from calls.models import Alert, AlertRule, Queue, User
from calls.phrases import MAX_WORDS
from calls.said import phrase
from calls.selectors import alerts as selector
from calls.selectors import trials
from calls.services.alert_trial import Tried, try_on
from calls.text import paragraphs

TRIED = 20
QUOTED = 3  # of one call, on the page of a trial
MAX_PHRASES = 200

Kind = AlertRule.Kind
_NEEDS: dict[str, tuple[str, str]] = {
    Kind.WORDS: ("words", "Write at least one word or phrase, each on a line of its own."),
    Kind.SILENCE: ("seconds", "Say after how many seconds of silence."),
    Kind.LEVEL: ("dbfs", "Say above which level, such as −10."),
    Kind.OVERTALK: ("seconds", "Say after how many seconds of talking at once."),
    Kind.LENGTH: ("seconds", "Say after how many seconds a call is long."),
    Kind.STREAM_LOST: ("seconds", "Say after how many seconds without a stream."),
}
_OF_ONE_SPEAKER = {Kind.WORDS, Kind.LEVEL, Kind.CLIPPING}
_EMPTY: dict[str, Any] = {"words": "", "seconds": None, "dbfs": None}


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rule that says all that its kind needs, and nothing that its kind does not look at."""

    class Meta:
        model = AlertRule
        fields = "__all__"  # the admin's fieldsets say which

    def clean_words(self) -> str:
        """Lines that each hold a word, and not too many: every line that is said is compared with them."""
        words = paragraphs(self.cleaned_data["words"], AlertRule._meta.get_field("words").max_length or 0)
        lines = [line.strip() for line in words.splitlines() if line.strip()]
        if len(lines) > MAX_PHRASES:
            raise forms.ValidationError(f"A rule has at most {MAX_PHRASES} phrases; these are {len(lines)}.")
        for line in lines:
            said = phrase(line)
            if not said:
                raise forms.ValidationError(f"“{line}” has no word in it.")
            if len(said) > MAX_WORDS:
                raise forms.ValidationError(f"“{line}” is longer than {MAX_WORDS} words.")
        return "\n".join(lines)

    def clean(self) -> dict[str, Any]:
        """What the kind needs; what it does not look at is left empty."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        kind = data.get("kind", "")
        needed, sentence = _NEEDS.get(kind, ("", ""))
        if needed and needed not in self.errors and data.get(needed) in ("", None):
            self.add_error(needed, sentence)
        for name, empty in _EMPTY.items():
            if kind and name != needed and name not in self.errors:
                data[name] = empty
        if kind and kind not in _OF_ONE_SPEAKER:
            data["speaker"] = AlertRule.Speaker.ANYBODY
        return data


def _try(rule: AlertRule, person: User, data: dict[str, Any]) -> Table:
    """What the rule would have raised in the last calls that this person may see."""
    kept = trials.last_calls(scope=scope_of(person), queue=rule.queue_id, number=TRIED)
    tried = try_on(rule=selector.rule_of(rule), calls=kept)
    headings = ("Call", "Began", "Alerts", "When, and what they would have said")
    return Table(_summary(tried), headings, [_row(each) for each in tried])


def _summary(tried: list[Tried]) -> str:
    if not tried:
        return "No call that you may see has ended yet."
    alerts = sum(len(each.alerts) for each in tried)
    calls = sum(1 for each in tried if each.alerts)
    untried = sum(1 for each in tried if each.why)
    last = f"{len(tried)} ended calls" if len(tried) > 1 else "ended call"
    text = f"On the last {last} it would have raised {_many(alerts, 'alert')}"
    text += f", on {_many(calls, 'call')}." if alerts else "."
    if untried:
        text += f" {_many(untried, 'call')} could not be tried."
    notes = dict.fromkeys(each.note for each in tried if each.note)
    return " ".join([text, *notes])


def _row(tried: Tried) -> tuple[str, ...]:
    call = tried.kept.call
    link = format_html(
        '<a href="{}">{}</a>', reverse("call", args=[call.pk]), f"{call}, {call.display_caller()}"
    )
    said = [f"{_clock(finding.at_ms)} {finding.quote}" for finding in tried.alerts[:QUOTED]]
    more = ["…"] if len(tried.alerts) > QUOTED else []
    number = "—" if tried.why else str(len(tried.alerts))
    return link, f"{localtime(call.started_at):%Y-%m-%d %H:%M}", number, tried.why or " · ".join(said + more)


def _clock(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes}:{seconds:02}"


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@admin.register(AlertRule)
class AlertRuleAdmin(ObjectActionsMixin):
    form = RuleForm
    list_display = ["name", "kind", "limit", "severity", "queue", "active"]
    list_filter = ["kind", "severity", "active"]
    list_select_related = ["queue"]
    search_fields = ["name", "words", "queue__name"]
    fieldsets = [
        (None, {"fields": ["name", ("kind", "severity"), "queue", "active"]}),
        ("Words", {"fields": ["words"]}),
        ("Silence, talking at once, length, no stream", {"fields": ["seconds"]}),
        ("Louder than", {"fields": ["dbfs"]}),
        ("Words, louder than, clipped", {"fields": ["speaker"]}),
    ]  # fmt: skip
    object_actions = (
        ObjectAction(
            name="try-rule",
            label=f"Try on the last {TRIED} calls",
            question=f"The last {TRIED} ended calls that you may see are judged by this rule as it is saved. "
            "Nobody is alerted.",
            permission=WALL,
            run=_try,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rules for every call, and those for queues whose calls the person sees."""
        rules = super().get_queryset(request)
        scope = scope_of(request.user)
        if scope.teams is None:
            return rules
        return rules.filter(Q(queue__isnull=True) | scope.where("queue__"))

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "queue":
            kwargs["queryset"] = scope_of(request.user).of(Queue.objects.all())
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """By queue where all queues may be known."""
        everything = scope_of(request.user).teams is None
        return [*self.list_filter, "queue"] if everything else list(self.list_filter)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        transaction.on_commit(selector.forget)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        transaction.on_commit(selector.forget)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        transaction.on_commit(selector.forget)

    @admin.display(description="limit")
    def limit(self, rule: AlertRule) -> str:
        """What the rule waits for, short."""
        if rule.kind == Kind.WORDS:
            lines = rule.words.splitlines()
            return ", ".join(lines[:QUOTED]) + (" …" if len(lines) > QUOTED else "")
        if rule.kind == Kind.LEVEL and rule.dbfs is not None:
            return f"{rule.dbfs:g} dBFS".replace("-", "−")
        return f"{rule.seconds} s" if rule.seconds else "—"


@admin.register(Alert)
class AlertAdmin(Scoped, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    call_path = "call__"
    list_display = ["at", "severity", "name", "call", "quote", "acknowledged"]
    list_filter = [("acknowledged_at", admin.EmptyFieldListFilter), "severity", "kind", "at"]
    list_select_related = ["call", "acknowledged_by"]
    search_fields = ["name", "quote"]
    date_hierarchy = "at"

    @admin.display(ordering="acknowledged_at")
    def acknowledged(self, alert: Alert) -> str:
        """By whom and when, if it is."""
        if alert.acknowledged_at is None:
            return "—"
        who = alert.acknowledged_by.get_username() if alert.acknowledged_by else "somebody"
        return f"{who}, {localtime(alert.acknowledged_at):%H:%M}"
