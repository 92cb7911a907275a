"""Twilio's own library drives recordings, transcriptions, applications, numbers, routes, whole calls."""

from datetime import date, datetime
from typing import Any

import pytest

from tests.emulator.conftest import ALICE, OFFICE, Box
from tests.emulator.library import Library
from tests.emulator.product import Product
from tests.emulator.test_conference import conference, enter
from tests.emulator.test_library import live, refused
from tests.emulator.test_rest import LISTEN

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:twilio")
TODAY = date(2026, 11, 20)


async def test_a_call_is_recorded_paused_resumed_stopped_and_forgotten(
    twilio: Library, product: Product, box: Box
) -> None:
    sid = await live(product, box)
    tapes = twilio.client.calls(sid).recordings
    made = await twilio.create(
        tapes,
        recording_channels="dual",
        recording_track="both",
        trim="do-not-trim",
        recording_status_callback=f"{product.url}/taped/",
        recording_status_callback_method="GET",
        recording_status_callback_event=["in-progress", "completed"],
    )
    assert (made.status, made.channels, made.duration, made.call_sid) == ("in-progress", 2, None, sid)
    await box.clock.advance(2)
    assert (
        await twilio.update(tapes("Twilio.CURRENT"), status="paused", pause_behavior="skip")
    ).status == "paused"
    assert (await twilio.update(tapes(made.sid), status="in-progress")).status == "in-progress"
    assert (await twilio.update(tapes(made.sid), status="stopped")).status == "stopped"
    assert (await twilio.fetch(tapes(made.sid))).status == "completed"
    assert [one.sid for one in await twilio.list(tapes, date_created=TODAY)] == [made.sid]
    await product.until(lambda: len(product.asked("/taped/")) == 2)
    everything = twilio.client.recordings
    found = (await twilio.list(everything, call_sid=sid, date_created_after=TODAY))[0]
    assert (found.sid, found.duration, found.source) == (made.sid, "2", "StartCallRecordingAPI")
    assert found.media_url.startswith(box.url)
    assert isinstance(found.start_time, datetime)
    assert await twilio.list(everything(made.sid).transcriptions) == []
    await refused(404, 20404, twilio.fetch(everything(made.sid).transcriptions("TR" + "0" * 32)))
    assert await twilio.delete(tapes(made.sid)) is True
    await refused(404, 20404, twilio.fetch(everything(made.sid)))
    kept = await twilio.fetch(everything(made.sid), include_soft_deleted=True)
    assert kept.status == "deleted"


async def test_a_conference_recording_is_driven(twilio: Library, product: Product, box: Box) -> None:
    for _ in range(2):
        await enter(product, box, "record='record-from-start'")
    tapes = twilio.client.conferences((await conference(box))["conference_sid"]).recordings
    made = (await twilio.list(tapes, date_created=TODAY))[0]
    assert (made.status, made.source) == ("in-progress", "Conference")
    await box.clock.advance(1)
    assert (await twilio.update(tapes("Twilio.CURRENT"), status="stopped")).sid == made.sid
    assert (await twilio.fetch(tapes(made.sid))).status == "completed"
    assert await twilio.delete(tapes(made.sid)) is True
    await refused(404, 20404, twilio.delete(twilio.client.recordings(made.sid)))


async def test_a_transcription_is_begun_and_stopped(twilio: Library, product: Product, box: Box) -> None:
    context = twilio.client.calls(await live(product, box)).transcriptions
    made = await twilio.create(
        context,
        name="notes",
        track="both_tracks",
        status_callback_url=f"{product.url}/words/",
        inbound_track_label="customer",
        outbound_track_label="agent",
        partial_results=True,
        language_code="en-GB",
        transcription_engine="deepgram",
        profanity_filter=True,
        speech_model="nova-2",
        hints="bill",
        enable_automatic_punctuation=True,
    )
    assert (made.name, made.status) == ("notes", "in-progress")
    await product.until(lambda: product.forms("/words/", TranscriptionEvent="transcription-started"))
    stopped = await twilio.update(context("notes"), status="stopped")
    assert (stopped.sid, stopped.status) == (made.sid, "stopped")
    await refused(404, 20404, twilio.update(context(made.sid), status="stopped"))


