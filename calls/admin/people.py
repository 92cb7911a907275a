"""Users with their roles, teams, and agents with what they are doing."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.validators import RegexValidator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from calls.admin.actions import ObjectAction, ObjectActionsMixin
from calls.admin.fields import TelephoneField
from calls.admin.telling import TellingMixin, person, telling
from calls.models import Agent, Queue, Team, User
from calls.selectors import agents
from calls.services import signout

_RANKS = ("is_superuser", "user_permissions")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    """Who is no superuser makes none, and changes none: an admin's rights are those of the group."""

    list_display = [
        "username",
        "first_name",
        "last_name",
        "roles",
        "in_teams",
        "is_active",
        "is_staff",
        "last_login",
    ]
    list_filter = ["groups", "teams", "is_active", "is_staff"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups", "teams")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        given = super().get_readonly_fields(request, obj)
        return given if person(request).is_superuser else (*given, *_RANKS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        if not person(request).is_superuser:
            actions.pop("delete_selected", None)  # it would not ask about each
        return actions

    @admin.display(description="roles")
    def roles(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all())) or "—"

    @admin.display(description="teams")
    def in_teams(self, user: User) -> str:
        return ", ".join(sorted(team.name for team in user.teams.all())) or "—"


def _may_touch(request: HttpRequest, obj: User | None) -> bool:
    return obj is None or not obj.is_superuser or person(request).is_superuser


@admin.register(Team)
class TeamAdmin(TellingMixin):
    list_display = ["name", "members", "its_queues", "its_numbers"]
    search_fields = ["name", "people__username"]
    filter_horizontal = ["people"]
    fields = ["name", "people", "its_queues", "its_numbers"]
    readonly_fields = ["its_queues", "its_numbers"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        return super().get_queryset(request).prefetch_related("people", "queues", "numbers")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        telling(request).emit(kind="team.changed", noun="team", key=form.instance.pk, by=person(request).pk)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        telling(request).emit(kind="team.deleted", noun="team", key=obj.pk, by=person(request).pk)
        super().delete_model(request, obj)

    @admin.display(description="people")
    def members(self, team: Team) -> str:
        return ", ".join(str(user) for user in team.people.all()[:20]) or "—"

    @admin.display(description="queues")
    def its_queues(self, team: Team) -> str:
        return ", ".join(str(queue) for queue in team.queues.all()) or "—"

    @admin.display(description="numbers")
    def its_numbers(self, team: Team) -> str:
        return ", ".join(str(number) for number in team.numbers.all()) or "—"


class AgentForm(forms.ModelForm):  # type: ignore[type-arg]
    """An agent, and the queues that they answer."""

    identity = forms.CharField(
        max_length=80,
        validators=[RegexValidator(r"^[A-Za-z0-9_]+\Z", "Letters, digits and _ only (Twilio error 31105).")],
        help_text="Voice identity of the browser phone, such as agent_jonas. It stays as it is.",
    )
    e164 = TelephoneField(
        label="telephone", required=False, help_text="Their own telephone, such as +31 20 …"
    )
    queues = forms.ModelMultipleChoiceField(Queue.objects.all(), required=False)

    class Meta:
        model = Agent
        fields = ["user", "name", "identity", "e164", "phone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "queues" in self.fields:
            self.initial["queues"] = self.instance.queues.all()

    def clean(self) -> dict[str, Any]:
        """One telephone is one agent's; who answers by telephone has one."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        number = data.get("e164", "")
        other = Agent.objects.filter(e164=number).exclude(pk=self.instance.pk).first() if number else None
        if other:
            self.add_error("e164", f"This is the telephone of {other}.")
        if data.get("phone") == Agent.Phone.TELEPHONE and not number and "e164" not in self.errors:
            self.add_error("e164", "Who answers by their own telephone needs one.")
        return data


_NOW = {
    agents.OFFLINE: "Offline",
    agents.AWAY: "Away",
    agents.READY: "Ready",
    agents.RINGING: "Ringing",
    agents.ON_CALL: "On a call",
    agents.WRAPUP: "Wrap-up",
}
_ON_CALL = {agents.RINGING, agents.ON_CALL}


def _sign_out(agent: Agent, by: User, data: dict[str, Any]) -> str:
    ended = signout.force(agent=agent, by=by, now=timezone.now())
    sessions = f"{ended} session{'' if ended == 1 else 's'} ended"
    return f"{agent} is signed out: {sessions}. A call that is open goes on."


@admin.register(Agent)
class AgentAdmin(TellingMixin, ObjectActionsMixin):
    form = AgentForm
    list_display = ["name", "user", "state", "since", "in_queues", "phone", "phone_ok", "identity", "e164"]
    list_filter = ["queues", "phone", "status"]
    search_fields = ["name", "identity", "user__username"]
    autocomplete_fields = ["user"]
    readonly_fields = ["state", "since", "present_until", "phone_ok"]
    fieldsets = [
        (None, {"fields": ["user", "name", "queues"]}),
        ("Phone", {"fields": ["identity", "phone", "e164"]}),
        ("Now", {"fields": ["state", "since", "present_until", "phone_ok"]}),
    ]
    object_actions = (
        ObjectAction(
            name="sign-out",
            label="Force sign-out",
            question="The agent gets no more calls, their desk closes and they have to sign in again. "
            "A call that they are on goes on.",
            permission="calls.change_agent",
            run=_sign_out,
            danger=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        return super().get_queryset(request).select_related("user").prefetch_related("queues")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The page's agents, each with what they do now."""
        page = super().get_changelist_instance(request)
        for one in agents.states(now=timezone.now(), agents=page.result_list):
            one.agent.now = one  # type: ignore[attr-defined]
        return page

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        on_call = obj is not None and agents.state_of(obj, now=timezone.now()).state in _ON_CALL
        return super().has_delete_permission(request, obj) and not on_call

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        form.instance.queues.set(form.cleaned_data["queues"])
        telling(request).emit(kind="agent.changed", noun="agent", key=form.instance.pk, by=person(request).pk)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        telling(request).emit(kind="agent.deleted", noun="agent", key=obj.pk, by=person(request).pk)
        super().delete_model(request, obj)

    @admin.display(description="now")
    def state(self, agent: Agent) -> str:
        if agent.pk is None:
            return "—"
        now = getattr(agent, "now", None) or agents.state_of(agent, now=timezone.now())
        return f"Away ({now.reason})" if now.state == agents.AWAY and now.reason else _NOW[now.state]

    @admin.display(description="queues")
    def in_queues(self, agent: Agent) -> str:
        return ", ".join(queue.name for queue in agent.queues.all()) or "—"
