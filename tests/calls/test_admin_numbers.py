"""Ada manages numbers in the admin: picked or typed, checked, fixed and tested, every refusal in words."""

import html
import re
from datetime import time

import pytest
from django.test import Client
from django.urls import reverse

from calls.models import AuditEvent, Hours, OpeningTime, PhoneNumber, Queue, Voice
from tests import factories, people
from tests.calls.numbers import E164, RIGHT, ROUTE, Twilio
from tests.calls.rest import Rest, error, page, rest

pytestmark = pytest.mark.django_db
ADD = reverse("admin:calls_phonenumber_add")
LIST = reverse("admin:calls_phonenumber_changelist")
PICK = reverse("admin:calls_phonenumber_pick")
IRELAND = {"ie1": {"tokens": ["irish"], "key": "", "secret": ""}}


@pytest.fixture
def ada(client: Client) -> Client:
    client.force_login(people.ada())
    return client


@pytest.fixture
def twilio_rest():
    with rest() as scripted:
        yield scripted


def fields(**changes: object) -> dict[str, object]:
    """A number that is fit to be saved, as the form posts it."""
    inline = "ingest_keys"
    return {
        "e164": E164,
        "label": "Support",
        "language": "en-GB",
        "region": "us1",
        "destination": "phone",
        "forward_to": "+31201234999",
        "closed": "end",
        "stream": "on",
        "transcribe": "on",
        f"{inline}-TOTAL_FORMS": 0,
        f"{inline}-INITIAL_FORMS": 0,
        **{name: value for name, value in changes.items() if value is not None},
    }


def errors(client: Client, **changes: object) -> dict[str, list[str]]:
    answer = client.post(ADD, fields(**changes))
    assert answer.status_code == 200, "it was saved"
    found: dict[str, list[str]] = answer.context["adminform"].form.errors
    return {name: list(words) for name, words in found.items()}


def do(client: Client, number: PhoneNumber, action: str) -> str:
    """Post the action's question; the page that follows, as text."""
    address = reverse("admin:calls_phonenumber_do", args=[number.pk, action])
    return text(client.post(address, follow=True).content)


def ask(client: Client, number: PhoneNumber, action: str) -> str:
    address = reverse("admin:calls_phonenumber_do", args=[number.pk, action])
    return text(client.get(address, follow=True).content)


def text(content: bytes) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", content.decode())).split())


# -- picked or typed ---------------------------------------------------------------------------------


def test_a_typed_number_is_saved_in_e164_and_nothing_is_asked_of_twilio(
    ada: Client, twilio_rest: Rest
) -> None:
    answer = ada.post(ADD, fields(e164=" +31 (0)20 123-4567 ", forward_to="0031 20 1234 999"), follow=True)
    number = PhoneNumber.objects.get()
    assert (number.e164, number.forward_to, number.webhook_state) == (E164, "+31201234999", "unknown")
    assert "Nothing at Twilio was changed" in text(answer.content)
    assert twilio_rest.asked == []


def test_a_number_is_picked_from_those_of_the_region_that_are_not_here(
    ada: Client, twilio_rest: Rest, settings
) -> None:
    settings.TWILIO_REGIONS = IRELAND
    factories.number(e164=E164)
    rows = [
        {"sid": "PN" + str(n) * 32, "phone_number": e164, "friendly_name": "Night & day", **RIGHT}
        for n, e164 in enumerate([E164, "+31207654321"])
    ]
    twilio_rest.on("GET", "/IncomingPhoneNumbers.json", 200, page("incoming_phone_numbers", rows))
    shown = ada.get(PICK, {"region": "ie1"})
    (address,) = re.findall(r'href="([^"]*[?]e164[^"]*)"', shown.content.decode())
    assert twilio_rest.asked[0].headers["Host"] == "api.dublin.ie1.twilio.com"
    form = ada.get(html.unescape(address)).context["adminform"].form
    assert (form["e164"].value(), form["label"].value(), form["region"].value()) == (
        "+31207654321",
        "Night & day",
        "ie1",
    )


def test_why_nothing_can_be_picked_is_told(ada: Client, twilio_rest: Rest) -> None:
    twilio_rest.on("GET", "/IncomingPhoneNumbers.json", *error(401, 20003))
    assert "TWILIO_AUTH_TOKEN" in text(ada.get(PICK).content)
    assert "no credentials for the region au1" in text(ada.get(PICK, {"region": "au1"}).content)
    twilio_rest.on("GET", "/IncomingPhoneNumbers.json", 200, page("incoming_phone_numbers", []))
    assert "is here already" in text(ada.get(PICK, {"region": "mars"}).content)


def test_mina_may_neither_pick_nor_fix(client: Client, twilio_rest: Rest) -> None:
    number = factories.number()
    client.force_login(people.mina())
    assert client.get(PICK).status_code == 403
    assert client.post(reverse("admin:calls_phonenumber_do", args=[number.pk, "fix"])).status_code == 403
    assert twilio_rest.asked == []


