"""Odd callers and odd streams on PostgreSQL and Redis, which refuse what SQLite would keep."""

import re
import secrets
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tests import twilio
from tests.processes import ACCOUNT_SID, AUTH_TOKEN, until
from tests.product import Site
from tests.twilio import TwilioSocket
from tests.world import SUPPORT

ODD = [
    "anonymous",
    "sip:carla@example.com;user=phone",
    "client:agent_7",
    "nul\x00byte",
    "\u202e+31612345678\u2066",
    "line\r\nbreak \x1b[31m",
    "\U0001f600" * 300,
    "<script>alert(1)</script>",
    "9" * 50_000,
]


def post(site: Site, path: str, fields: dict[str, str]) -> tuple[int, str]:
    url = f"{site.url}{path}"
    headers = {"X-Twilio-Signature": twilio.signature(url, fields, token=AUTH_TOKEN)}
    with urlopen(Request(url, urlencode(fields).encode(), headers), timeout=10) as answer:
        return answer.status, answer.read().decode()


def test_whatever_a_caller_is_called_there_is_a_clean_record(cluster_site: Site) -> None:
    site = cluster_site
    for number, odd in enumerate(ODD):
        call, stream = f"CA{secrets.token_hex(16)}", f"MZ{secrets.token_hex(16)}"
        common = {"AccountSid": ACCOUNT_SID, "CallSid": call}
        name = odd[:20_000]  # a body has 64 KiB
        fields = twilio.voice_fields(
            **{**common, "To": SUPPORT, "From": odd[:10_000], "CallerName": name, "Caller": ""}
        )
        status, body = post(site, "/twilio/voice/", fields)
        assert status == 200
        found = re.search(r'"(ws://[^"]+/media/[0-9a-f]{32}/)"', body)
        assert found, body
        tracks = ("inbound", "outbound", odd) if number % 2 else ("inbound",)
        with TwilioSocket(found[1], token=AUTH_TOKEN) as socket:
            parameters = {"who": odd, odd[:300]: "x"}
            socket.send(
                twilio.connected(),
                twilio.start(
                    stream=stream, call=call, account=ACCOUNT_SID, tracks=tracks, parameters=parameters
                ),
                twilio.media(2, 1, 0, stream=stream),
                twilio.media(3, 2, 500, stream=stream),
                twilio.stop(4, stream=stream, call=call, account=ACCOUNT_SID),
            )
            assert socket.closed_with() == 1000
        post(
            site,
            "/twilio/stream-status/",
            {
                **common,
                "StreamSid": stream,
                "StreamEvent": "stream-error",
                "StreamError": "Stream - Connection - Broken Pipe",
                "StreamName": name,
            },
        )
        post(
            site,
            "/twilio/call-status/",
            {**common, "CallStatus": "completed", "SequenceNumber": "3", "Timestamp": name},
        )
    n = len(ODD)
    until(
        lambda: site.ask("Stream.objects.filter(close_reason='stop', frames=2).count()") == n,
        "every row is whole",
    )
    assert site.ask("Call.objects.filter(state='ended').count()") == n
    output = "".join(one.output() for one in site.processes.values())
    assert "Traceback" not in output
    assert "\x1b" not in output
    assert not [one for one in ODD[3:] if one in output]
