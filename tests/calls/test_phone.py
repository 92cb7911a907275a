"""The phone in the browser: its tokens, its page's policy, its SDK and its sounds."""

import hashlib
import json
import re
from typing import Any

import jwt
import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from calls.checks import softphone
from calls.models import Agent, PhoneNumber
from tests import people
from tools.house import ROOT
from tools.phone_sounds import SOUNDS, path, sound

pytestmark = pytest.mark.django_db
KEY, SECRET = "SK" + "e" * 32, "a secret of the key that is long enough for HS256"
VENDOR = ROOT / "static" / "vendor"


@pytest.fixture
def keyed(settings: Any) -> Any:
    """A site with an API key."""
    settings.TWILIO_API_KEY, settings.TWILIO_API_SECRET = KEY, SECRET
    return settings


@pytest.fixture
def jonas(client: Client) -> Client:
    """Jonas' browser; he is an agent."""
    people.agent_jonas()
    client.force_login(people.jonas())
    return client


def directive(answer: Any, name: str) -> list[str]:
    """The sources of one directive of the answer's policy."""
    found = re.search(rf"{name} ([^;]*)", answer["Content-Security-Policy"])
    assert found
    return found[1].split()


def test_an_agent_gets_a_token_that_lets_them_be_called_for_an_hour_and_no_more(
    keyed: Any, jonas: Client
) -> None:
    answer = jonas.post("/desk/token/")
    told = answer.json()
    assert answer.status_code == 200
    assert (told["identity"], told["region"], told["edge"]) == ("agent_jonas", "us1", "roaming")
    claims = jwt.decode(told["token"], SECRET, algorithms=["HS256"])
    assert claims["grants"] == {"identity": "agent_jonas", "voice": {"incoming": {"allow": True}}}
    assert (claims["iss"], claims["sub"]) == (KEY, "AC" + "a" * 32)
    assert claims["exp"] - claims["nbf"] == 3600
    assert "no-store" in answer["Cache-Control"]


def test_an_agent_with_the_identity_of_a_supervisor_gets_no_phone(keyed: Any, jonas: Client) -> None:
    Agent.objects.update(identity=f"supervisor_{people.mina().pk}")
    answer = jonas.post("/desk/token/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "identity")


def test_a_site_whose_numbers_are_in_ireland_registers_its_phones_there(keyed: Any, jonas: Client) -> None:
    PhoneNumber.objects.create(e164="+35315550000", label="Dublin", inbound_region="ie1")
    assert jonas.post("/desk/token/").json()["region"] == "us1"  # no key of that region yet
    keyed.TWILIO_REGIONS = {"ie1": {"tokens": [], "key": KEY, "secret": SECRET}}
    told = jonas.post("/desk/token/").json()
    assert (told["region"], told["edge"]) == ("ie1", "dublin")
    assert jwt.get_unverified_header(told["token"])["twr"] == "ie1"
    hosts = directive(jonas.get("/desk/"), "connect-src")
    assert {"https://eventgw.ie1.twilio.com", "wss://voice-js.dublin.twilio.com"} <= set(hosts)
    PhoneNumber.objects.create(e164="+15005550006", label="Boston", inbound_region="us1")
    assert jonas.post("/desk/token/").json()["region"] == "us1"  # in two regions: the home of most


def test_without_an_api_key_a_sentence_says_what_to_do(jonas: Client) -> None:
    answer = jonas.post("/desk/token/")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "no_key"
    assert "TWILIO_API_KEY" in answer.json()["error"]["text"]


def test_who_has_no_desk_gets_no_token(keyed: Any, client: Client) -> None:
    assert client.post("/desk/token/").status_code == 401
    client.force_login(people.eve())
    assert client.post("/desk/token/").status_code == 403
    client.force_login(people.jonas())
    assert client.post("/desk/token/").json()["error"]["code"] == "no_agent"
    assert client.get("/desk/token/").status_code == 405


def test_a_token_needs_the_pages_own_secret(keyed: Any) -> None:
    people.agent_jonas()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(people.jonas())
    assert strict.post("/desk/token/").status_code == 403


def test_the_desk_is_for_agents(client: Client) -> None:
    assert client.get("/desk/")["Location"] == "/accounts/login/?next=/desk/"
    client.force_login(people.eve())
    assert client.get("/desk/").status_code == 403
    client.force_login(people.jonas())
    answer = client.get("/desk/")
    assert answer.status_code == 409
    assert "not an agent yet" in answer.content.decode()


def test_only_the_desk_may_use_a_microphone_and_speak_to_twilio(jonas: Client) -> None:
    answer = jonas.get("/desk/")
    assert answer["Permissions-Policy"] == "microphone=(self)"
    assert directive(answer, "script-src") == ["'self'"]
    assert directive(answer, "connect-src") == [
        "'self'",
        "https://eventgw.twilio.com",
        "wss://voice-js.roaming.twilio.com",
    ]
    assert directive(answer, "media-src") == ["'self'", "mediastream:", "blob:"]
    other = jonas.get("/")
    assert directive(other, "connect-src") == ["'self'"]
    assert "Permissions-Policy" not in other


def test_a_stand_in_for_the_sdk_opens_its_own_origin_and_not_twilios(settings: Any, jonas: Client) -> None:
    settings.SOFTPHONE_URL = "http://127.0.0.1:9010/emulator/softphone.js"
    answer = jonas.get("/desk/")
    assert directive(answer, "script-src") == ["'self'", "http://127.0.0.1:9010"]
    assert directive(answer, "connect-src") == ["'self'", "http://127.0.0.1:9010", "ws://127.0.0.1:9010"]
    page = answer.content.decode()
    assert 'src="http://127.0.0.1:9010/emulator/softphone.js"' in page
    assert "vendor/" not in page


def test_the_desk_carries_the_state_of_this_moment_as_data(jonas: Client) -> None:
    page = jonas.get("/desk/").content.decode()
    found = re.search(r'<script id="desk-state" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    state = json.loads(found[1])
    assert state["me"]["identity"] == "agent_jonas"
    assert state["at"].endswith("Z")


def test_an_address_that_is_no_script_is_a_fault(settings: Any) -> None:
    for good in ("", "http://127.0.0.1:9010/emulator/softphone.js", "https://[::1]:1/x.js"):
        settings.SOFTPHONE_URL = good
        assert softphone() == []
    for bad in ("softphone.js", "https://example.com", "javascript:alert(1)", "https://a;b/x.js"):
        settings.SOFTPHONE_URL = bad
        assert [fault.id for fault in softphone()] == ["cc.E024"]


def test_the_sdk_is_the_one_that_was_published() -> None:
    wanted, name = (VENDOR / "twilio-voice-sdk-2.18.5.min.js.sha256").read_text().split()
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == wanted
    assert wanted == "35d3cb1b22e309f9884724a89250aecd2de4f1556ad7b67a7bc5e06c73dcb74a"
    assert "Apache License" in (VENDOR / "twilio-voice-sdk-LICENSE.md").read_text()


def test_every_sound_of_the_sdk_is_our_own() -> None:
    code = (VENDOR / "twilio-voice-sdk-2.18.5.min.js").read_text()
    names = set(re.findall(r'SoundName\["\w+"\]="(\w+)"', code))
    assert names == set(SOUNDS)
    for name in names:
        assert finders.find(f"sounds/phone-{name}.wav")
        assert path(name).read_bytes() == sound(name)
