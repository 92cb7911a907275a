"""Who sees what: a call of another team is nowhere, and answers like one that does not exist."""

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from calls.access import EVERY, NOTHING, NOWHERE, Scope, scope_of
from calls.models import AuditEvent, Call, Command, Queue, Team, User
from calls.selectors import teams, wall
from tests import factories, people
from tests.calls.rest import Rest, rest

pytestmark = pytest.mark.django_db
UNKNOWN, HIDDEN = 471_100, 471_200


@pytest.fixture
def north() -> Team:
    """Mina's team."""
    team = Team.objects.create(name="North")
    team.people.add(people.mina())
    return team


@pytest.fixture
def south(north: Team) -> Team:
    """Another one, in which nobody is."""
    return Team.objects.create(name="South")


@pytest.fixture
def mina(client: Client, north: Team, south: Team) -> Client:
    """Mina's browser."""
    client.force_login(people.mina())
    return client


@pytest.fixture
def ada() -> Client:
    """Ada's browser."""
    client = Client()
    client.force_login(people.ada())
    return client


def talk(team: Team | None, text: str = "the boiler is leaking", **fields: Any) -> Call:
    """A live call of a team, with a stream and a line."""
    stream = factories.stream(factories.leg(factories.call(team=team, **fields)))
    factories.utterance(stream, text)
    return stream.leg.call


# -- the scope ---------------------------------------------------------------------------------------
def test_a_supervisor_sees_their_teams_and_what_has_no_team(north: Team, south: Team) -> None:
    scope = scope_of(people.mina())
    assert scope == Scope(frozenset({north.pk}))
    assert [scope.sees(team) for team in (None, north.pk, south.pk, NOWHERE)] == [True, True, False, False]


def test_an_admin_and_a_superuser_see_every_team(south: Team) -> None:
    root = User.objects.create_superuser("root")
    assert scope_of(people.ada()) == scope_of(root) == EVERY


def test_a_supervisor_of_no_team_sees_what_has_no_team(south: Team) -> None:
    assert scope_of(people.person("olga", "Supervisor")) == Scope(frozenset())


def test_without_teams_everybody_sees_every_call() -> None:
    assert scope_of(people.mina()) == EVERY


def test_who_is_nobody_sees_nothing(south: Team) -> None:
    assert scope_of(AnonymousUser()) == NOTHING
    assert not NOTHING.sees(None)
    talk(None)
    talk(south)
    assert not NOTHING.of(Call.objects.all()).exists()


def test_a_disabled_admin_sees_no_more_than_their_teams(south: Team) -> None:
    people.ada()
    User.objects.filter(username=people.ADA).update(is_active=False)
    assert scope_of(User.objects.get(username=people.ADA)) == Scope(frozenset())


@pytest.mark.parametrize(
    ("scope", "name"),
    [(EVERY, "every"), (Scope(frozenset()), "none"), (Scope(frozenset({12, 3})), "3,12")],
    ids=["every", "none", "some"],
)
def test_a_scope_has_a_name_that_a_page_can_repeat(scope: Scope, name: str) -> None:
    assert scope.name() == name


class TestBothWays(TestCase):
    """What a scope says of one call, and which calls its filter finds."""

    @given(
        st.lists(st.integers(0, 4), max_size=12),
        st.none() | st.frozensets(st.integers(1, 4)),
        st.booleans(),
    )
    def test_the_filter_finds_what_is_seen(
        self, places: list[int], seen: frozenset[int] | None, teamless: bool
    ) -> None:
        made = {n: Team.objects.create(name=f"Team {n}") for n in range(1, 5)}
        scope = Scope(frozenset(made[n].pk for n in seen) if seen is not None else None, teamless)
        legs = [factories.leg(factories.call(team=made.get(place))) for place in places]
        expected = {leg.call_id for leg in legs if scope.sees(leg.call.team_id)}
        assert set(scope.of(Call.objects.all()).values_list("pk", flat=True)) == expected
        found = scope.of(type(legs[0]).objects.all(), "call__") if legs else []
        assert {leg.call_id for leg in found} == expected


# -- pages -------------------------------------------------------------------------------------------
def test_the_wall_begins_with_what_may_be_seen(mina: Client, ada: Client, north: Team, south: Team) -> None:
    ours, nobodys, theirs = talk(north), talk(None), talk(south, "a secret of the south")
    page = mina.get("/live/").content.decode()
    assert "a secret of the south" not in page
    shown = wall.snapshot(now=ours.started_at, scope=scope_of(people.mina()))
    assert {call["call"] for call in shown["calls"]} == {ours.pk, nobodys.pk}
    assert {one["call"] for kind in ("streams", "utterances") for one in shown[kind]} == {ours.pk, nobodys.pk}
    assert f'"call": {theirs.pk},' not in page
    assert "a secret of the south" in ada.get("/live/").content.decode()


def test_the_wall_says_when_the_last_call_that_one_sees_ended(north: Team, south: Team) -> None:
    factories.call(team=south, state="ended")
    scope = scope_of(people.mina())
    assert wall.snapshot(now=factories.NOON, scope=scope)["site"]["last_ended_at"] is None


