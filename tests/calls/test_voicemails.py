"""Messages that callers left: who sees which, the sound by way of us alone, and who has heard them."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from calls.models import Agent, AuditEvent, Event, Queue, Team, Voicemail
from calls.selectors import voicemails
from calls.views import asked as asking
from calls.views import voicemails as view
from tests import factories, people
from tests.calls import desks
from tests.calls.rest import Rest, error, rest, wav

pytestmark = pytest.mark.django_db
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has listened to anything in this process yet."""
    monkeypatch.setattr(view, "_rate", asking.Rate(view.PER_SECOND, view.BURST))


@pytest.fixture
def twilio() -> Iterator[Rest]:
    """Twilio, where the sound is."""
    with rest() as scripted:
        yield scripted


@pytest.fixture
def jonas() -> Agent:
    """Jonas, who answers the queue Support."""
    return people.agent_jonas()


@pytest.fixture
def page(client: Client, jonas: Agent) -> Client:
    """Jonas's browser."""
    client.force_login(jonas.user)
    return client


@pytest.fixture
def mina(client: Client) -> Client:
    """Mina's browser."""
    client.force_login(people.mina())
    return client


def message(queue: Queue | None = None, **fields: Any) -> Voicemail:
    """A message of 72 s whose sound is ready; `caller`, `team` and the like are the call's."""
    of_call = {name: fields.pop(name) for name in ("caller", "team", "contact", "number") if name in fields}
    fields = {"seconds": 72, "ready": True, "recording_sid": factories.sid("RE"), **fields}
    return Voicemail.objects.create(call=factories.call(state="ended", **of_call), queue=queue, **fields)


def ours(agent: Agent, **fields: Any) -> Voicemail:
    """A message for the agent's queue."""
    return message(desks.support(agent), **fields)


def sound_of(row: Voicemail) -> str:
    """Its address."""
    return f"/voicemails/{row.pk}/sound/"


