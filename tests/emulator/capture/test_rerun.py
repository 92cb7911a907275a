"""A replay takes the part of everybody: callers, called people, the application on sockets and by REST."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from emulator.capture.reel import read
from tests.emulator.capture.conftest import COLLEAGUE, Stage, compare, message, sentences, shelved
from tests.emulator.conftest import ALICE, OFFICE
from tests.emulator.product import Product


async def agrees(stage: Stage, tmp_path: Path, capsys) -> str:
    """The emulator does again what it did; what `compare` said about it."""
    code = await compare(shelved(tmp_path / "call.jsonl", await stage.film()))
    told = str(capsys.readouterr().out)
    assert (sentences(told), code) == ([], 0)
    return told


def calling(stage: Stage, *events: str) -> Callable[[Client], Any]:
    """Alice is called by the library; these events are told."""
    return lambda client: client.calls.create(
        to=ALICE,
        from_=OFFICE,
        url=stage.public + "/voice/",
        status_callback=stage.public + "/status/",
        status_callback_event=list(events),
    )


async def test_a_call_that_the_application_makes(
    stage: Stage, product: Product, tmp_path: Path, capsys
) -> None:
    product.answers["/voice/"] = "<Response><Say>Good morning</Say><Pause length='2'/></Response>"
    await stage.by_rest(calling(stage, "initiated", "ringing", "answered", "completed"))
    await stage.advance(6)
    assert [form["CallStatus"] for form in product.forms("/status/")] == [
        "initiated",
        "ringing",
        "in-progress",
        "completed",
    ]
    await agrees(stage, tmp_path, capsys)


async def test_a_call_that_was_made_past_the_recorder(
    stage: Stage, product: Product, tmp_path: Path, capsys
) -> None:
    product.answers["/voice/"] = "<Response><Pause length='1'/></Response>"
    await stage.twilio(calling(stage, "ringing", "completed"))
    await stage.advance(5)
    assert len(product.asked("/status/")) == 2
    await agrees(stage, tmp_path, capsys)


@pytest.mark.parametrize("script", ["busy", "no_answer", "failed"])
async def test_a_colleague_who_does_not_take_the_call(
    stage: Stage, product: Product, tmp_path: Path, capsys, script: str
) -> None:
    product.answers["/twilio/voice/"] = (
        f"<Response><Dial timeout='3' action='/done/'><Number statusCallback='{stage.public}/legs/' "
        f"statusCallbackEvent='ringing completed'>{COLLEAGUE}</Number></Dial></Response>"
    )
    product.answers["/done/"] = "<Response><Say>Sorry</Say></Response>"
    await stage.place(script)
    await stage.advance(9)
    assert product.forms("/done/")[0]["DialCallStatus"] == script.replace("_", "-")
    await agrees(stage, tmp_path, capsys)


async def test_a_colleague_who_hangs_up_first(stage: Stage, product: Product, tmp_path: Path, capsys) -> None:
    product.answers["/twilio/voice/"] = f"<Response><Dial action='/done/'>{COLLEAGUE}</Dial></Response>"
    product.answers["/done/"] = "<Response><Pause length='2'/></Response>"
    sid = await stage.place()
    await stage.advance(4)
    child = (await stage.children(sid))[0]["call_sid"]
    await stage.post(f"/emulator/calls/{child}/hangup/", {})
    await stage.advance(4)
    assert product.forms("/done/", CallStatus="in-progress", DialCallStatus="completed")
    await agrees(stage, tmp_path, capsys)


async def test_a_call_that_is_rejected_settles_with_which_status(
    stage: Stage, product: Product, tmp_path: Path, capsys
) -> None:
    product.answers["/twilio/voice/"] = "<Response><Reject/></Response>"
    await stage.place()
    await stage.advance(1)
    assert "- reject-status: failed" in await agrees(stage, tmp_path, capsys)


async def test_a_failing_application_and_its_fallback(
    stage: Stage, product: Product, tmp_path: Path, capsys
) -> None:
    product.answers["/twilio/voice/"] = web.Response(status=500)
    product.answers["/twilio/fallback/"] = "<Response><Pause length='1'/></Response>"
    await stage.place(caller_name="Alice Jansen")
    await stage.advance(3)
    assert product.forms("/twilio/fallback/", ErrorCode="11200")
    await agrees(stage, tmp_path, capsys)


async def test_an_application_that_is_down(stage: Stage, product: Product, tmp_path: Path, capsys) -> None:
    await product.server.close()
    await stage.place()
    await stage.advance(1)
    told = await agrees(stage, tmp_path, capsys)
    assert "the application cannot be reached" in told


class Broken(web.Response):
    """An answer that never comes: the connection breaks instead."""

    async def prepare(self, request: web.BaseRequest) -> Any:
        assert request.transport is not None
        request.transport.abort()
        return await super().prepare(request)


async def test_an_application_that_breaks_off_without_an_answer(
    stage: Stage, product: Product, tmp_path: Path, capsys
) -> None:
    product.answers["/twilio/voice/"] = Broken()
    await stage.place()
    await stage.advance(1)
    assert (await stage.get("/emulator/log/"))["calls"][0]["status"] not in {"ringing", "in-progress"}
    told = await agrees(stage, tmp_path, capsys)
    assert "the application ended a connection without an answer" in told


async def test_twiml_that_is_none(stage: Stage, product: Product, tmp_path: Path, capsys) -> None:
    product.answers["/twilio/voice/"] = "<Response><Say>Alice</Response>"
    await stage.place()
    await stage.advance(1)
    await agrees(stage, tmp_path, capsys)


async def test_a_withheld_number_and_requests_by_get(
    stage: Stage, product: Product, tmp_path: Path, capsys
) -> None:
    product.answers["/twilio/voice/"] = "<Response><Redirect method='GET'>/next/?step=2</Redirect></Response>"
    product.answers["/next/"] = "<Response><Pause length='1'/></Response>"
    body = {"from": "anonymous", "to": OFFICE, "script": "conversation"}
    await stage.post("/emulator/calls/", body)
    await stage.advance(3)
    assert product.asked("/next/")[0].method == "GET"
    assert "- withheld-number: anonymous" in await agrees(stage, tmp_path, capsys)


async def test_keys_that_a_gather_collects(stage: Stage, product: Product, tmp_path: Path, capsys) -> None:
    product.answers["/twilio/voice/"] = (
        "<Response><Gather action='/keys/' timeout='5'><Say>Your number, please</Say></Gather></Response>"
    )
    product.answers["/keys/"] = "<Response><Pause length='1'/></Response>"
    sid = await stage.place()
    await stage.advance(3)
    await stage.post(f"/emulator/calls/{sid}/press/", {"digits": "4711#"})
    await stage.advance(3)
    assert product.forms("/keys/")[0]["Digits"] == "4711"
    await agrees(stage, tmp_path, capsys)
    assert b"4711" not in b"".join(stage.store.lines)


async def test_a_caller_who_waits_in_a_queue_and_gives_up(
    stage: Stage, product: Product, tmp_path: Path, capsys
) -> None:
    product.answers["/twilio/voice/"] = (
        "<Response><Enqueue waitUrl='/wait/' action='/left/'>support</Enqueue></Response>"
    )
    product.answers["/wait/"] = "<Response><Pause length='2'/></Response>"
    product.answers["/left/"] = "<Response/>"
    sid = await stage.place()
    await stage.advance(3)
    await stage.post(f"/emulator/calls/{sid}/hangup/", {})
    await stage.advance(2)
    assert len(product.asked("/wait/")) == 2
    assert product.forms("/left/")[0]["QueueResult"] == "hangup"
    await agrees(stage, tmp_path, capsys)


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_addresses_with_a_query_of_their_own(
    stage: Stage, product: Product, tmp_path: Path, capsys, method: str
) -> None:
    def point(client: Any) -> None:
        number = client.incoming_phone_numbers.list()[0]
        number.update(
            voice_url=stage.public + "/twilio/voice/?tenant=5&who=x",
            voice_method=method,
            status_callback=stage.public + "/twilio/call-status/?tenant=5",
            status_callback_method=method,
            voice_fallback_url=stage.public + "/twilio/fallback/?tenant=6",
            voice_fallback_method=method,
        )

    await stage.twilio(point)
    product.answers["/twilio/voice/"] = web.Response(status=500)
    product.answers["/twilio/fallback/"] = "<Response><Pause length='1'/></Response>"
    await stage.place()
    await stage.advance(3)
    assert product.asked("/twilio/call-status/")[0].query.startswith("tenant=5")
    await agrees(stage, tmp_path, capsys)


async def test_a_call_past_the_recorder_whose_addresses_have_a_query(
    stage: Stage, product: Product, tmp_path: Path, capsys
) -> None:
    product.answers["/voice/"] = "<Response><Pause length='1'/></Response>"
    wanted = {
        "url": stage.public + "/voice/?tenant=5",
        "status_callback": stage.public + "/status/?tenant=6",
        "status_callback_event": ["completed"],
        "status_callback_method": "GET",
    }
    await stage.twilio(lambda c: c.calls.create(to=ALICE, from_=OFFICE, **wanted))
    await stage.advance(5)
    assert product.asked("/status/")[0].query.startswith("tenant=6&")
    await agrees(stage, tmp_path, capsys)


@pytest.mark.parametrize(
    "attributes", ["finishOnKey='' timeout='3'", "finishOnKey='' timeout='3' numDigits='2'", "numDigits='4'"]
)
async def test_keys_that_no_key_ends(
    stage: Stage, product: Product, tmp_path: Path, capsys, attributes: str
) -> None:
    product.answers["/twilio/voice/"] = (
        f"<Response><Gather action='/keys/' {attributes}><Pause length='9'/></Gather></Response>"
    )
    product.answers["/keys/"] = "<Response><Hangup/></Response>"
    sid = await stage.place()
    await stage.advance(3)
    await stage.post(f"/emulator/calls/{sid}/press/", {"digits": "47*1"})
    await stage.advance(6)
    assert product.forms("/keys/")[0]["Digits"] in {"47*1", "47"}
    await agrees(stage, tmp_path, capsys)


@pytest.mark.parametrize("ends", ["hangup", "press"])
async def test_a_recorded_message_that_the_caller_ends(
    stage: Stage, product: Product, tmp_path: Path, capsys, ends: str
) -> None:
    product.answers["/twilio/voice/"] = (
        "<Response><Record action='/recorded/' timeout='20'/><Hangup/></Response>"
    )
    product.answers["/recorded/"] = "<Response><Hangup/></Response>"
    sid = await stage.place()
    await stage.advance(3)
    await stage.post(f"/emulator/calls/{sid}/{ends}/", {"digits": "5"} if ends == "press" else {})
    await stage.advance(3)
    assert product.forms("/recorded/")[0]["Digits"] == ("5" if ends == "press" else "hangup")
    await agrees(stage, tmp_path, capsys)


# A file that somebody changed


def altered(film: list[bytes], kind: str, **new: Any) -> list[bytes]:
    """The file with other values in its lines of one kind."""
    lines = [json.loads(line) for line in film]
    changed = [{**line, **(new if line["kind"] == kind else {})} for line in lines]
    return [json.dumps(line).encode() + b"\n" for line in changed]


async def stranger(stage: Stage, product: Product, folder: Path, **new: Any) -> tuple[int, list[str]]:
    """Compare such a file; the exit code, and what the replay asked of a host that the file named."""
    await stage.place()
    await stage.advance(2)
    film = await stage.film()
    product.requests.clear()
    code = await compare(shelved(folder / "changed.jsonl", altered(film, **new)))
    return code, [request.path for request in product.requests]


ELSEWHERE = [
    "http://{host}/secret",
    "HTTP://{host}/secret",
    "http://user:word@{host}/secret",
    "//{host}/secret",
    "/&#9;/{host}/secret",
    "&#104;ttp://{host}/secret",
    "http:<![CDATA[//]]>{host}/secret",
    "ht<!-- -->tp://{host}/secret",
]


@pytest.mark.parametrize("spelt", ELSEWHERE)
async def test_a_replay_asks_no_host_that_a_document_names(
    stage: Stage, product: Product, tmp_path: Path, spelt: str
) -> None:
    address = spelt.format(host=urlsplit(product.url).netloc)
    twiml = f"<Response><Redirect>{address}</Redirect></Response>"
    _, asked = await stranger(stage, product, tmp_path, kind="answer", twiml=twiml)
    assert asked == []


@pytest.mark.parametrize("field", ["Url", "Twiml", "a path"])
async def test_a_replay_asks_no_host_that_a_rest_request_names(
    stage: Stage, product: Product, tmp_path: Path, field: str
) -> None:
    product.answers["/voice/"] = "<Response><Pause length='1'/></Response>"
    await stage.by_rest(lambda c: c.calls.create(to=ALICE, from_=OFFICE, url=stage.public + "/voice/"))
    await stage.advance(4)
    film = [json.loads(line) for line in await stage.film()]
    address = product.url + "/secret"
    text = f"<Response><Redirect>{address}</Redirect></Response>" if field == "Twiml" else address
    for line in film:
        if line.get("door") == "rest" and line["kind"] == "request":
            line["form"] = [one for one in line["form"] if one[0] != "Url"] + [[field, "text", text]]
            line["path"] = f"@{urlsplit(product.url).netloc}/" if field == "a path" else line["path"]
    product.requests.clear()
    await compare(shelved(tmp_path / "a.jsonl", [json.dumps(line).encode() + b"\n" for line in film]))
    assert product.requests == []


async def test_a_path_that_is_none_is_refused(stage: Stage, product: Product, tmp_path: Path, capsys) -> None:
    host = urlsplit(product.url).netloc
    assert await stranger(stage, product, tmp_path, kind="request", path=f"@{host}/") == (2, [])
    assert "a path of the capture does not begin with /" in capsys.readouterr().err


# A recording that was stopped


@pytest.mark.parametrize("why", ["stopped by the user", "the time was up"])
async def test_a_recording_that_was_stopped_in_mid_call_is_not_whole(
    stage: Stage, product: Product, tmp_path: Path, capsys, why: str
) -> None:
    await tapped(stage, product)
    await stage.recorder.close(why)
    reel = read(stage.store.lines, "test")
    assert not reel.whole
    assert "the recording is not whole" in await agrees(stage, tmp_path, capsys)


# Sockets


async def test_a_handshake_that_the_application_breaks_off(
    stage: Stage, product: Product, tmp_path: Path, capsys
) -> None:
    product.answers["/broken/"] = Broken()
    await tapped(stage, product, path="/broken/")
    await stage.advance(4)
    assert "connect-timeout" not in await agrees(stage, tmp_path, capsys)


async def tapped(stage: Stage, product: Product, path: str = "/media/x/", verb: str = "Start") -> str:
    """A call with one stream, in its first second."""
    product.answers["/twilio/voice/"] = (
        f"<Response><{verb}><Stream url='{stage.public_socket}{path}' "
        f"statusCallback='{stage.public}/streams/'/></{verb}><Pause length='3'/></Response>"
    )
    sid = await stage.place()
    await stage.advance(1)
    return sid


async def test_a_socket_that_the_application_breaks(
    stage: Stage, product: Product, tmp_path: Path, capsys
) -> None:
    await tapped(stage, product)
    product.sockets[0].transport.abort()
    await stage.advance(4)
    told = await agrees(stage, tmp_path, capsys)
    assert "- stream-error-fields: no more fields" in told
    assert "- stopped-after-error: no" in told


async def test_a_socket_that_the_application_closes_with_a_code_of_its_own(
    stage: Stage, product: Product, tmp_path: Path, capsys
) -> None:
    await tapped(stage, product, verb="Connect")
    await product.sockets[0].ws.close(code=4001)
    await stage.advance(4)
    told = await agrees(stage, tmp_path, capsys)
    assert "- server-close: stream-stopped" in told


async def test_a_handshake_that_the_application_refuses(
    stage: Stage, product: Product, tmp_path: Path, capsys
) -> None:
    product.refuse_sockets = True
    await tapped(stage, product)
    await stage.advance(3)
    await agrees(stage, tmp_path, capsys)


async def test_nonsense_binary_and_pings_on_a_socket(
    stage: Stage, product: Product, tmp_path: Path, capsys
) -> None:
    await tapped(stage, product, verb="Connect")
    socket = product.sockets[0]
    await socket.ws.ping()
    await socket.ws.send_str("hello?")
    await socket.ws.send_bytes(b"\x80" * 160)
    await socket.say(message("mark", "MZ" + "f" * 32, name="of another stream"))
    await socket.say(message("mark", socket.messages[1]["streamSid"], name="of this one"))
    await stage.advance(1)
    assert [m["mark"]["name"] for m in socket.of("mark")] == ["of this one"]
    await socket.ws.close()
    await stage.advance(4)
    assert "- server-ping: yes, with pong" in await agrees(stage, tmp_path, capsys)


async def test_a_stream_with_an_error_of_framing(
    stage: Stage, product: Product, tmp_path: Path, capsys
) -> None:
    await tapped(stage, product)
    await product.sockets[0].say({"event": "clear"})  # nothing may be said on a tap
    await stage.advance(4)
    await agrees(stage, tmp_path, capsys)


# REST


async def test_requests_that_are_refused_are_refused_again(
    stage: Stage, product: Product, tmp_path: Path, capsys
) -> None:
    sid = await tapped(stage, product)

    def refused(use: Any) -> Any:
        def ask(client: Any) -> int:
            with pytest.raises(TwilioRestException) as error:
                use(client)
            return int(error.value.code)

        return ask

    url = stage.public_socket + "/media/"
    both = {"url": url, "track": "both_tracks"}
    await stage.by_rest(lambda c: c.calls(sid).streams.create(**both))
    assert await stage.by_rest(refused(lambda c: c.calls(sid).streams.create(**both))) == 20001
    assert (
        await stage.by_rest(refused(lambda c: c.calls("CA" + "0" * 32).update(status="completed"))) == 20404
    )
    assert await stage.by_rest(refused(lambda c: c.calls.create(to=ALICE, from_=OFFICE))) == 21205
    await stage.by_rest(lambda c: c.calls(sid).update(twiml="<Response><Pause length='1'/></Response>"))
    await stage.advance(3)
    told = await agrees(stage, tmp_path, capsys)
    assert "- refusals: 400/20001" in told
    assert "- both-tracks-count: refused with 3 tracks running: 400/20001" in told
    assert "- call-parameters: 400/21205" in told


async def test_an_api_that_is_down_is_a_502_to_the_application(
    stage: Stage, product: Product, tmp_path: Path
) -> None:
    await stage.server.close()
    with pytest.raises(TwilioRestException) as error:
        await stage.by_rest(lambda c: c.calls("CA" + "0" * 32).fetch())
    assert (error.value.status, error.value.code) == (502, 20500)
    assert any(b"the API did not answer: ClientConnectorError" in line for line in await stage.film())