def same(answer: Any, unknown: Any, call: int, unknown_call: int) -> bool:
    """Whether two answers differ in nothing but the id that was asked for, and one-time secrets."""

    def text(one: Any, id_: int) -> str:
        body = str(one.content.decode()).replace(str(id_), "ID")
        token = one.context["csrf_token"] if one.context and "csrf_token" in one.context else None
        return re.sub(r'value="[A-Za-z0-9]{64}"', "", body).replace(str(token), "TOKEN")

    headers = [
        {name: value for name, value in one.items() if name not in {"Set-Cookie", "Content-Length"}}
        for one in (answer, unknown)
    ]
    return (
        answer.status_code == unknown.status_code == 404
        and text(answer, call) == text(unknown, unknown_call)
        and headers[0] == headers[1]
    )


def test_another_teams_call_answers_like_one_that_does_not_exist(
    mina: Client, ada: Client, south: Team
) -> None:
    theirs = talk(south, pk=HIDDEN)
    assert same(mina.get(f"/calls/{theirs.pk}/"), mina.get(f"/calls/{UNKNOWN}/"), theirs.pk, UNKNOWN)
    sid = theirs.legs.get().sid
    known, unknown = mina.get(f"/calls/{sid}/"), mina.get(f"/calls/CA{'0' * 32}/")
    assert (known.status_code, unknown.status_code) == (404, 404)
    assert not AuditEvent.objects.exists()
    assert ada.get(f"/calls/{theirs.pk}/").status_code == 200


def test_a_hidden_call_costs_as_many_questions_as_none(
    mina: Client, south: Team, django_assert_num_queries: Any
) -> None:
    theirs = talk(south)
    mina.get("/calls/1/")
    for call in (theirs.pk, UNKNOWN):
        with django_assert_num_queries(9):
            mina.get(f"/calls/{call}/")


def do(client: Client, call: int, **fields: Any) -> Any:
    """One POST of JSON; the answer."""
    body = json.dumps({"id": str(uuid.uuid4()), **fields})
    return client.post(f"/calls/{call}/do/", body, content_type="application/json")


@pytest.mark.parametrize(
    "fields", [{"kind": "stream.start"}, {"kind": "stream.stop", "stream": "tap"}, {"kind": "x"}, {}]
)
def test_nothing_can_be_done_to_another_teams_call(mina: Client, south: Team, fields: dict[str, str]) -> None:
    theirs = talk(south)
    with rest() as twilio:
        hidden, unknown = do(mina, theirs.pk, **fields), do(mina, UNKNOWN, **fields)
    assert same(hidden, unknown, theirs.pk, UNKNOWN)
    assert hidden.json()["error"]["code"] == "unknown_call"
    assert twilio.asked == []
    assert not Command.objects.exists()
    assert not AuditEvent.objects.exists()


def test_an_agent_sees_nothing_of_the_wall(client: Client, north: Team) -> None:
    north.people.add(people.jonas())
    ours = talk(north)
    client.force_login(people.jonas())
    paths = ["/live/", "/calls/", f"/calls/{ours.pk}/", f"/calls/{ours.legs.get().sid}/"]
    assert {client.get(path).status_code for path in paths} == {403}
    assert do(client, ours.pk, kind="stream.start").status_code == 403


def test_moving_to_a_team_opens_its_calls_and_leaving_it_closes_them(mina: Client, south: Team) -> None:
    theirs = talk(south)
    south.people.add(people.mina())
    assert mina.get(f"/calls/{theirs.pk}/").status_code == 200
    south.people.remove(people.mina())
    assert mina.get(f"/calls/{theirs.pk}/").status_code == 404


# -- the list of calls -------------------------------------------------------------------------------
def shown(client: Client, query: str = "") -> set[int]:
    """The calls on the first page of the list."""
    return {call.pk for call in client.get(f"/calls/{query}").context["found"].calls}


def test_the_list_holds_what_may_be_seen(mina: Client, ada: Client, north: Team, south: Team) -> None:
    ours, nobodys, theirs = talk(north), talk(None), talk(south)
    assert shown(mina) == {ours.pk, nobodys.pk}
    assert shown(ada) == {ours.pk, nobodys.pk, theirs.pk}


@pytest.mark.parametrize("query", ["?q=secret", "?caller=440", "?state=live", "?caller=hidden"])
def test_no_search_finds_another_teams_call(mina: Client, ada: Client, south: Team, query: str) -> None:
    theirs = talk(south, "a secret", caller="+440", caller_name="HIDDEN")
    assert shown(ada, query) == {theirs.pk}
    page = mina.get(f"/calls/{query}")
    assert page.context["found"].calls == []
    assert not page.context["found"].has_more
    assert "a secret" not in page.content.decode()


def test_pages_are_counted_by_what_may_be_seen(mina: Client, south: Team) -> None:
    for _ in range(60):
        factories.call(team=south)
    factories.call()
    found = mina.get("/calls/").context["found"]
    assert (len(found.calls), found.has_more) == (1, False)


