"""Contacts: their card, what is open with them, their calls, and the pages that bring many at once."""

import csv
import io
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from calls import audit, cards
from calls.admin.importing import may_import, page
from calls.admin.telling import TellingMixin, afterwards, person, telling
from calls.models import Contact, Matter
from calls.services import contacts
from calls.text import csv_cell

_CALLS_SHOWN = 5
_MOST_EXPORTED = 50_000
_EXPORTED = ("name", "e164", "company", "tags", "note")


class ContactForm(forms.ModelForm):  # type: ignore[type-arg]
    """A card, tidied as everywhere; the code is written here and never shown again."""

    e164 = forms.CharField(
        label="number", max_length=40, required=False, help_text="Such as +31 20 123 4567."
    )
    new_code = forms.CharField(
        max_length=20,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
        help_text="4 to 12 digits that verify the caller, never shown again. Empty: it stays as it is.",
    )
    forget_code = forms.BooleanField(required=False, help_text="The contact then has no code.")

    class Meta:
        model = Contact
        fields = ["name", "e164", "company", "tags", "note", "born_on"]

    def clean(self) -> dict[str, Any]:
        """Every field by the rules that the desk and the import have too."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        named = {"code" if field == "new_code" else field: value for field, value in data.items()}
        kept, faults = cards.tidy(named, region=contacts.default_region(), today=timezone.now().date())
        for fault in faults:
            self.add_error("new_code" if fault.field == "code" else fault.field, fault.text)
        self._check_number(kept.get("e164", ""))
        if kept.get("code") and data.get("forget_code"):
            self.add_error("new_code", "Give a new code or forget the old one, not both.")
        return {**data, **kept, "new_code": kept.get("code", "")}

    def _check_number(self, number: str) -> None:
        if number and Contact.objects.filter(e164=number).exclude(pk=self.instance.pk).exists():
            self.add_error("e164", contacts.taken(number, by=self.by).text)

    by: Any = None  # who fills it in; the admin sets it


class MatterInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Matter
    extra = 0
    max_num = 50
    fields = ["text", "opened_at", "opened_by", "closed_at", "closed_by"]
    readonly_fields = ["opened_at", "opened_by", "closed_by"]
    verbose_name_plural = "matters"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Matter]:
        return super().get_queryset(request).select_related("opened_by", "closed_by")


class HasFilter(admin.SimpleListFilter):
    """What is known of a contact."""

    title = "known"
    parameter_name = "known"
    _CHOICES = {
        "number": ("With a number", ~Q(e164="")),
        "nonumber": ("Without a number", Q(e164="")),
        "code": ("With a code", ~Q(code="")),
        "open": (
            "With an open matter",
            Exists(Matter.objects.filter(contact=OuterRef("pk"), closed_at__isnull=True)),
        ),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, label) for key, (label, _) in self._CHOICES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        chosen = self._CHOICES.get(self.value() or "")
        return queryset.filter(chosen[1]) if chosen else queryset


@admin.register(Contact)
class ContactAdmin(TellingMixin):
    form = ContactForm
    list_display = ["name", "e164", "company", "tags", "code_state", "open_matters", "created_at"]
    list_filter = [HasFilter, "created_at"]
    search_fields = ["name", "e164", "company", "tags", "note"]
    search_help_text = "Name, number as +31…, company, tag or note"
    actions = ["export"]
    inlines = [MatterInline]
    readonly_fields = ["code_state", "last_calls", "created_at"]
    change_list_template = "admin/contact_change_list.html"
    fieldsets = [
        (None, {"fields": ["name", "e164", "company", "tags", "note"]}),
        ("Verification", {"fields": ["born_on", "code_state", "new_code", "forget_code"]}),
        ("Calls", {"fields": ["last_calls", "created_at"]}),
    ]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name="calls_contact_import"), *super().get_urls()]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Bring contacts from a file."""
        return page(request, self)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        extra = {**(extra_context or {}), "may_import": may_import(request)}
        return super().changelist_view(request, extra)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        still_open = Count("matters", filter=Q(matters__isnull=False, matters__closed_at__isnull=True))
        found: QuerySet[Contact] = super().get_queryset(request).annotate(matters_open=still_open)
        return found

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        made: Any = super().get_form(request, obj, change, **kwargs)
        made.by = person(request)
        return made

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Through the services that the desk uses; the code, whose hash takes a while, after the rest."""
        contacts.write(telling(request), contact=obj, by=person(request))
        code = form.cleaned_data["new_code"]
        if code or form.cleaned_data["forget_code"]:
            afterwards(request, lambda: contacts.set_code(contact=obj, code=code, now=timezone.now()))
            audit.record(who=person(request), what="contact.code", on=f"contact {obj.pk}", ip=_ip(request))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """A matter knows who opened and closed it."""
        for each in formset.forms:
            matter = each.instance
            if matter.pk is None:
                matter.opened_by = person(request)
            if "closed_at" in each.changed_data:
                matter.closed_by = person(request) if matter.closed_at else None
        super().save_formset(request, form, formset, change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        telling(request).emit(kind="contact.deleted", noun="contact", key=obj.pk, by=person(request).pk)
        super().delete_model(request, obj)

    def has_bulk_permission(self, request: HttpRequest) -> bool:
        """Who may take many out, or bring many in."""
        return may_import(request)

    @admin.action(description="Export the selected contacts (CSV)", permissions=["bulk"])
    def export(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse:
        """Without what verifies a caller. No cell is run as a formula; the import reads the file back."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow("number" if field == "e164" else field for field in _EXPORTED)
        rows = list(queryset.values_list(*_EXPORTED)[:_MOST_EXPORTED])
        writer.writerows([csv_cell(cell) for cell in row] for row in rows)
        on = f"{len(rows)} contacts"
        audit.record(who=person(request), what="contacts.export", on=on, ip=_ip(request))
        answer = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="contacts.csv"'
        return answer

    @admin.display(description="code", ordering="code")
    def code_state(self, contact: Contact) -> str:
        return "set" if contact.code else "not set"

    @admin.display(description="open matters", ordering="matters_open")
    def open_matters(self, contact: Contact) -> str:
        return str(getattr(contact, "matters_open", 0) or "—")

    @admin.display(description="calls")
    def last_calls(self, contact: Contact) -> str:
        calls = contact.calls.all()[:_CALLS_SHOWN] if contact.pk else []
        lines = format_html_join(
            "",
            '<li><a href="{}">{}, {}</a></li>',
            (
                (
                    reverse("admin:calls_call_change", args=[call.pk]),
                    timezone.localtime(call.started_at).strftime("%Y-%m-%d %H:%M"),
                    call.get_state_display() if call.ended_at is None else call.get_outcome_display(),
                )
                for call in calls
            ),
        )
        if not lines:
            return "No call yet."
        every = f"{reverse('admin:calls_call_changelist')}?contact__id__exact={contact.pk}"
        return format_html('<ul>{}</ul><a href="{}">All calls</a>', lines, every)


def _ip(request: HttpRequest) -> str | None:
    return request.META.get("REMOTE_ADDR")
