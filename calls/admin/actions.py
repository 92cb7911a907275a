"""Buttons on one object of the admin: a page that asks, then a POST that acts, permitted and audited."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.options import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from calls import audit
from calls.models import User

__all__ = ["ActionRefused", "ObjectAction", "ObjectActionsMixin", "Table"]


class ActionRefused(Exception):
    """The action was refused; the text is shown to the person as it is."""


@dataclass(frozen=True)
class Table:
    """What a page shows in rows, with a sentence above them."""

    text: str
    headings: tuple[str, ...] = ()
    rows: Sequence[tuple[str, ...]] = ()


@dataclass(frozen=True)
class ObjectAction:
    """One button. `run(obj, person, cleaned form data)` acts; its sentence is shown, or its table on a page.

    `details` says before the question what the button would do; it only reads. Both may raise ActionRefused.
    """

    name: str
    label: str
    question: str
    permission: str
    run: Callable[[Any, User, dict[str, Any]], str | Table]
    form: type[forms.Form] = forms.Form
    offered: Callable[[Any], bool] = lambda obj: True
    danger: bool = False
    details: Callable[[Any], Table] | None = None


class ObjectActionsMixin(ModelAdmin):  # type: ignore[type-arg]
    """A ModelAdmin whose change page carries `object_actions`; GET only asks, never acts."""

    object_actions: tuple[ObjectAction, ...] = ()
    change_form_template = "admin/object_actions_change_form.html"

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_do"
        view = self.admin_site.admin_view(self.do_view)
        return [path("<path:object_id>/do/<slug:action>/", view, name=name), *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = context.get("original")
        context["object_actions"] = [
            (action, self._address(obj, action))
            for action in self.object_actions
            if self._may(request, action, obj)
        ]
        return super().render_change_form(request, context, *args, **kwargs)

    def do_view(self, request: HttpRequest, object_id: str, action: str) -> HttpResponse:
        """Ask (GET) or act (POST)."""
        chosen = next((each for each in self.object_actions if each.name == action), None)
        obj = self.get_object(request, object_id)
        if chosen is None or obj is None or not self.has_view_permission(request, obj):
            raise Http404
        if not request.user.has_perm(chosen.permission):
            raise PermissionDenied
        form = chosen.form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            return self._act(request, chosen, obj, form.cleaned_data)
        try:
            details = chosen.details(obj) if chosen.details else None
        except ActionRefused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(self._change_address(obj))
        return self._page(request, chosen, obj, form=form, table=details)

    def _act(
        self, request: HttpRequest, action: ObjectAction, obj: Any, data: dict[str, Any]
    ) -> HttpResponse:
        person = request.user
        assert isinstance(person, User)
        audit.record(who=person, what=f"admin.{action.name}", on=obj, ip=request.META.get("REMOTE_ADDR"))
        try:
            told = action.run(obj, person, data)
            if isinstance(told, Table):
                return self._page(request, action, obj, table=told, is_done=True)
            messages.success(request, told)
        except ActionRefused as refusal:
            messages.error(request, str(refusal))
        return HttpResponseRedirect(self._change_address(obj))

    def _page(self, request: HttpRequest, action: ObjectAction, obj: Any, **shown: Any) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "action": action,
            "original": obj,
            **shown,
            "title": action.label,
            "back": self._change_address(obj),
        }
        return TemplateResponse(request, "admin/object_action_confirm.html", context)

    def _may(self, request: HttpRequest, action: ObjectAction, obj: Any) -> bool:
        return obj is not None and request.user.has_perm(action.permission) and action.offered(obj)

    def _address(self, obj: Any, action: ObjectAction) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_do", args=[obj.pk, action.name])

    def _change_address(self, obj: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])