# -- what belongs together ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"e164": "020 123 4567"}, "e164", "country code"),
        ({"e164": "x" * 64_000}, "e164", "at most 40"),
        ({"e164": "+31\x0020"}, "e164", "Null characters"),
        ({"label": "\u202e\u2066"}, "label", "that people can read"),
        ({"forward_to": ""}, "forward_to", "telephone to dial"),
        ({"forward_to": "Jonas"}, "forward_to", "with digits"),
        ({"forward_to": E164}, "forward_to", "in a circle"),
        ({"destination": "queue"}, "queue", "Choose the queue"),
        ({"destination": "agent"}, "agent", "Choose the agent"),
        ({"destination": "tap", "stream": ""}, "stream", "lives by its stream"),
        ({"record": "on"}, "consent", "say so first"),
        ({"record": "on", "consent": "  \n"}, "consent", "say so first"),
        ({"record": "on", "consent": "We record.", "stream": ""}, "stream", "made of the stream"),
        ({"closed": "phone"}, "closed_to", "when it is closed"),
        ({"closed": "phone", "closed_to": E164}, "closed_to", "in a circle"),
        ({"language": "English"}, "language", "like en-GB"),
        ({"region": "au1"}, "region", "TWILIO_AUTH_TOKEN_AU1"),
        ({"region": "mars"}, "region", "not one of the available choices"),
    ],
)
def test_what_is_missing_is_asked_for_in_words(ada: Client, changes, field: str, words: str) -> None:
    found = errors(ada, **changes)
    assert words in found[field][0]
    assert not PhoneNumber.objects.exists()


def test_a_number_that_is_here_already_is_refused_by_its_name(ada: Client) -> None:
    factories.number(e164=E164, label="Front desk")
    assert errors(ada, e164="+31 20 123 45 67")["e164"] == [f"{E164} is here already: Front desk."]


def test_a_number_keeps_its_region_when_its_credentials_are_gone(ada: Client) -> None:
    number = factories.number(e164=E164, region="au1")
    address = reverse("admin:calls_phonenumber_change", args=[number.pk])
    ada.post(address, fields(region="au1", label="Sydney"))
    number.refresh_from_db()
    assert number.label == "Sydney"


def test_another_region_makes_what_was_seen_at_twilio_worthless(ada: Client, settings) -> None:
    settings.TWILIO_REGIONS = IRELAND
    number = factories.number(e164=E164, webhook_state="right")
    ada.post(reverse("admin:calls_phonenumber_change", args=[number.pk]), fields(region="ie1"))
    number.refresh_from_db()
    assert (number.region, number.webhook_state) == ("ie1", "unknown")


# -- at Twilio ---------------------------------------------------------------------------------------


def test_a_check_shows_the_difference_and_the_page_keeps_it(ada: Client, twilio_rest: Rest) -> None:
    Twilio(twilio_rest, voice_url="https://old.example.com/voice")
    number = factories.number(e164=E164)
    wanted = "voice address {}https://calls.example.com/twilio/voice/ {}https://old.example.com/voice"
    assert wanted.format("", "") in do(ada, number, "check")
    shown = text(ada.get(reverse("admin:calls_phonenumber_change", args=[number.pk])).content)
    assert "voice address: ours https://calls.example.com/twilio/voice/, Twilio's https://old" in shown
    assert twilio_rest.posts() == []


def test_a_fix_shows_what_it_would_set_sets_it_and_is_audited(
    ada: Client, twilio_rest: Rest, settings
) -> None:
    settings.TWILIO_REGIONS = IRELAND
    Twilio(twilio_rest, voice_url="")
    number = factories.number(e164=E164, region="ie1")
    assert "inbound region ie1 us1" in ask(ada, number, "fix")
    assert twilio_rest.posts() == []
    assert "Set at Twilio: voice address, inbound region. Twilio takes up to five" in do(ada, number, "fix")
    assert AuditEvent.objects.get().what == "admin.fix"
    assert "Right: its calls are processed in ie1" in do(ada, number, "check")
    assert "it is right at Twilio already" in do(ada, number, "fix")


@pytest.mark.parametrize("action", ["check", "fix"])
def test_what_twilio_refuses_ends_in_a_sentence(ada: Client, twilio_rest: Rest, action: str) -> None:
    number = factories.number(e164=E164)
    twilio_rest.on("GET", "/IncomingPhoneNumbers.json", 200, page("incoming_phone_numbers", []))
    assert "has no number" in do(ada, number, action)
    twilio_rest.on("GET", "/IncomingPhoneNumbers.json", *error(401, 20003))
    assert "(20003)" in ask(ada, number, "fix")
    assert "(20003)" in do(ada, number, action)
    shown = text(ada.get(reverse("admin:calls_phonenumber_change", args=[number.pk])).content)
    assert "the account has no such number in us1" in shown