def shown(client: Client, query: str = "") -> str:
    """The page's source."""
    answer = client.get(f"/voicemails/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def kept(twilio: Rest, row: Voicemail, body: bytes | None = None) -> bytes:
    """Twilio has its sound."""
    body = body or wav()
    twilio.on("GET", f"/Recordings/{row.recording_sid}.wav", 200, body)
    return body


# -- the list ----------------------------------------------------------------------------------------
def test_an_agent_sees_the_messages_for_their_queues_newest_first(page: Client, jonas: Agent) -> None:
    now = timezone.now()
    ours(jonas, caller="+31600000001", created_at=now - timedelta(hours=1))
    ours(jonas, caller="+31600000002", created_at=now)
    message(Queue.objects.create(name="Sales"), caller="+31600000003")
    message(None, caller="+31600000004")
    source = shown(page)
    assert source.index("+31600000002") < source.index("+31600000001")
    assert "+31600000003" not in source
    assert "+31600000004" not in source
    assert "Support" in source
    assert "01:12" in source


def test_a_supervisor_sees_the_messages_of_their_teams_calls(mina: Client) -> None:
    north, south = Team.objects.create(name="North"), Team.objects.create(name="South")
    north.people.add(people.mina())
    for caller, team in (("+31600000001", north), ("+31600000002", south), ("+31600000003", None)):
        message(caller=caller, team=team)
    source = shown(mina)
    assert [f"+3160000000{n}" in source for n in (1, 2, 3)] == [True, False, True]
    people.person(people.MINA, "Admin")
    assert "+31600000002" in shown(mina)


def test_who_takes_calls_and_watches_some_sees_both(mina: Client) -> None:
    north = Team.objects.create(name="North")
    agent = Agent.objects.create(user=people.person(people.MINA, "Agent"), name="Mina", identity="agent_mina")
    ours(agent, caller="+31600000001", team=north)
    message(caller="+31600000002", team=north)
    assert ["+31600000001" in shown(mina), "+31600000002" in shown(mina)] == [True, False]


def test_an_agent_without_a_desk_yet_sees_none(client: Client) -> None:
    message(caller="+31600000001")
    client.force_login(people.jonas())
    assert "No messages." in shown(client)


@pytest.mark.parametrize("place", ["", "1/sound/", "1/heard/"])
def test_who_has_no_role_gets_403_and_the_signed_out_sign_in(client: Client, place: str) -> None:
    message(pk=1)
    ask = client.post if "heard" in place else client.get
    assert ask(f"/voicemails/{place}")["Location"].startswith("/accounts/login/")
    client.force_login(people.eve())
    assert ask(f"/voicemails/{place}").status_code == 403


def test_a_message_shows_what_was_said_and_a_callers_text_stays_text(page: Client, jonas: Agent) -> None:
    row = ours(jonas, caller=EVIL)
    stream = factories.stream(factories.leg(row.call))
    for n in range(voicemails.LINES_SHOWN + 2):
        factories.utterance(stream, f"line {n}.", start_ms=n * 1000)
    factories.utterance(stream, EVIL, start_ms=60_000)
    source = shown(page)
    assert "<img" not in source
    assert "&lt;img" in source
    assert "line 13." in source
    assert "line 2." not in source, "the last ones only"


def test_the_list_comes_in_pages(page: Client, jonas: Agent) -> None:
    now = timezone.now()
    for n in range(voicemails.PAGE + 1):
        ours(jonas, caller=f"+316000001{n:02}", created_at=now - timedelta(minutes=n))
    first, second = shown(page), shown(page, "?page=2")
    assert ["+31600000125" in one for one in (first, second)] == [False, True]
    assert 'href="?page=2"' in first
    assert 'href="?page=1"' in second
    assert "There are no older messages." in shown(page, "?page=3")
    assert "+31600000100" in shown(page, "?page=x")


@pytest.mark.parametrize("count", [1, voicemails.PAGE])
def test_a_page_asks_as_often_for_many_messages_as_for_one(
    mina: Client, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Team.objects.create(name="North")
    for _ in range(count):
        row = message(contact=people.carla(), heard_at=timezone.now(), heard_by=people.mina())
        factories.utterance(factories.stream(factories.leg(row.call)))
    with django_assert_num_queries(9):
        assert mina.get("/voicemails/").status_code == 200


def test_the_bar_tells_how_many_nobody_has_heard(page: Client, jonas: Agent) -> None:
    ours(jonas)
    ours(jonas, heard_at=timezone.now())
    message()
    assert '<span class="nav-count">1<span' in shown(page)
    Voicemail.objects.update(heard_at=timezone.now())
    assert "nav-count" not in shown(page)


def test_the_bar_counts_no_further_than_people_do(
    page: Client, jonas: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voicemails, "UNHEARD_COUNTED", 3)
    for _ in range(5):
        ours(jonas)
    assert '<span class="nav-count">2+<span' in shown(page)


def test_who_may_hear_none_has_no_such_link(client: Client) -> None:
    client.force_login(people.eve())
    assert "/voicemails/" not in client.get("/").content.decode()


def test_a_caller_with_a_number_can_be_called_from_the_list(page: Client, jonas: Agent) -> None:
    known, withheld = ours(jonas), ours(jonas, caller="")
    source = shown(page)
    assert f"/desk/?call={known.call_id}" in source
    assert f"/desk/?call={withheld.call_id}" not in source


# -- the sound ---------------------------------------------------------------------------------------
def test_the_sound_is_fetched_for_who_may_hear_it_and_that_is_audited(
    page: Client, jonas: Agent, twilio: Rest
) -> None:
    row = ours(jonas)
    body = kept(twilio, row)
    answer = page.get(sound_of(row))
    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, body, "audio/wav")
    assert "private" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    seen = AuditEvent.objects.get()
    assert (seen.who, seen.what, seen.on) == (jonas.user, "voicemail.listened", f"voicemail {row.pk}")


@pytest.mark.parametrize("action", ["sound", "heard"])
def test_anothers_message_answers_like_one_that_does_not_exist(
    page: Client, jonas: Agent, twilio: Rest, action: str
) -> None:
    theirs = message(Queue.objects.create(name="Sales"))
    ask = page.post if action == "heard" else page.get
    answers = [ask(f"/voicemails/{pk}/{action}/") for pk in (theirs.pk, 4711, 999999999999999999)]
    assert {answer.status_code for answer in answers} == {404}
    pages = {re.sub(r'value="\w{64}"', "", answer.content.decode()) for answer in answers}
    assert len(pages) == 1
    assert not twilio.asked
    assert not AuditEvent.objects.exists()


def test_a_message_that_is_not_ready_has_no_sound_yet(page: Client, jonas: Agent, twilio: Rest) -> None:
    row = ours(jonas, ready=False)
    assert "Its sound is not ready yet." in shown(page)
    assert page.get(sound_of(row)).status_code == 404
    assert not twilio.asked


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [("bytes=0-", 0, -1), ("bytes=0-99", 0, 99), ("bytes=100-", 100, -1), ("bytes=-10", -10, -1)],
)
def test_a_player_may_ask_for_a_part(
    page: Client, jonas: Agent, twilio: Rest, wanted: str, first: int, last: int
) -> None:
    row = ours(jonas)
    body = kept(twilio, row)
    start, end = first % len(body), last % len(body)
    answer = page.get(sound_of(row), headers={"range": wanted})
    assert (answer.status_code, answer.content) == (206, body[start : end + 1])
    assert answer["Content-Range"] == f"bytes {start}-{end}/{len(body)}"


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ("bytes=99999999-", 416),
        ("bytes=5-2", 416),
        ("bytes=-0", 416),
        ("bytes=0-1,4-5", 200),
        ("lines=1-", 200),
    ],
)
def test_an_odd_part_is_refused_or_all_of_it(
    page: Client, jonas: Agent, twilio: Rest, wanted: str, status: int
) -> None:
    row = ours(jonas)
    body = kept(twilio, row)
    answer = page.get(sound_of(row), headers={"range": wanted})
    assert answer.status_code == status
    assert answer.content == (body if status == 200 else b"")


