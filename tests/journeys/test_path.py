"""The caller's path through real processes: a message after hours, a kept place, a code unheard."""

import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.processes import answers, until
from tests.product import Site
from tests.world import SUPPORT

CODE = "8005550123"  # as spoken in phone_number_theo.wav
SILENT = {0x7F, 0xFF}

QUEUE = f"""
from django.contrib.auth.hashers import make_password
from calls.models import *
queue, _ = Queue.objects.get_or_create(name="Support")
PhoneNumber.objects.filter(e164="{SUPPORT}").update(destination="queue", queue=queue, verify="", hours=None)
Contact.objects.update(code=make_password("{CODE}"))
"""
CLOSED = f"""
from calls.models import *
hours, _ = Hours.objects.get_or_create(name="Never", time_zone="Europe/Amsterdam")
number = PhoneNumber.objects.filter(e164="{SUPPORT}")
number.update(hours=hours, closed="voicemail", closed_text="We are closed.")
"""


@pytest.fixture(scope="module")
def queue_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A small site whose number leads to a queue."""
    one = Site(tmp_path_factory.mktemp("site"), settings={"TRANSCRIBER": "none"})
    try:
        one.prepare()
        one.run(QUEUE)
        told = ["--port", str(one.emulator_port), "--target", one.url, "--keep-audio"]
        one.start("emulator", ["-m", "emulator", *told], lambda: answers(f"{one.emulator_url}/emulator/log/"))
        one.serve()
        yield one
    finally:
        one.close()


def place(site: Site, *does: dict[str, Any]) -> str:
    """Carla calls and does these things, one after the other; her CallSid."""
    script = {"patience": 60, "caller": {"does": list(does)}}
    wanted = {"from": "+31612345678", "to": SUPPORT, "script": script}
    return str(site.emulator("/emulator/calls/", wanted)["call_sid"])


def ended(site: Site, sid: str) -> Any:
    """Wait for the end of the call; our row of it."""
    row = f"Leg.objects.get(sid='{sid}').call"
    until(lambda: site.ask(f"{row}.state") == "ended", "the call's end")
    return site.ask(f"Call.objects.filter(legs__sid='{sid}').values('verified', 'plan', 'outcome')[0]")


def truth(site: Site, sid: str) -> Any:
    return next(call for call in site.truth()["calls"] if call["call_sid"] == sid)


def errors(site: Site, sid: str) -> list[Any]:
    return list(truth(site, sid)["notifications"])


def sent(site: Site, stream: Any) -> bytes:
    """All that Twilio's side sent of the caller on a stream: no journal and no words can hold more."""
    url = f"{site.emulator_url}/emulator/streams/{stream['stream_sid']}/inbound.ulaw"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return bytes(answer.read())


def test_who_calls_after_hours_leaves_a_message(queue_site: Site) -> None:
    site = queue_site
    site.run(CLOSED)
    sid = place(
        site,
        {"wait": "record"},
        {"play": "phone_number_theo.wav", "after": 0.5},
        {"press": "#", "after": 0.5},
        {"hang_up": True, "after": 8},
    )
    ended(site, sid)
    its = f"Voicemail.objects.filter(call__legs__sid='{sid}')"
    message = f"list({its}.values('ready', 'queue__name', 'recording_sid'))"
    until(lambda: [one["ready"] for one in site.ask(message)] == [True], "the finished message")
    [kept] = site.ask(message)
    [told] = [one for one in site.truth()["recordings"] if one["call_sid"] == sid]
    assert (kept["recording_sid"], kept["queue__name"]) == (told["recording_sid"], "Support")
    assert errors(site, sid) == []
    site.run(QUEUE)


def test_who_waits_and_presses_two_keeps_the_place(queue_site: Site) -> None:
    site = queue_site
    sid = place(site, {"wait": "queued"}, {"press": "2", "after": 6}, {"after": 30})
    row = ended(site, sid)
    assert row["plan"]["step"] == "end"
    kept = site.ask(
        f"Callback.objects.filter(call__legs__sid='{sid}').values_list('e164', 'place_at', 'queue__name')[0]"
    )
    wait = site.ask(f"Waiting.objects.filter(call__legs__sid='{sid}').values_list('result', 'entered_at')[0]")
    assert kept == ["+31612345678", wait[1], "Support"]
    assert wait[0] == "callback"
    assert errors(site, sid) == []
    assert site.truth()["queues"][0]["members"] == []


@pytest.mark.parametrize(
    "give",
    [{"press": f"{CODE}#", "after": 1}, {"play": "phone_number_theo.wav", "after": 1}],
    ids=["keys", "speech"],
)
def test_a_code_is_heard_by_nobody(queue_site: Site, give: dict[str, Any]) -> None:
    """The caller says nothing but the code: whatever was streamed, kept or written of them is silence."""
    site = queue_site
    site.run(
        f"from calls.models import *; PhoneNumber.objects.filter(e164='{SUPPORT}').update(verify='code')"
    )
    sid = place(site, {"wait": "gather"}, give, {"wait": "queued"}, {"hang_up": True, "after": 60})
    until(lambda: len(truth(site, sid)["streams"]) == 2, "the stream is back")
    first, second = truth(site, sid)["streams"]
    until(lambda: len(sent(site, second)) > 8000, "a second of the second stream")
    assert [first["name"], second["name"]] == ["tap", "tap-2"]
    assert set(sent(site, first)) | set(sent(site, second)) <= SILENT
    site.emulator(f"/emulator/calls/{sid}/hangup/", {})
    assert ended(site, sid)["verified"] == "yes"
    for stream in truth(site, sid)["streams"]:
        assert stream["frames_sent"]["inbound"] > 0, "the streams ran before and after"
        assert [piece for piece in stream["played"] if piece["track"] == "inbound"] == []
    assert errors(site, sid) == []
    told = site.processes["serve"].output()
    assert CODE not in told
    site.run(QUEUE)
