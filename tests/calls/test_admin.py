"""The admin: useful lists for each role, and streams started and stopped by confirmed, audited posts."""

import pytest
from django.test import Client
from django.urls import reverse

from calls.models import AuditEvent, Command, IngestKey
from tests import factories, people
from tests.calls.rest import Rest, error, rest, stream_body

pytestmark = pytest.mark.django_db

LISTS = [
    "calls_phonenumber", "calls_contact", "calls_agent", "calls_call", "calls_user", "calls_auditevent",
    "calls_command", "streams_stream", "streams_recording", "streams_process",
]  # fmt: skip


@pytest.fixture
def ada(client: Client) -> Client:
    client.force_login(people.ada())
    return client


@pytest.fixture
def twilio_rest():
    with rest() as scripted:
        yield scripted


def test_every_list_opens_for_ada_and_can_be_searched(ada: Client) -> None:
    factories.utterance(factories.stream())
    factories.number(stream=False)
    for name in LISTS:
        answer = ada.get(reverse(f"admin:{name}_changelist"), {"q": "a"} if name != "streams_process" else {})
        assert answer.status_code == 200, name


def test_every_object_page_opens_for_ada(ada: Client) -> None:
    stream = factories.stream()
    number = factories.number()
    for name, key in [
        ("calls_call", stream.leg.call_id),
        ("streams_stream", stream.pk),
        ("calls_phonenumber", number.pk),
    ]:
        answer = ada.get(reverse(f"admin:{name}_change", args=[key]))
        assert answer.status_code == 200, name


def test_calls_and_streams_cannot_be_changed_by_hand(ada: Client) -> None:
    stream = factories.stream()
    for name, key in [("calls_call", stream.leg.call_id), ("streams_stream", stream.pk)]:
        assert ada.post(reverse(f"admin:{name}_change", args=[key]), {"state": "ended"}).status_code == 403
        assert ada.get(reverse(f"admin:{name}_add")).status_code == 403
        assert ada.post(reverse(f"admin:{name}_delete", args=[key]), {"post": "yes"}).status_code == 403


def test_the_list_of_numbers_finds_those_that_do_not_stream(ada: Client) -> None:
    tapped, bare = factories.number(label="Tapped"), factories.number(label="Bare")
    off = factories.number(label="Off", stream=False)
    factories.stream(factories.leg(factories.call(number=tapped)))
    factories.leg(factories.call(number=bare))
    listed = ada.get(reverse("admin:calls_phonenumber_changelist"), {"streaming": "not"}).context["cl"]
    assert set(listed.queryset) == {bare, off}
    listed = ada.get(reverse("admin:calls_phonenumber_changelist"), {"streaming": "now"}).context["cl"]
    assert set(listed.queryset) == {tapped}


def test_asking_to_start_a_stream_starts_nothing(ada: Client, twilio_rest: Rest) -> None:
    leg = factories.leg()
    page = ada.get(reverse("admin:calls_call_do", args=[leg.call_id, "start-stream"]))
    assert b"until the call ends or the stream is stopped" in page.content
    assert twilio_rest.asked == []
    assert not Command.objects.exists()


def test_a_stream_is_started_with_name_track_and_parameters(ada: Client, twilio_rest: Rest) -> None:
    leg = factories.leg()
    twilio_rest.on("POST", f"/Calls/{leg.sid}/Streams.json", 201, stream_body(factories.sid("MZ"), leg.sid))
    fields = {"name": "second-look", "track": "inbound_track", "parameters": "reason=quality\nby=ada"}
    page = ada.post(reverse("admin:calls_call_do", args=[leg.call_id, "start-stream"]), fields, follow=True)
    assert b"The stream is starting" in page.content
    (asked,) = twilio_rest.posts()
    assert asked.form["Name"] == "second-look"
    assert asked.form["Track"] == "inbound_track"
    given = {asked.form[f"Parameter{n}.Name"]: asked.form[f"Parameter{n}.Value"] for n in (1, 2, 3)}
    assert given == {"call": str(leg.call_id), "reason": "quality", "by": "ada"}
    assert AuditEvent.objects.get().what == "admin.start-stream"


@pytest.mark.parametrize("wrong", ["no equals sign", "=value", "name=" + "v" * 500])
def test_wrong_parameters_are_told_before_anything_is_asked(
    ada: Client, twilio_rest: Rest, wrong: str
) -> None:
    leg = factories.leg()
    fields = {"name": "", "track": "both_tracks", "parameters": wrong}
    page = ada.post(reverse("admin:calls_call_do", args=[leg.call_id, "start-stream"]), fields)
    assert page.context["form"].errors["parameters"]
    assert twilio_rest.asked == []