def test_what_twilio_refuses_is_told_in_words_and_kept_by_no_browser(
    page: Client, jonas: Agent, twilio: Rest
) -> None:
    row = ours(jonas)
    gone = page.get(sound_of(row))
    assert (gone.status_code, gone.content) == (404, b"The sound of this message is not at Twilio any more.")
    twilio.on("GET", f"/Recordings/{row.recording_sid}.wav", *error(500, 20500))
    failed = page.get(sound_of(row))
    assert failed.status_code == 502
    assert failed["Cache-Control"] == "no-store"


def test_too_many_sounds_at_once_are_refused(
    page: Client, jonas: Agent, twilio: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "_rate", asking.Rate(0.0, 1.0))
    row = ours(jonas)
    kept(twilio, row)
    assert [page.get(sound_of(row)).status_code for _ in range(2)] == [200, 429]


# -- heard -------------------------------------------------------------------------------------------
def test_a_message_is_marked_as_heard_once_and_by_post(page: Client, jonas: Agent) -> None:
    row = ours(jonas)
    place = f"/voicemails/{row.pk}/heard/"
    assert page.get(place).status_code == 405
    assert page.post(f"{place}?page=2")["Location"] == f"/voicemails/?page=2#message-{row.pk}"
    page.post(place)
    row.refresh_from_db()
    assert row.heard_by == jonas.user
    assert Event.objects.filter(noun="voicemail").count() == 1
    assert "Heard by Jonas" in shown(page)
    assert AuditEvent.objects.filter(what="voicemail.heard", on=f"voicemail {row.pk}").exists()


def test_marking_it_takes_the_forms_token(jonas: Agent) -> None:
    row = ours(jonas)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(jonas.user)
    assert strict.post(f"/voicemails/{row.pk}/heard/").status_code == 403