@pytest.mark.parametrize("code", [21205, 21402, 21421, 21452, 21471, 20001, 20429, 20500, 29_999])
def test_each_refusal_of_an_update_is_told_with_its_code(ada: Client, twilio_rest: Rest, code: int) -> None:
    Twilio(twilio_rest, voice_url="")
    number = factories.number(e164=E164)
    status = {20429: 429, 20500: 500}.get(code, 400)
    sid = "PN" + "1" * 32
    twilio_rest.on("POST", f"/IncomingPhoneNumbers/{sid}.json", *error(status, code, "Something"))
    assert str(code) in do(ada, number, "fix")
    number.refresh_from_db()
    assert number.webhook_state == "differs"


def test_numbers_that_are_not_connected_are_found(ada: Client) -> None:
    right = factories.number(webhook_state="right")
    others = {factories.number(), factories.number(webhook_state="differs")}
    assert set(ada.get(LIST, {"connected": "no"}).context["cl"].queryset) == others
    assert set(ada.get(LIST, {"connected": "yes"}).context["cl"].queryset) == {right}


@pytest.mark.parametrize(
    ("destination", "shown"),
    [
        ("queue", "Queue: Bicycles"),
        ("phone", "Telephone: +31201234999"),
        ("agent", "Agent: Jonas"),
        ("voice", "Voice: <i>Vera"),
        ("tap", "Stream only"),
    ],
)
def test_the_list_tells_where_a_number_leads(ada: Client, destination: str, shown: str) -> None:
    factories.number(
        destination=destination,
        queue=Queue.objects.create(name="Bicycles"),
        forward_to="+31201234999",
        agent=people.agent_jonas(),
        voice=Voice.objects.create(name="<i>Vera"),
    )
    row = ada.get(LIST).content.decode()
    assert f'<td class="field-leads_to">{html.escape(shown)}</td>' in row
    assert "column-queue" not in row


def test_the_list_tells_the_region_beside_the_state(ada: Client) -> None:
    factories.number(region="ie1", webhook_state="differs")
    assert "Differs from Twilio, ie1" in text(ada.get(LIST).content)


def test_the_list_tells_of_a_destination_that_is_gone(ada: Client) -> None:
    factories.number(destination="queue", queue=None)
    assert "Queue: none" in text(ada.get(LIST).content)


# -- test this number --------------------------------------------------------------------------------


def test_a_test_of_the_number_tells_all_that_can_be_proved(ada: Client, twilio_rest: Rest, settings) -> None:
    Twilio(twilio_rest, voice_url="")
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    queue = Queue.objects.create(name="Help")
    hours = Hours.objects.create(name="Never")
    number = factories.number(e164=E164, destination="queue", queue=queue, hours=hours)
    told = do(ada, number, "test")
    assert "3 of 6 wrong" in told
    assert "Twilio, us1 differs in voice address" in told
    assert "public address 127.0.0.1:9 cannot be reached" in told
    assert "Never: has no opening times" in told
    assert "the queue Help has no agents" in told


def test_a_number_that_is_well_is_told_so_and_nobody_is_called(
    ada: Client, twilio_rest: Rest, settings, monkeypatch
) -> None:
    Twilio(twilio_rest)
    twilio_rest.on("GET", "/healthz", 200, "ok\n")
    twilio_rest.on("POST", "/twilio/call-status/", 204, "")
    monkeypatch.setattr("calls.services.numbers.expected", lambda: {"voice_url": RIGHT["voice_url"]})
    settings.PUBLIC_URL = twilio_rest.url
    queue = Queue.objects.create(name="Help")
    queue.agents.add(people.agent_jonas())
    hours = Hours.objects.create(name="Always")
    for day in range(7):
        OpeningTime.objects.create(hours=hours, weekday=day, opens=time(0), closes=time(0))
    number = factories.number(e164=E164, destination="queue", queue=queue, hours=hours)
    told = do(ada, number, "test")
    assert "All that can be proved without a call is right" in told
    assert "the queue Help, 1 agent" in told
    assert [asked.path for asked in twilio_rest.posts()] == ["/twilio/call-status/"]
    assert ROUTE in {asked.path for asked in twilio_rest.asked}


@pytest.mark.parametrize(("destination", "warned"), [("phone", True), ("voice", False)])
def test_a_voice_that_is_chosen_and_does_not_answer_is_pointed_out(ada, destination, warned):
    voice = Voice.objects.create(name="Self-service")
    page = ada.post(ADD, fields(voice=voice.pk, destination=destination), follow=True).content.decode()
    assert ("The voice Self-service does not answer: calls go to “Telephone number”" in page) is warned
    assert PhoneNumber.objects.get().voice == voice