async def test_an_application_is_driven(twilio: Library, product: Product) -> None:
    applications = twilio.client.applications
    wanted: dict[str, Any] = {
        "friendly_name": "Desk",
        "voice_url": f"{product.url}/app/",
        "voice_method": "GET",
        "voice_fallback_url": f"{product.url}/help/",
        "voice_fallback_method": "GET",
        "status_callback": f"{product.url}/status/",
        "status_callback_method": "GET",
        "voice_caller_id_lookup": True,
        "sms_url": f"{product.url}/sms/",
        "sms_method": "GET",
        "message_status_callback": f"{product.url}/texts/",
        "public_application_connect_enabled": True,
    }
    made = await twilio.create(applications, **wanted)
    fetched = await twilio.fetch(applications(made.sid))
    assert {name: getattr(fetched, name) for name in wanted} == wanted
    assert (await twilio.update(made, friendly_name="Door")).friendly_name == "Door"
    assert [one.sid for one in await twilio.list(applications, friendly_name="Door")] == [made.sid]
    assert await twilio.delete(applications(made.sid)) is True
    await refused(404, 20404, twilio.fetch(applications(made.sid)))


async def test_a_number_is_bought_and_given_back(twilio: Library, product: Product) -> None:
    numbers = twilio.client.incoming_phone_numbers
    made = await twilio.create(numbers, phone_number="+14155550123", voice_url=f"{product.url}/shop/")
    area = await twilio.create(numbers, area_code="212")
    assert (made.phone_number, area.phone_number[:5]) == ("+14155550123", "+1212")
    assert made.capabilities == {"voice": True, "sms": False, "mms": False, "fax": False}
    assert len(await twilio.list(numbers, phone_number="415555", origin="twilio", beta=False)) == 1
    await refused(400, 21422, twilio.create(numbers, phone_number="+14155550123"))
    assert await twilio.delete(numbers(made.sid)) is True
    await refused(404, 20404, twilio.delete(numbers(made.sid)))


async def test_the_route_of_a_number_is_driven(twilio: Library) -> None:
    numbers = twilio.client.routes.v2.phone_numbers
    found = await twilio.fetch(numbers(OFFICE))
    assert (found.voice_region, found.phone_number) == ("us1", OFFICE)
    moved = await twilio.update(numbers(OFFICE), voice_region="ie1", friendly_name="Dublin")
    assert (moved.voice_region, moved.friendly_name, moved.sid) == ("ie1", "Dublin", found.sid)
    assert isinstance(moved.date_updated, datetime)


async def test_an_error_of_the_newer_service_is_one_of_its_own(twilio: Library) -> None:
    from twilio.base.exceptions import TwilioServiceException

    with pytest.raises(TwilioServiceException) as error:
        await twilio.fetch(twilio.client.routes.v2.phone_numbers("+1999"))
    assert (error.value.status, error.value.code) == (404, 20404)


async def test_a_call_is_placed_with_every_field_and_forgotten(
    twilio: Library, product: Product, box: Box
) -> None:
    product.answers["/out/"] = LISTEN
    calls = twilio.client.calls
    call = await twilio.create(
        calls,
        to=ALICE,
        from_=OFFICE,
        url=f"{product.url}/out/",
        method="GET",
        fallback_url=f"{product.url}/help/",
        fallback_method="GET",
        status_callback=f"{product.url}/progress/",
        status_callback_method="GET",
        status_callback_event=["initiated", "answered", "completed"],
        send_digits="w1",
        timeout=20,
        time_limit=5,
        record=True,
        recording_channels="mono",
        recording_track="inbound",
        recording_status_callback=f"{product.url}/taped/",
        machine_detection="Enable",
        machine_detection_timeout=10,
        async_amd="true",
        async_amd_status_callback=f"{product.url}/amd/",
        caller_id=OFFICE,
        call_reason="Your order",
        trim="do-not-trim",
    )
    await box.clock.advance(30)
    ended = await twilio.fetch(calls(call.sid))
    assert (ended.status, ended.duration, ended.answered_by) == ("completed", "5", "human")
    await product.until(lambda: product.asked("/taped/") and product.asked("/amd/"))
    await product.until(lambda: len(product.asked("/progress/")) == 3)
    assert await twilio.delete(calls(call.sid)) is True
    await refused(404, 20404, twilio.fetch(calls(call.sid)))


async def test_an_application_takes_a_call(twilio: Library, product: Product, box: Box) -> None:
    made = await twilio.create(twilio.client.applications, voice_url=f"{product.url}/app/")
    call = await twilio.create(twilio.client.calls, to=ALICE, from_=OFFICE, application_sid=made.sid)
    await box.clock.advance(5)
    asked = await product.until(lambda: product.forms("/app/", ApplicationSid=made.sid))
    assert [(form["CallSid"], form["To"]) for form in asked] == [(call.sid, ALICE)]