def test_the_fifth_track_is_refused_in_words_before_twilio_is_asked(ada: Client, twilio_rest: Rest) -> None:
    leg = factories.leg()
    factories.stream(leg)
    factories.stream(leg)
    fields = {"name": "", "track": "inbound_track", "parameters": ""}
    page = ada.post(reverse("admin:calls_call_do", args=[leg.call_id, "start-stream"]), fields, follow=True)
    assert b"4 of 4 tracks" in page.content
    assert twilio_rest.asked == []


def test_twilios_refusal_is_told_in_words_with_its_code(ada: Client, twilio_rest: Rest) -> None:
    leg = factories.leg()
    twilio_rest.on("POST", f"/Calls/{leg.sid}/Streams.json", *error(401, 20003, "Authenticate"))
    fields = {"name": "", "track": "both_tracks", "parameters": ""}
    page = ada.post(reverse("admin:calls_call_do", args=[leg.call_id, "start-stream"]), fields, follow=True)
    assert b"20003" in page.content
    assert b"TWILIO_AUTH_TOKEN" in page.content


def test_a_stream_is_stopped_by_its_sid_after_a_question(ada: Client, twilio_rest: Rest) -> None:
    stream = factories.stream()
    path = f"/Calls/{stream.leg.sid}/Streams/{stream.sid}.json"
    twilio_rest.on("POST", path, 200, stream_body(stream.sid, stream.leg.sid, "stopped"))
    address = reverse("admin:streams_stream_do", args=[stream.pk, "stop-stream"])
    assert b"The call itself goes on" in ada.get(address).content
    assert twilio_rest.asked == []
    assert b"is stopping" in ada.post(address, follow=True).content
    assert [(asked.path, asked.form["Status"]) for asked in twilio_rest.posts()] == [(path, "stopped")]
    stream.leg.call.refresh_from_db()
    assert not stream.leg.call.tap_wanted


def test_several_streams_are_stopped_at_once_after_one_question(ada: Client, twilio_rest: Rest) -> None:
    streams = [factories.stream(), factories.stream()]
    for stream in streams:
        path = f"/Calls/{stream.leg.sid}/Streams/{stream.sid}.json"
        twilio_rest.on("POST", path, 200, stream_body(stream.sid, stream.leg.sid, "stopped"))
    chosen = {"action": "stop_selected", "_selected_action": [stream.pk for stream in streams]}
    address = reverse("admin:streams_stream_changelist")
    assert b"The calls themselves go on" in ada.post(address, chosen).content
    assert twilio_rest.asked == []
    ada.post(address, {**chosen, "confirmed": "yes"})
    assert len(twilio_rest.posts()) == 2
    assert AuditEvent.objects.filter(what="admin.stop-stream").count() == 2


def test_one_without_the_permission_may_not_start_a_stream(client: Client, twilio_rest: Rest) -> None:
    leg = factories.leg()
    onlooker = people.person("olga", staff=True)
    client.force_login(onlooker)
    answer = client.post(reverse("admin:calls_call_do", args=[leg.call_id, "start-stream"]), {})
    assert answer.status_code == 404  # she may not even see the call
    client.force_login(people.eve())
    assert client.get(reverse("admin:calls_call_changelist")).status_code == 302
    assert twilio_rest.asked == []


def test_an_ingest_address_is_issued_shown_and_revoked(ada: Client) -> None:
    number = factories.number()
    issue = reverse("admin:calls_phonenumber_do", args=[number.pk, "issue-ingest"])
    assert b"/media/k/" in ada.post(issue, follow=True).content
    key = IngestKey.objects.get()
    assert key.created_by is not None
    assert key.created_by.username == people.ADA
    revoke = reverse("admin:calls_phonenumber_do", args=[number.pk, "revoke-ingest"])
    page = ada.post(revoke, follow=True)
    assert b"1 ingest address revoked" in page.content
    assert key.key.encode() not in page.content


def test_mina_may_not_issue_ingest_addresses(client: Client) -> None:
    number = factories.number()
    client.force_login(people.mina())
    answer = client.post(reverse("admin:calls_phonenumber_do", args=[number.pk, "issue-ingest"]))
    assert answer.status_code == 403
    assert not IngestKey.objects.exists()


def test_a_callers_name_is_text_in_every_admin_page(ada: Client) -> None:
    call = factories.call(caller_name="<script>alert(1)</script>", caller="")
    factories.leg(call)
    for address in (
        reverse("admin:calls_call_changelist"),
        reverse("admin:calls_call_change", args=[call.pk]),
    ):
        page = ada.get(address).content
        assert b"<script>alert(1)" not in page
        assert b"&lt;script&gt;" in page
