"""A stream that others open, as in Twilio's Flask tutorial: a TwiML Bin and a fixed address."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.journeys.test_first_call import at_twilio, rest
from tests.processes import until
from tests.product import Site
from tests.world import SUPPORT

# The tutorial's document, with this site's ingest address for the tunnel's (ws, for a loopback host).
BIN = """<?xml version="1.0" encoding="UTF-8"?>
<Response>
    <Start>
        <Stream url="{address}" />
    </Start>
    <Dial>+15550123456</Dial>
</Response>
"""


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A small site whose number asks a TwiML Bin, not us."""
    one = Site(tmp_path_factory.mktemp("site"), settings={"TRANSCRIBER": "none"})
    try:
        one.prepare()
        one.emulate()
        one.serve()
        yield one
    finally:
        one.close()


def issue(site: Site) -> str:
    """An admin issues an ingest address for the number; its key."""
    made = (
        "from django.utils import timezone; from calls.services import tickets; from calls.models import *; "
        f"number = PhoneNumber.objects.get(e164='{SUPPORT}'); "
        "print(tickets.issue_key(number=number, by=None, now=timezone.now()).key)"
    )
    return site.run(made).split()[-1]


REVOKE = """
from django.utils import timezone
from calls.models import IngestKey
from calls.services import tickets
tickets.revoke_key(key=IngestKey.objects.get(key="{key}"), now=timezone.now())
"""


def serve_bin(document: str) -> HTTPServer:
    """A TwiML Bin: answers every request with one document."""

    class Bin(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Type", "text/xml")
            self.end_headers()
            self.wfile.write(document.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Bin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def frames(site: Site, sid: str) -> list[int]:
    found = [call for call in site.truth()["calls"] if call["call_sid"] == sid]
    return [sum(one["frames_sent"].values()) for call in found for one in call["streams"]]


def test_the_tutorials_document_streams_to_an_ingest_address_until_it_is_revoked(site: Site) -> None:
    key = issue(site)
    server = serve_bin(BIN.format(address=f"{site.url.replace('http', 'ws', 1)}/media/k/{key}/"))
    try:
        site.emulator(f"/emulator/calls/{site.call(to=SUPPORT)}/hangup/", {})  # so that the number exists
        twilio = at_twilio(site, SUPPORT)["sid"]
        url = f"http://127.0.0.1:{server.server_port}/"
        rest(site, f"IncomingPhoneNumbers/{twilio}.json", VoiceUrl=url, StatusCallback="")

        sid = site.call(to=SUPPORT, script="conversation")
        until(lambda: frames(site, sid)[-1:] > [100], "sound flows")
        call = f"Call.objects.get(legs__sid='{sid}')"
        until(lambda: site.ask(f"{call}.caller") == "+31612345678", "the caller, by one REST fetch")
        assert site.ask(f"[{call}.state, {call}.contact.name, {call}.direction]") == [
            "live",
            "Carla Visser",
            "inbound",
        ]
        stream = f"Stream.objects.get(leg__sid='{sid}')"
        assert site.ask(f"[{stream}.tracks, {stream}.ticket.origin]") == [["inbound"], "ingest"]

        site.emulator(f"/emulator/calls/{sid}/hangup/", {})
        until(lambda: site.ask(f"{call}.state") == "ended", "the call ends here too", seconds=60)
        assert site.ask(f"{stream}.frames") == sum(frames(site, sid))

        site.run(REVOKE.format(key=key))
        later = site.call(to=SUPPORT, script="conversation")
        until(lambda: "media.key.unknown" in site.processes["serve"].output(), "the refusal")
        assert frames(site, later) in ([], [0])
        assert key not in site.processes["serve"].output()
    finally:
        server.shutdown()
        server.server_close()