def test_the_filters_offer_numbers_and_agents_of_ones_own(
    mina: Client, ada: Client, north: Team, south: Team
) -> None:
    support, sales = (
        Queue.objects.create(name=name, team=team) for name, team in (("Support", north), ("Sales", south))
    )
    factories.number(label="Ours", team=north)
    factories.number(label="Everybody's")
    factories.number(label="By queue", team=south, queue=support)
    factories.number(label="Theirs", team=south, queue=sales)
    jonas, carol = people.agent_jonas(), agent("carol")
    agent("freelance")
    north.people.add(jonas.user)
    south.people.add(carol.user)
    form = mina.get("/calls/").context["form"]
    assert {number.label for number in form.fields["number"].queryset} == {"Ours", "Everybody's", "By queue"}
    assert {one.name for one in form.fields["agent"].queryset} == {"Jonas", "freelance"}
    assert "carol" not in mina.get("/calls/").content.decode()
    form = ada.get("/calls/").context["form"]
    assert (form.fields["number"].queryset.count(), form.fields["agent"].queryset.count()) == (4, 3)


def agent(name: str) -> Any:
    """One more who answers."""
    user = people.person(name, "Agent")
    return type(people.agent_jonas()).objects.create(user=user, name=name, identity=name)


def test_a_number_of_another_team_is_no_filter(mina: Client, south: Team) -> None:
    hidden = factories.number(team=south)
    ours = factories.call()
    for number in (hidden.pk, UNKNOWN):
        page = mina.get(f"/calls/?number={number}")
        assert {call.pk for call in page.context["found"].calls} == {ours.pk}
        assert "Select a valid choice" in str(page.context["form"].errors["number"])


def test_who_is_in_two_teams_is_offered_once(mina: Client, north: Team, south: Team) -> None:
    jonas = people.agent_jonas()
    for team in (north, south):
        team.people.add(jonas.user, people.mina())
    assert list(teams.agents(scope_of(people.mina()))) == [jonas]


# -- the admin ---------------------------------------------------------------------------------------
ADMIN = {"calls_call": lambda call: call.pk, "streams_stream": lambda call: stream_of(call).pk}


def stream_of(call: Call) -> Any:
    """The one stream of a call."""
    return call.legs.get().streams.get()


@pytest.mark.parametrize(("model", "key"), ADMIN.items(), ids=list(ADMIN))
def test_the_admins_lists_show_what_may_be_seen(
    mina: Client, ada: Client, north: Team, south: Team, model: str, key: Callable[[Call], Any]
) -> None:
    ours, nobodys, theirs = (key(talk(team)) for team in (north, None, south))
    address = reverse(f"admin:{model}_changelist")
    assert {row.pk for row in mina.get(address).context["cl"].result_list} == {ours, nobodys}
    assert {row.pk for row in ada.get(address).context["cl"].result_list} == {ours, nobodys, theirs}


@pytest.mark.parametrize(("model", "key"), ADMIN.items(), ids=list(ADMIN))
def test_another_teams_row_has_no_page_in_the_admin(
    mina: Client, ada: Client, south: Team, model: str, key: Callable[[Call], Any]
) -> None:
    theirs = key(talk(south, "a secret of the south"))
    for page in ("change", "history"):
        address = reverse(f"admin:{model}_{page}", args=[theirs])
        answer = mina.get(address, follow=True)
        assert "secret" not in answer.content.decode()
        assert answer.redirect_chain or answer.status_code == 404
        assert ada.get(address).status_code == 200


@pytest.fixture
def twilio() -> Any:
    with rest() as scripted:
        yield scripted


def test_no_button_of_the_admin_acts_on_another_teams_call(mina: Client, south: Team, twilio: Rest) -> None:
    theirs = talk(south)
    stream = stream_of(theirs)
    for address in (
        reverse("admin:calls_call_do", args=[theirs.pk, "start-stream"]),
        reverse("admin:streams_stream_do", args=[stream.pk, "stop-stream"]),
    ):
        assert (
            mina.get(address).status_code == mina.post(address, {"track": "both_tracks"}).status_code == 404
        )
    chosen = {"action": "stop_selected", "_selected_action": [stream.pk], "confirmed": "yes"}
    mina.post(reverse("admin:streams_stream_changelist"), chosen, follow=True)
    assert twilio.asked == []
    assert not Command.objects.exists()


def test_the_admins_filter_offers_the_numbers_of_ones_own(
    mina: Client, ada: Client, north: Team, south: Team
) -> None:
    factories.number(label="Ours", team=north)
    factories.number(label="Hidden", team=south)
    for model in ADMIN:
        address = reverse(f"admin:{model}_changelist")
        assert ">Ours" in mina.get(address).content.decode().replace("\n", "").replace("  ", "")
        assert "Hidden" not in mina.get(address).content.decode()
        assert "Hidden" in ada.get(address).content.decode()
