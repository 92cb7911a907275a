"""One call from ring to end, told from the application's side, with every expectation written by hand."""

import base64
from typing import Any

from tests.emulator.conftest import ACCOUNT_SID, ALICE, OFFICE, Box
from tests.emulator.product import Product
from tests.twilio import signature


def tap_and_dial(product: Product) -> str:
    return f"""<Response>
      <Start><Stream name="tap" url="{product.socket_url}/media/one/" track="both_tracks"
        statusCallback="{product.url}/streams/"><Parameter name="session" value="q8"/></Stream></Start>
      <Dial answerOnBridge="true" action="/after/"><Number statusCallback="{product.url}/child/"
        statusCallbackEvent="initiated ringing answered completed">+31209999999</Number></Dial>
    </Response>"""


async def test_a_call_is_answered_tapped_dialled_heard_and_ended(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = tap_and_dial(product)
    sid = await box.place()

    # Ringing, the product is asked, signed over the address that was asked.
    await box.clock.advance(0.5)
    asked = product.asked("/twilio/voice/")[0]
    assert {
        "CallSid": sid,
        "AccountSid": ACCOUNT_SID,
        "From": ALICE,
        "Caller": ALICE,
        "To": OFFICE,
        "Called": OFFICE,
        "CallStatus": "ringing",
        "Direction": "inbound",
        "ApiVersion": "2010-04-01",
        "FromCity": "",
    }.items() <= asked.form.items()
    assert asked.headers["X-Twilio-Signature"] == signature(f"{product.url}/twilio/voice/", asked.form)

    # The socket opens and says what it is.
    socket = await product.until(lambda: product.sockets and product.sockets[0])
    await product.until(lambda: len(socket.messages) >= 2)
    stream_sid = socket.messages[1]["streamSid"]
    assert socket.messages[0] == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert socket.messages[1] == {
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": stream_sid,
        "start": {
            "streamSid": stream_sid,
            "accountSid": ACCOUNT_SID,
            "callSid": sid,
            "tracks": ["inbound", "outbound"],
            "customParameters": {"session": "q8"},
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        },
    }

    # After ten seconds of talk both have been heard, 20 ms at a time.
    await box.clock.advance(11.5)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    await product.until(lambda: socket.over)
    media = socket.of("media")
    inbound = [m for m in media if m["media"]["track"] == "inbound"]
    outbound = [m for m in media if m["media"]["track"] == "outbound"]
    assert len(inbound) == len(outbound) > 550
    assert [int(m["sequenceNumber"]) for m in media] == list(range(2, len(media) + 2))
    assert [int(m["media"]["chunk"]) for m in inbound] == list(range(1, len(inbound) + 1))
    stamps = [int(m["media"]["timestamp"]) for m in inbound]
    assert stamps == list(range(stamps[0], stamps[0] + 20 * len(stamps), 20))
    assert all(len(base64.b64decode(m["media"]["payload"])) == 160 for m in media)

    # Stop comes last, then Twilio closes.
    assert socket.messages[-1] == {
        "event": "stop",
        "sequenceNumber": str(len(media) + 2),
        "streamSid": stream_sid,
        "stop": {"accountSid": ACCOUNT_SID, "callSid": sid},
    }
    assert socket.close_code == 1000

    # Everybody who asked hears of it.
    ended = await product.until(lambda: product.forms("/twilio/call-status/"))
    assert {
        "CallStatus": "completed",
        "CallSid": sid,
        "SequenceNumber": "0",
        "CallDuration": "12",
        "Duration": "1",
        "CallbackSource": "call-progress-events",
        "Timestamp": "Fri, 20 Nov 2026 10:15:12 +0000",
    }.items() <= ended[0].items()
    await product.until(lambda: len(product.forms("/child/")) == 4)
    child = product.forms("/child/")
    assert [form["CallStatus"] for form in child] == ["initiated", "ringing", "in-progress", "completed"]
    assert [form["SequenceNumber"] for form in child] == ["0", "1", "2", "3"]
    assert {form["ParentCallSid"] for form in child} == {sid}
    assert {form["Direction"] for form in child} == {"outbound-dial"}
    await product.until(lambda: len(product.forms("/streams/")) == 2)
    streams = product.forms("/streams/")
    assert [form["StreamEvent"] for form in streams] == ["stream-started", "stream-stopped"]
    assert streams[0]["StreamName"] == "tap"
    assert streams[0]["Timestamp"].startswith("2026-11-20T10:15:00.")
    after = (await product.until(lambda: product.forms("/after/")))[0]
    assert {"DialCallStatus": "completed", "CallStatus": "completed"}.items() <= after.items()


async def test_what_was_heard_is_the_recording_at_the_place_the_log_tells(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = tap_and_dial(product)
    sid = await box.place()
    await box.clock.advance(6)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    socket = product.sockets[0]
    await product.until(lambda: socket.over)

    truth = (await box.call(sid))["streams"][0]
    caller, agent = truth["played"]
    assert (caller["track"], caller["file"], caller["channel"]) == ("inbound", "conversation.wav", "caller")
    assert (agent["track"], agent["file"], agent["channel"]) == ("outbound", "conversation.wav", "agent")
    for piece, channel in ((caller, 0), (agent, 1)):
        heard = sound_of(socket.of("media"), piece["track"], piece["stream_from_ms"], piece["stream_to_ms"])
        raw = (box.exchange.scripts.library.directory / piece["file"]).read_bytes()[58:][channel::2]
        assert heard == raw[piece["file_from_ms"] * 8 : piece["file_to_ms"] * 8]
        assert len(heard) > 8000 * 3

    assert truth["frames_sent"] == {
        "inbound": len(socket.of("media")) // 2,
        "outbound": len(socket.of("media")) // 2,
    }
    assert truth["reason"] == "call ended"


def sound_of(media: list[dict[str, Any]], track: str, start: int, end: int) -> bytes:
    """The mu-law bytes of a track between two stream times in ms."""
    return b"".join(
        base64.b64decode(m["media"]["payload"])
        for m in media
        if m["media"]["track"] == track and start <= int(m["media"]["timestamp"]) < end
    )
