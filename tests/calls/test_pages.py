"""The pages: who may open which, what they say, and that a caller's text stays text."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client, RequestFactory
from django.utils import timezone
from django.views.defaults import server_error
from pytest_django import DjangoAssertNumQueries

from calls.models import Agent, AuditEvent, User
from tests import factories, people

pytestmark = pytest.mark.django_db
EVIL = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7|add:7 }}"


@pytest.fixture
def mina(client: Client) -> Client:
    """Mina's browser."""
    client.force_login(people.mina())
    return client


def text_of(client: Client, path: str) -> str:
    """The page's source."""
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def snapshot_in(page: str) -> dict[str, Any]:
    """What a live page starts with."""
    found = re.search(r'<script id="snapshot" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    body: dict[str, Any] = json.loads(found[1])
    return body


@pytest.mark.parametrize("path", ["/", "/live/", "/calls/", "/calls/1/", f"/calls/CA{'a' * 32}/"])
def test_the_signed_out_are_asked_to_sign_in_and_come_back(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer["Location"] == f"/accounts/login/?next={path}"


@pytest.mark.parametrize("who", [people.jonas, people.eve])
@pytest.mark.parametrize("path", ["/live/", "/calls/", "/calls/1/", f"/calls/CA{'a' * 32}/"])
def test_who_may_not_watch_gets_403_whatever_exists(client: Client, path: str, who: Any) -> None:
    client.force_login(who())
    factories.call(pk=1)
    answer = client.get(path)
    assert answer.status_code == 403
    assert "No access" in answer.content.decode()


@pytest.mark.parametrize(
    ("who", "place"),
    [(people.mina, "/live/"), (people.ada, "/live/"), (people.jonas, "/desk/")],
    ids=["supervisor", "admin", "agent"],
)
def test_the_start_page_is_the_wall_for_who_may_watch_and_the_desk_for_agents(
    client: Client, who: Any, place: str
) -> None:
    client.force_login(who())
    assert client.get("/")["Location"] == place


def test_a_supervisor_who_takes_calls_too_starts_at_the_wall(client: Client) -> None:
    people.jonas()
    client.force_login(people.person(people.JONAS, "Supervisor"))
    assert client.get("/")["Location"] == "/live/"


def test_the_start_page_tells_who_has_no_role_what_to_ask_for(client: Client) -> None:
    client.force_login(people.eve())
    page = text_of(client, "/")
    assert "Welcome, Eve" in page
    assert "/live/" not in page


def test_signing_in_goes_where_one_wanted_to_go(client: Client) -> None:
    people.mina()
    fields = {"username": "mina", "password": people.PASSWORD, "next": "/calls/?q=water"}
    assert client.post("/accounts/login/", fields)["Location"] == "/calls/?q=water"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_signing_in_never_leads_elsewhere(client: Client, elsewhere: str) -> None:
    people.mina()
    fields = {"username": "mina", "password": people.PASSWORD, "next": elsewhere}
    assert client.post("/accounts/login/", fields)["Location"] == "/"


def test_a_wrong_password_is_told_without_saying_what_was_wrong(client: Client) -> None:
    people.mina()
    answers = [
        client.post("/accounts/login/", {"username": name, "password": "wrong"}).content.decode()
        for name in ("mina", "nobody")
    ]
    notices = [re.search(r'<p class="notice bad"[^>]*>(.*?)</p>', answer, re.DOTALL) for answer in answers]
    assert notices[0]
    assert notices[1]
    assert notices[0][1] == notices[1][1]


def test_the_password_may_be_pasted_and_kept_by_a_manager(client: Client) -> None:
    page = text_of(client, "/accounts/login/")
    assert 'autocomplete="current-password"' in page
    assert 'autocomplete="username"' in page


def test_signing_out_is_a_post(mina: Client) -> None:
    assert mina.get("/accounts/logout/").status_code == 405
    assert mina.post("/accounts/logout/").status_code == 302
    assert mina.get("/live/").status_code == 302


def test_the_wall_starts_with_the_present_state(mina: Client) -> None:
    stream = factories.stream()
    factories.utterance(stream, "my boiler is leaking")
    snapshot = snapshot_in(text_of(mina, "/live/"))
    assert [call["call"] for call in snapshot["calls"]] == [stream.leg.call_id]
    assert [one["stream"] for one in snapshot["streams"]] == [stream.sid]
    assert [line["text"] for line in snapshot["utterances"]] == ["my boiler is leaking"]
    assert snapshot["at"].endswith("Z")


def test_the_first_run_offers_a_number_to_who_may_add_one(client: Client) -> None:
    link = "/admin/calls/phonenumber/add/"
    client.force_login(people.mina())
    assert link not in text_of(client, "/live/")
    client.force_login(people.ada())
    assert link in text_of(client, "/live/")


def test_a_call_is_shown_with_its_lines_and_the_look_is_audited(mina: Client) -> None:
    stream = factories.stream()
    factories.utterance(stream, "my boiler is leaking")
    path = f"/calls/{stream.leg.call_id}/"
    assert "my boiler is leaking" in text_of(mina, path)
    seen = AuditEvent.objects.get()
    assert seen.who == User.objects.get(username="mina")
    assert (seen.what, seen.on) == ("call.viewed", str(stream.leg.call_id))


def test_a_past_call_needs_no_connection(mina: Client) -> None:
    live, past = factories.call(), factories.call(state="ended")
    assert "cc-connection" in text_of(mina, f"/calls/{live.pk}/")
    assert "cc-connection" not in text_of(mina, f"/calls/{past.pk}/")


def test_a_call_is_found_by_its_call_sid(mina: Client) -> None:
    leg = factories.leg()
    assert mina.get(f"/calls/{leg.sid}/")["Location"] == f"/calls/{leg.call_id}/"
    assert mina.get(f"/calls/CA{'0' * 32}/").status_code == 404


@pytest.mark.parametrize("path", ["/calls/999999/", "/calls/999999999999999999/", "/calls/x/", "/nowhere/"])
def test_what_does_not_exist_is_not_found(mina: Client, path: str) -> None:
    answer = mina.get(path)
    assert answer.status_code == 404
    assert "Not found" in answer.content.decode()


def test_the_list_shows_calls_newest_first_with_state_and_length(mina: Client) -> None:
    now = timezone.now()
    factories.call(caller="+31600000001", started_at=now)
    factories.call(
        caller="+31600000002",
        state="ended",
        outcome="answered",
        started_at=now - timedelta(hours=3),
        answered_at=now - timedelta(hours=3),
        ended_at=now - timedelta(hours=1, minutes=59),
    )
    factories.call(
        caller="+31600000003", state="ended", outcome="missed", started_at=now - timedelta(hours=5)
    )
    page = text_of(mina, "/calls/")
    assert page.index("+31600000001") < page.index("+31600000002") < page.index("+31600000003")
    assert "1:01:00" in page
    assert "In progress" in page
    assert "Not answered" in page


def test_the_filter_stays_in_the_address_and_in_the_form(mina: Client) -> None:
    page = text_of(mina, "/calls/?q=boiler&since=2026-11-01&state=missed")
    assert 'name="q" value="boiler"' in page
    assert 'value="2026-11-01"' in page
    assert '<option value="missed" selected>' in page
    assert "No call fits this filter." in page


def test_pages_of_a_filtered_list_keep_the_filter(mina: Client) -> None:
    for _ in range(51):
        factories.call()
    page = text_of(mina, "/calls/?state=live")
    assert 'href="?state=live&amp;page=2"' in page
    assert 'href="?state=live&amp;page=1"' in text_of(mina, "/calls/?state=live&page=2")


def test_who_has_a_desk_can_call_from_the_list_and_from_a_call(mina: Client) -> None:
    known, withheld = factories.call(), factories.call(caller="anonymous")
    links = [f"/desk/?call={call.pk}" for call in (known, withheld)]
    places = "/calls/", f"/calls/{known.pk}/", f"/calls/{withheld.pk}/"
    assert not any(link in text_of(mina, place) for link in links for place in places), "she has no desk"
    user = people.person(people.MINA, "Agent")
    assert links[0] not in text_of(mina, "/calls/"), "she may have one, and is no agent"
    Agent.objects.create(user=user, name="Mina", identity="agent_mina")
    assert [[link in text_of(mina, place) for place in places] for link in links] == [
        [True, True, False],
        [False, False, False],
    ]


ODD_FILTERS = (
    "page=0 page=-1 page=x page=99999999999 page=2 since=yesterday number=7 agent=x state=odd q=%00"
    f" q=%ED%A0%80 q={'x' * 500} since=2026-11-02&until=2026-11-01"
)


@pytest.mark.parametrize("query", ODD_FILTERS.split())
def test_an_odd_filter_is_no_error(mina: Client, query: str) -> None:
    assert mina.get(f"/calls/?{query}").status_code == 200


def test_a_filter_that_makes_no_sense_says_so(mina: Client) -> None:
    assert "This day lies before the first one." in text_of(mina, "/calls/?since=2026-11-02&until=2026-11-01")


def test_a_callers_text_is_never_markup(mina: Client) -> None:
    number = factories.number(label=EVIL[:80])
    agent = people.agent_jonas()
    agent.name = EVIL[:80]
    agent.save()
    call = factories.call(caller=EVIL, caller_name=EVIL[:120], number=number, agent=agent)
    stream = factories.stream(factories.leg(call), parameters={EVIL: EVIL})
    factories.utterance(stream, EVIL)
    for path in ("/live/", "/calls/", "/calls/?q=img", f"/calls/{call.pk}/"):
        page = text_of(mina, path)
        assert "<script>alert" not in page
        assert "<img" not in page
    assert snapshot_in(text_of(mina, f"/calls/{call.pk}/"))["utterances"][0]["text"] == EVIL


@pytest.mark.parametrize("path", ["/live/", "/calls/", "/accounts/login/", "/nowhere/"])
def test_every_page_has_a_strict_policy_and_nothing_inline(mina: Client, path: str) -> None:
    answer = mina.get(path)
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    page = answer.content.decode()
    scripts = re.findall(r"<script([^>]*)>", page)
    assert all("src=" in one or "application/json" in one for one in scripts)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page)


def test_live_pages_are_not_kept_by_the_browser(mina: Client) -> None:
    for path in ("/live/", "/calls/", f"/calls/{factories.call().pk}/"):
        assert "no-store" in mina.get(path)["Cache-Control"]


def test_every_static_file_that_pages_name_exists(mina: Client) -> None:
    call = factories.call()
    named = set()
    for path in ("/live/", "/calls/", f"/calls/{call.pk}/", "/nowhere/", "/accounts/login/"):
        named |= set(re.findall(r'"/static/([^"#]+)', mina.get(path).content.decode()))
    assert {"css/app.css", "js/pages/wall.js", "js/pages/call.js", "icons.svg"} <= named
    assert [name for name in named if not finders.find(name)] == []


@pytest.mark.parametrize("count", [1, 50])
def test_a_page_asks_as_often_for_fifty_calls_as_for_one(
    mina: Client, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(count):
        factories.utterance(factories.stream())
    with django_assert_num_queries(26):
        assert mina.get("/live/").status_code == 200
    with django_assert_num_queries(10):
        assert mina.get("/calls/").status_code == 200


def test_only_safe_methods_open_pages(mina: Client) -> None:
    for path in ("/", "/live/", "/calls/", "/calls/1/"):
        assert mina.post(path).status_code == 405


def test_a_fault_of_ours_is_told_without_anything_of_it(rf: RequestFactory) -> None:
    answer = server_error(rf.get("/"))
    assert answer.status_code == 500
    assert "Something went wrong" in answer.content.decode()


def test_a_form_that_is_out_of_date_is_told_in_words() -> None:
    people.mina()
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/accounts/login/", {"username": "mina", "password": people.PASSWORD})
    assert answer.status_code == 403
    assert "Please try again" in answer.content.decode()
