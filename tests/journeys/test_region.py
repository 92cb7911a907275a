"""A number moved to Ireland: Ada changes it in the admin, and from then on its calls live there alone."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.people import ADA
from tests.processes import AUTH_TOKEN, Refused, until
from tests.product import Site
from tests.world import SALES, SUPPORT

SignIn = Callable[[str, str], Page]
GONE = "a token that Twilio knows no more"


@pytest.fixture
def two_regions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A small site with credentials of us1 and of ie1, and Twilio's side with the same."""
    settings = {"TRANSCRIBER": "none", "TWILIO_AUTH_TOKEN_IE1": "token of Ireland"}
    one = Site(tmp_path_factory.mktemp("site"), settings=settings)
    try:
        one.prepare()
        one.emulate()
        one.settings["TWILIO_AUTH_TOKEN"] = f"{GONE},{AUTH_TOKEN}"  # late in a rotation: the next one counts
        one.serve()
        yield one
    finally:
        one.close()


def legs(site: Site, sid: str) -> list[dict[str, Any]]:
    """The call's legs as Twilio's side knows them."""
    return [leg for leg in site.truth()["calls"] if sid in (leg["call_sid"], leg.get("parent_call_sid"))]


def frames(site: Site, sid: str) -> dict[str, int]:
    """How many frames each stream of the call has sent, by its name."""
    found = [stream for leg in legs(site, sid) for stream in leg["streams"] if stream["ended"] is None]
    return {stream["name"]: sum(stream["frames_sent"].values()) for stream in found}


def move_to_ireland(page: Page, site: Site, number: str) -> None:
    """Ada sets the region, looks at what Fix would do, and fixes it."""
    key = site.ask(f"PhoneNumber.objects.get(e164='{number}').pk")
    page.goto(f"{site.url}/admin/calls/phonenumber/{key}/change/")
    page.get_by_label("Region").select_option("ie1")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_text("Nothing at Twilio was changed")).to_be_visible()
    page.get_by_role("link", name="Fix").click()
    expect(page.get_by_role("row").filter(has_text="inbound region")).to_contain_text("ie1")
    page.get_by_role("button", name="Fix").click()
    expect(page.get_by_text("Set at Twilio:")).to_contain_text("inbound region")
    page.get_by_role("link", name="Test this number").click()
    page.get_by_role("button", name="Test this number").click()
    expect(page.get_by_text("All that can be proved without a call is right")).to_be_visible()


def test_a_number_moved_to_ireland(two_regions: Site, sign_in: SignIn) -> None:
    site = two_regions
    home = site.call(to=SUPPORT, script="conversation")  # goes on while the number moves
    site.emulator(f"/emulator/calls/{site.call(to=SALES)}/hangup/", {})  # so that it exists at Twilio
    until(lambda: list(frames(site, home).values()) > [50], "the call in us1 streams")
    page = sign_in(site.url, ADA)
    move_to_ireland(page, site, SUPPORT)

    sid = site.call(to=SUPPORT, script="conversation")
    until(lambda: list(frames(site, sid).values()) > [50], "the call in ie1 streams")
    regions = f"[Call.objects.get(legs__sid=sid).region for sid in ('{home}', '{sid}')]"
    assert site.ask(regions) == ["us1", "ie1"]

    call = site.ask(f"Call.objects.get(legs__sid='{sid}').pk")
    page.goto(f"{site.url}/admin/calls/call/{call}/do/start-stream/")
    page.get_by_label("Name").fill("second-look")
    page.get_by_label("Track").select_option("inbound_track")
    page.get_by_role("button", name="Start stream").click()
    until(lambda: frames(site, sid).get("second-look", 0) > 50, "a stream that was started there")
    page.goto(f"{site.url}/admin/streams/stream/?q=second-look")
    page.get_by_role("link", name="second-look").first.click()
    page.get_by_role("link", name="Stop stream").click()
    page.get_by_role("button", name="Stop stream").click()
    until(lambda: "second-look" not in frames(site, sid), "and stopped there")

    for one in (home, sid):
        site.emulator(f"/emulator/calls/{one}/hangup/", {})
    until(lambda: site.ask("Call.objects.live().count()") == 0, "both calls end by their own webhooks")
    asked = {
        (request["region"], request["status"])
        for request in site.truth()["rest"]
        if sid in request["path"] and request["method"] == "POST"
    }
    assert asked == {("ie1", 201), ("ie1", 200)}
    answered = {hook["status"] for leg in (*legs(site, sid), *legs(site, home)) for hook in leg["webhooks"]}
    assert answered <= {200, 204}

    site.manage("connect", SALES)
    with pytest.raises(Refused, match="token 1 of TWILIO_AUTH_TOKEN is not of account"):
        site.manage("doctor")
    site.settings["TWILIO_AUTH_TOKEN"] = AUTH_TOKEN
    assert "2 send their calls here (ie1, us1)" in site.manage("doctor")
