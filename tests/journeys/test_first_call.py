"""From a number that asks elsewhere to a first call: doctor, connect, doctor, and the way back."""

import base64
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.processes import ACCOUNT_SID, AUTH_TOKEN, Refused, until
from tests.product import Site
from tests.world import SALES, SUPPORT

ELSEWHERE = "https://old.example.com/voice"


@pytest.fixture(scope="module")
def twilio_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A small site; both its numbers exist at Twilio's side. Told in order: the last test stops it."""
    one = Site(tmp_path_factory.mktemp("site"), settings={"TRANSCRIBER": "none"})
    try:
        one.prepare()
        one.emulate()
        one.serve()
        for number in (SUPPORT, SALES):
            one.emulator(f"/emulator/calls/{one.call(to=number)}/hangup/", {})
        until(lambda: '"worker": "ok"' in readyz(one), "the worker runs")
        yield one
    finally:
        one.close()


def readyz(site: Site) -> str:
    try:
        with urllib.request.urlopen(f"{site.url}/readyz", timeout=5) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as refusal:
        return refusal.read().decode()


def rest(site: Site, path: str, **fields: str) -> Any:
    """One request to Twilio's REST API, as the account."""
    proof = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
    data = urllib.parse.urlencode(fields).encode() if fields else None
    url = f"{site.emulator_url}/2010-04-01/Accounts/{ACCOUNT_SID}/{path}"
    request = urllib.request.Request(url, data=data, headers={"Authorization": f"Basic {proof}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def at_twilio(site: Site, e164: str) -> dict[str, Any]:
    numbers = rest(site, "IncomingPhoneNumbers.json")["incoming_phone_numbers"]
    found: dict[str, Any] = next(number for number in numbers if number["phone_number"] == e164)
    return found


def wrong_lines(site: Site, **settings: str) -> list[str]:
    """What the doctor finds wrong; it must end with exit code 1 exactly when there is something."""
    before = dict(site.settings)
    site.settings.update(settings)
    try:
        told = site.manage("doctor")
    except Refused as refusal:
        told = str(refusal)
        assert "WRONG" in told
    finally:
        site.settings = before
    return [line.strip() for line in told.splitlines() if "WRONG" in line or line.startswith("  --")]


def test_the_doctor_connect_and_the_way_back(twilio_site: Site) -> None:
    site = twilio_site
    assert wrong_lines(site) == []
    sid = at_twilio(site, SUPPORT)["sid"]
    rest(site, f"IncomingPhoneNumbers/{sid}.json", VoiceUrl=ELSEWHERE)
    assert wrong_lines(site) == [
        f"WRONG  numbers: {SUPPORT} differs in voice_url. Run: manage.py connect {SUPPORT}"
    ]

    shown = site.manage("connect", SUPPORT, "--dry-run")
    assert f"voice_url: {ELSEWHERE} → {site.url}/twilio/voice/" in shown
    assert at_twilio(site, SUPPORT)["voice_url"] == ELSEWHERE

    told = site.manage("connect", SUPPORT)
    assert at_twilio(site, SUPPORT)["voice_url"] == f"{site.url}/twilio/voice/"
    assert wrong_lines(site) == []
    assert "already sends its calls here" in site.manage("connect", SUPPORT)

    back = next(line.split() for line in told.splitlines() if "--set" in line)
    site.manage(*back[1:])
    assert at_twilio(site, SUPPORT)["voice_url"] == ELSEWHERE


def test_a_number_that_is_new_here_gets_its_row(twilio_site: Site) -> None:
    site, new = twilio_site, "+31201234569"
    site.emulator(f"/emulator/calls/{site.call(to=new)}/hangup/", {})
    rest(site, f"IncomingPhoneNumbers/{at_twilio(site, new)['sid']}.json", FriendlyName="Night desk")
    site.manage("connect", new, "--dry-run")
    assert site.ask(f"PhoneNumber.objects.filter(e164='{new}').exists()") is False
    site.manage("connect", new)
    row = f"PhoneNumber.objects.values_list('label', 'destination', 'webhook_state').get(e164='{new}')"
    assert site.ask(row) == ["Night desk", "tap", "right"]


def test_a_number_of_another_account_is_told(twilio_site: Site) -> None:
    with pytest.raises(Refused, match="has no number"):
        twilio_site.manage("connect", "+31209999999")
    with pytest.raises(Refused, match=r"E\.164"):
        twilio_site.manage("connect", "020 1234567")


def test_the_doctor_tells_a_token_of_another_account(twilio_site: Site) -> None:
    found = wrong_lines(twilio_site, TWILIO_AUTH_TOKEN="wrong")
    assert found[0].startswith("WRONG  tokens: token 1 of TWILIO_AUTH_TOKEN")
    assert any(line.startswith("WRONG  webhook: a rightly signed request is refused") for line in found)
    assert any(line.startswith("WRONG  media socket: the signature arrives") for line in found)


def test_the_doctor_tells_a_public_address_where_nobody_answers(twilio_site: Site) -> None:
    found = wrong_lines(twilio_site, PUBLIC_URL="https://127.0.0.1:9")
    assert found[0].startswith("WRONG  public address: 127.0.0.1:9 cannot be reached")
    assert "Open port 443 to every address" in found[0]
    assert any(line.startswith("--     media socket: needs public address first") for line in found)


def test_reconcile_tells_and_then_mends_what_a_lost_callback_left(twilio_site: Site) -> None:
    site = twilio_site
    until(lambda: site.ask("Call.objects.live().count()") == 0, "both calls ended")
    assert "Calls are as Twilio says" in site.manage("reconcile", "--check")
    site.processes["serve"].stop()
    site.run(FORGET)
    with pytest.raises(Refused, match="Twilio no-answer; differs"):
        site.manage("reconcile", "--check")
    assert "set right" in site.manage("reconcile")
    assert "Calls are as Twilio says" in site.manage("reconcile", "--check")


FORGET = """
from calls.models import Call, Leg
call = Call.objects.first()
leg = call.legs.order_by("id").first()
Leg.objects.filter(pk=leg.pk).update(status="in-progress", ended_at=None, checked_at=None)
Call.objects.filter(pk=call.pk).update(state="live", ended_at=None)
"""
