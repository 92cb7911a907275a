"""The page that brings contacts from a file: send it, see what would happen, import."""

import logging
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from calls import access, audit
from calls.admin.telling import person
from calls.refusal import Refused
from calls.services import contacts, import_drafts, importing
from calls.services.import_drafts import Draft
from calls.sheet import MAX_BYTES
from calls.telephones import is_country

__all__ = ["may_import", "page"]

MOST_CODES = 20
_SHOWN = 200
_KEY = "contacts_import"
_ADDRESS = "admin:calls_contact_import"
_EXPIRED = "This import was not confirmed within an hour, or another file came after it. Send the file again."
_TOO_MANY_CODES = (
    "{codes:,} lines have a code. Each takes half a second to hash, so this page takes at most {most}. "
    "Import the file with manage.py import_contacts."
)
_log = logging.getLogger("contactcenter.contacts")


class FileForm(forms.Form):
    """The file, and how it is to be read."""

    file = forms.FileField(
        label="CSV file",
        allow_empty_file=True,
        help_text="Columns name, number, company, tags, note, code, born_on, in any order; "
        "only name is needed. At most 5 MB and 50,000 lines.",
    )
    region = forms.CharField(
        label="Country",
        max_length=2,
        required=False,
        help_text="Of numbers without a country code, such as GB. Empty: such numbers are wrong.",
    )
    known = forms.ChoiceField(
        label="Contacts that are here already",
        choices=[("skip", "Leave as they are"), ("update", "Change to what the file says")],
        initial="skip",
        help_text="Known by number, else by name and company. Empty cells change nothing.",
    )

    def clean_file(self) -> Any:
        """Not larger than what is read."""
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError("The file is larger than 5 MB. Cut it into several.")
        return file

    def clean_region(self) -> str:
        """Two letters that telephone numbers know."""
        region = str(self.cleaned_data["region"]).upper()
        if region and not is_country(region):
            raise forms.ValidationError("Give two letters, such as GB or NL.")
        return region

    def draft(self) -> Draft:
        """What was sent."""
        data = self.cleaned_data
        return Draft(
            str(data["file"].name)[:80], data["file"].read(), data["known"] == "update", data["region"]
        )


def may_import(request: HttpRequest) -> bool:
    """Who may add, change and delete contacts may do it to thousands at once: admins."""
    return all(access.may(request.user, f"calls.{verb}_contact") for verb in ("add", "change", "delete"))


def page(request: HttpRequest, admin: Any) -> HttpResponse:
    """GET asks for a file. POST shows what it would do; POST with `confirm` does it."""
    if not may_import(request):
        raise PermissionDenied
    if request.method != "POST":
        return _ask(request, admin, FileForm(initial={"region": contacts.default_region()}))
    if "cancel" in request.POST:
        _forget(request)
        return HttpResponseRedirect(reverse(_ADDRESS))
    return _import(request) if "confirm" in request.POST else _show(request, admin)


def _ask(request: HttpRequest, admin: Any, form: FileForm, **more: Any) -> HttpResponse:
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": "Import contacts",
        "form": form,
        **more,
    }
    return TemplateResponse(request, "admin/contact_import.html", context)


def _show(request: HttpRequest, admin: Any) -> HttpResponse:
    """The dry run; the file is kept for an hour if something of it could be imported."""
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _ask(request, admin, form)
    draft = form.draft()
    judged = importing.plan(
        data=draft.data, update=draft.update, region=draft.region, today=timezone.now().date()
    )
    fault = judged.fault or _too_many_codes(judged)
    if fault:
        _log.info("contacts.import.refused", extra={"bytes": len(draft.data)})
        form.add_error("file", fault)
        return _ask(request, admin, form)
    _forget(request)
    if judged.writes():
        request.session[_KEY] = import_drafts.keep(draft, by=person(request).pk)
    return _ask(request, admin, form, draft=draft, **_shown(judged))


def _too_many_codes(judged: importing.Plan) -> str:
    codes = judged.codes()
    return _TOO_MANY_CODES.format(codes=codes, most=MOST_CODES) if codes > MOST_CODES else ""


def _shown(judged: importing.Plan) -> dict[str, Any]:
    wrong, writes = judged.of("wrong"), judged.writes()
    return {
        "judged": judged,
        "counts": {does: len(judged.of(does)) for does in ("new", "change", "same", "skip", "wrong")},
        "wrong": wrong[:_SHOWN],
        "writes": writes[:_SHOWN],
        "more_wrong": max(0, len(wrong) - _SHOWN),
        "more_writes": max(0, len(writes) - _SHOWN),
        "total": len(writes),
    }


def _import(request: HttpRequest) -> HttpResponse:
    draft = import_drafts.take(request.session.get(_KEY, ""), by=person(request).pk)
    if draft is None or draft.digest() != request.POST.get("digest"):
        messages.error(request, _EXPIRED)
        return HttpResponseRedirect(reverse(_ADDRESS))
    try:
        done = importing.apply(
            data=draft.data,
            update=draft.update,
            region=draft.region,
            skip_wrong="skip_wrong" in request.POST,
            by=person(request),
            now=timezone.now(),
        )
    except Refused as refusal:
        messages.error(request, f"{refusal.text} Mend the file, or choose to leave those lines out.")
        return HttpResponseRedirect(reverse(_ADDRESS))
    _forget(request)
    _tell(request, done)
    return HttpResponseRedirect(reverse("admin:calls_contact_changelist"))


def _tell(request: HttpRequest, done: importing.Done) -> None:
    on = f"{done.created} new, {done.changed} changed"
    audit.record(who=person(request), what="contacts.import", on=on, ip=request.META.get("REMOTE_ADDR"))
    messages.success(request, f"Imported: {done.created:,} new, {done.changed:,} changed.")
    for step in done.late[:20]:
        messages.warning(request, f"Line {step.line}: {step.faults[0].text} It was left out.")


def _forget(request: HttpRequest) -> None:
    import_drafts.drop(request.session.pop(_KEY, ""))
