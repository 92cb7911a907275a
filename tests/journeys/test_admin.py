"""Ada starts and stops a stream on a live call from the admin, in Chromium."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.journeys import story
from tests.people import ADA, MINA
from tests.product import Site
from tests.wall import Wall

SignIn = Callable[[str, str], Page]


def test_a_stream_is_started_and_stopped_from_the_admin(site: Site, sign_in: SignIn) -> None:
    page = sign_in(site.url, ADA)
    with Wall(site.url, MINA) as wall:
        sid, call = story.ring(site, wall)
        page.goto(f"{site.url}/admin/calls/call/{call}/change/")
        page.get_by_role("link", name="Start stream").click()
        page.get_by_label("Name").fill("second-look")
        page.get_by_label("Track").select_option("inbound_track")
        page.get_by_label("Parameters").fill("reason=quality")
        page.get_by_role("button", name="Start stream").click()
        expect(page.get_by_text("The stream is starting")).to_be_visible()
        opened = wall.sees(
            lambda m: m["type"] == "stream" and m["name"] == "second-look" and m["state"] == "open",
            "the stream that was started",
        )
        assert opened["parameters"]["reason"] == "quality"
        wall.until(lambda m: story.loud(m, opened["stream"], "inbound"), "its meter")

        page.goto(f"{site.url}/admin/streams/stream/?q={opened['stream']}")
        page.get_by_role("link", name="second-look").first.click()
        page.get_by_role("link", name="Stop stream").click()
        page.get_by_role("button", name="Stop stream").click()
        wall.until(
            lambda m: m["type"] == "stream" and m["name"] == "second-look" and m["state"] == "closed",
            "its end",
        )
        audited = "sorted(AuditEvent.objects.values_list('what', flat=True))"
        assert site.ask(audited) == ["admin.start-stream", "admin.stop-stream"]
        story.end(site, wall, sid, call)


def test_the_fifth_track_is_refused_in_words(site: Site, sign_in: SignIn) -> None:
    page = sign_in(site.url, ADA)
    with Wall(site.url, MINA) as wall:
        sid, call = story.ring(site, wall)
        for name in ("second", "third"):
            page.goto(f"{site.url}/admin/calls/call/{call}/do/start-stream/")
            page.get_by_label("Name").fill(name)
            page.get_by_role("button", name="Start stream").click()
        expect(page.locator(".messagelist .error")).to_contain_text("4 of 4 tracks")
        story.end(site, wall, sid, call)
