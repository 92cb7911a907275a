"""Voices that answer: what they say and may do, the tables they look things up in, and a trial on text."""

import json
import re
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey, QuerySet
from django.forms.utils import ErrorList
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from calls.access import scope_of
from calls.admin.voice_form import (
    EXAMPLE,
    EXAMPLE_ACTIONS,
    EXAMPLE_TABLES,
    ActionForm,
    TableForm,
    VoiceForm,
)
from calls.admin.voice_trial import Trial, TrialForm, line_of, tried
from calls.models import Action, Queue, Voice, VoiceTable
from calls.selectors.voice_faults import kinds

_ACTIONS, _TABLES = 40, 10
_ONLY_FLOWS = "Only a self-service flow can be tried on text."
_AT: Final = re.compile(r"Line (\d+):")


class _Quoted(ErrorList):
    """What is wrong with a flow; its page shows each line that is named, as the box has no numbers."""

    flow = ""

    def as_ul(self) -> Any:
        shown = [format_html("{}{}", one, self._line(str(one))) for one in self]
        return ErrorList(shown, renderer=self.renderer, field_id=getattr(self, "field_id", None)).as_ul()

    def _line(self, told: str) -> str:
        at = _AT.match(told)
        text = line_of(self.flow, int(at[1])) if at else ""
        return format_html('<code class="cc-line">{}</code>', text) if text else ""


def _quote(form: Any) -> None:
    """Show the lines of its flow that are refused."""
    if errors := form.errors.get("text"):
        quoted = _Quoted(errors.data, renderer=errors.renderer, field_id=errors.field_id)
        quoted.flow = str(form["text"].value() or "")
        form.errors["text"] = quoted


class _Queues(admin.options.BaseModelAdmin):  # type: ignore[type-arg]
    """Offers the queues that the person's scope sees."""

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "queue":
            kwargs["queryset"] = scope_of(request.user).of(Queue.objects.all())
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class _Exemplary(admin.options.InlineModelAdmin):  # type: ignore[type-arg]
    """Rows that a new voice is offered, as the flow that it is offered needs them."""

    offered: tuple[dict[str, str], ...] = ()

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return len(self.offered) + 1 if obj is None else 1


class ActionInline(_Queues, _Exemplary, admin.TabularInline):  # type: ignore[type-arg]
    model = Action
    form = ActionForm
    max_num = _ACTIONS
    offered = EXAMPLE_ACTIONS
    verbose_name_plural = "actions: all that the voice may do, and where it leads"


class TableInline(_Exemplary, admin.StackedInline):  # type: ignore[type-arg]
    model = VoiceTable
    form = TableForm
    max_num = _TABLES
    offered = EXAMPLE_TABLES
    verbose_name_plural = "tables that a flow looks things up in"


@admin.register(Voice)
class VoiceAdmin(_Queues, admin.ModelAdmin):  # type: ignore[type-arg]
    form = VoiceForm
    list_display = ["name", "kind_name", "its_numbers", "language", "queue"]
    list_filter = ["kind"]
    list_select_related = ["queue"]
    search_fields = ["name", "numbers__label"]
    readonly_fields = ["its_numbers"]
    inlines = [ActionInline, TableInline]
    change_form_template = "admin/calls/voice/change_form.html"
    fieldsets = [
        (None, {"fields": ["name", "kind", "language", "its_numbers"]}),
        ("What it says", {"fields": ["text", "hours"]}),
        ("When it is lost", {"fields": ["queue"]}),
        ("Settings of its kind", {"fields": ["settings"], "classes": ["collapse"]}),
    ]  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.try_view)
        return [
            path("try/", view, name="calls_voice_try_new"),
            path("<path:object_id>/try/", view, name="calls_voice_try"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Voice]:
        return super().get_queryset(request).prefetch_related("numbers")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"text": EXAMPLE.read_text(encoding="utf-8"), **super().get_changeform_initial_data(request)}

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        """What a new voice is offered; it is saved only if it is posted."""
        given: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if obj.pk is None and request.method == "GET":
            given["initial"] = [dict(row) for row in inline.offered]
        return given

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not while a number leads to it."""
        is_used = obj is not None and obj.numbers.exists()
        return super().has_delete_permission(request, obj) and not is_used

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        voice = context.get("original")
        _quote(context["adminform"].form)
        if self._may_try(request, voice) and (voice is None or voice.kind == Voice.FLOW):
            context["try_address"] = _try_address(voice)
        return super().render_change_form(request, context, *args, **kwargs)

    def try_view(self, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
        """The conversation so far and one field for what the caller does next; changes nothing."""
        found = self.get_object(request, object_id) if object_id else None
        if object_id and found is None:
            raise Http404
        if not self._may_try(request, found):
            raise PermissionDenied
        voice = found or Voice(text=EXAMPLE.read_text(encoding="utf-8"))
        if voice.kind != Voice.FLOW:
            messages.error(request, _ONLY_FLOWS)
            return HttpResponseRedirect(reverse("admin:calls_voice_change", args=[voice.pk]))
        return self._try_page(request, voice, TrialForm(request.POST if request.method == "POST" else None))

    def _try_page(self, request: HttpRequest, voice: Voice, form: TrialForm) -> HttpResponse:
        text, inputs = voice.text, list[str]()
        if form.is_valid():
            text = form.cleaned_data["text"]
            if "again" not in request.POST:
                inputs = [*form.cleaned_data["before"], form.cleaned_data["typed"]]
        trial = Trial(inputs) if form.errors else tried(voice, text, inputs)
        shown = TrialForm(initial={"text": text, "before": json.dumps(inputs)})
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Try on text",
            "original": voice if voice.pk else None,
            "form": form if form.errors else shown,
            "trial": trial,
            "address": _try_address(voice),
        }
        return TemplateResponse(request, "admin/calls/voice/try.html", context)

    def _may_try(self, request: HttpRequest, voice: Any) -> bool:
        """Whoever may write the flow: a trial shows what its tables hold."""
        if voice is None:
            return self.has_add_permission(request)
        return self.has_change_permission(request, voice)

    @admin.display(description="kind", ordering="kind")
    def kind_name(self, voice: Voice) -> str:
        return kinds().get(voice.kind, f"{voice.kind} (missing)")

    @admin.display(description="numbers")
    def its_numbers(self, voice: Voice) -> str:
        numbers = voice.numbers.all() if voice.pk else ()
        return ", ".join(number.label for number in numbers) or "—"


def _try_address(voice: Voice | None) -> str:
    is_saved = voice is not None and voice.pk
    return (
        reverse("admin:calls_voice_try", args=[voice.pk])
        if is_saved and voice
        else reverse("admin:calls_voice_try_new")
    )
