"""Twilio's own library drives conferences, participants, queues and members, sync and async."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.emulator.conftest import OFFICE, Box
from tests.emulator.library import Library
from tests.emulator.product import Product
from tests.emulator.test_conference import conference, enter
from tests.emulator.test_library import refused
from tests.emulator.test_queue import waiting
from tests.emulator.test_rest import LISTEN
from tests.emulator.test_rest_inviting import BOB, people

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:twilio")
TODAY = date(2026, 11, 20)
NOBODY = "CA" + "0" * 32


async def room(twilio: Library, product: Product, box: Box) -> tuple[Any, str, str]:
    """A conference of two by TwiML: the library's context of it, and the two calls."""
    first, second = await enter(product, box), await enter(product, box)
    return twilio.client.conferences((await conference(box))["conference_sid"]), first, second


async def test_a_conference_is_listed_fetched_announced_to_and_ended(
    twilio: Library, product: Product, box: Box
) -> None:
    context, *_ = await room(twilio, product, box)
    conferences = twilio.client.conferences
    found = await twilio.list(
        conferences,
        friendly_name="room",
        status="in-progress",
        date_created=TODAY,
        date_created_after=TODAY,
        date_created_before=TODAY + timedelta(days=1),
        date_updated=TODAY,
    )
    fetched = await twilio.fetch(context)
    assert [one.sid for one in found] == [fetched.sid]
    assert (fetched.friendly_name, fetched.status, fetched.region) == ("room", "in-progress", "us1")
    assert isinstance(fetched.date_created, datetime)
    product.answers["/news/"] = "<Response><Say>News</Say></Response>"
    await twilio.update(context, announce_url=f"{product.url}/news/", announce_method="GET")
    await product.until(lambda: product.asked("/news/"))
    ended = await twilio.update(context, status="completed")
    assert (ended.status, ended.reason_conference_ended) == ("completed", "conference-ended-via-api")
    assert await twilio.list(conferences) == []
    await refused(400, 16022, twilio.update(context, status="completed"))
    await refused(404, 20404, twilio.fetch(conferences("CF" + "0" * 32)))


async def test_a_participant_is_created_with_every_field(twilio: Library, product: Product, box: Box) -> None:
    context, _, agent = await room(twilio, product, box)
    people(box)
    made = await twilio.create(
        context.participants,
        from_=OFFICE,
        to=BOB,
        label="boss",
        timeout=30,
        time_limit=3600,
        muted=False,
        beep="onEnter",
        start_conference_on_enter=False,
        end_conference_on_exit=False,
        wait_url="",
        early_media=True,
        max_participants=10,
        coaching=True,
        call_sid_to_coach=agent,
        jitter_buffer_size="small",
        record=True,
        recording_channels="dual",
        recording_track="both",
        recording_status_callback=f"{product.url}/taped/",
        recording_status_callback_event=["in-progress", "completed"],
        conference_record="true",
        conference_status_callback=f"{product.url}/ignored/",
        conference_status_callback_event=["start", "end"],
        status_callback=f"{product.url}/progress/",
        status_callback_event=["answered", "completed"],
        machine_detection="Enable",
        amd_status_callback=f"{product.url}/amd/",
        region="us1",
        caller_id=OFFICE,
        call_reason="Help",
    )
    assert (made.label, made.status, made.coaching, made.call_sid_to_coach) == ("boss", "queued", True, agent)
    assert (made.muted, made.start_conference_on_enter, made.queue_time) == (False, False, "0")
    await box.clock.advance(3)
    assert (await twilio.fetch(context.participants("boss"))).status == "connected"
    await product.until(lambda: product.forms("/progress/", CallStatus="in-progress"))
    await product.until(lambda: product.forms("/taped/", RecordingStatus="in-progress"))
    assert (await product.until(lambda: product.forms("/amd/")))[0]["AnsweredBy"] == "human"
    assert [call.answered_by for call in await twilio.list(twilio.client.calls, to=BOB)] == ["human"]
    assert product.asked("/ignored/") == []
    await refused(400, 16026, twilio.create(context.participants, from_=OFFICE, to=BOB, label="boss"))


async def test_a_participant_is_fetched_listed_changed_and_removed(
    twilio: Library, product: Product, box: Box
) -> None:
    context, customer, agent = await room(twilio, product, box)
    people_there = context.participants
    assert [one.call_sid for one in await twilio.list(people_there)] == [customer, agent]
    for field in ("muted", "hold"):
        changed = await twilio.update(people_there(customer), **{field: True})
        assert getattr(changed, field) is True
        assert [one.call_sid for one in await twilio.list(people_there, **{field: True})] == [customer]
        assert getattr(await twilio.update(people_there(customer), **{field: False}), field) is False
    changed = await twilio.update(
        people_there(agent),
        coaching=True,
        call_sid_to_coach=customer,
        end_conference_on_exit=True,
        beep_on_exit=False,
        wait_url=f"{product.url}/wait/",
        hold_url=f"{product.url}/hold/",
        hold_method="POST",
    )
    assert (changed.coaching, changed.call_sid_to_coach, changed.end_conference_on_exit) == (
        True,
        customer,
        True,
    )
    assert [one.call_sid for one in await twilio.list(people_there, coaching=True)] == [agent]
    product.answers["/news/"] = "<Response><Say>News</Say></Response>"
    await twilio.update(people_there(agent), announce_url=f"{product.url}/news/", announce_method="GET")
    await product.until(lambda: product.asked("/news/"))
    assert await twilio.delete(people_there(agent)) is True
    await refused(404, 20404, twilio.fetch(people_there(agent)))
    await refused(404, 20404, twilio.update(people_there(NOBODY), muted=True))


async def test_a_conference_is_addressed_by_its_name(twilio: Library, box: Box) -> None:
    people(box)
    named = twilio.client.conferences("our room")
    made = await twilio.create(named.participants, from_=OFFICE, to=BOB, label="the boss")
    await box.clock.advance(3)
    found = await twilio.fetch(named.participants("the boss"))
    assert (found.call_sid, found.conference_sid) == (made.call_sid, made.conference_sid)


async def test_a_queue_is_made_listed_changed_and_deleted(twilio: Library) -> None:
    queues = twilio.client.queues
    made = await twilio.create(queues, friendly_name="sales", max_size=7)
    assert (made.current_size, made.max_size, made.average_wait_time) == (0, 7, 0)
    changed = await twilio.update(queues(made.sid), friendly_name="shop", max_size=9)
    assert (changed.friendly_name, changed.max_size) == ("shop", 9)
    assert [one.sid for one in await twilio.list(queues)] == [made.sid]
    assert (await twilio.fetch(queues(made.sid))).friendly_name == "shop"
    await refused(400, 22003, twilio.create(queues, friendly_name="shop"))
    assert await twilio.delete(queues(made.sid)) is True
    await refused(404, 20404, twilio.fetch(queues(made.sid)))


async def test_members_of_a_queue_are_seen_and_sent_on(twilio: Library, product: Product, box: Box) -> None:
    product.answers["/elsewhere/"] = LISTEN
    queue = await twilio.create(twilio.client.queues, friendly_name="support")
    first, second = await waiting(product, box), await waiting(product, box)
    members = twilio.client.queues(queue.sid).members
    found = await twilio.list(members)
    assert [(one.call_sid, one.position, one.wait_time) for one in found] == [(first, 1, 2), (second, 2, 1)]
    assert isinstance(found[0].date_enqueued, datetime)
    assert (await twilio.fetch(members("Front"))).call_sid == first
    sent = await twilio.update(members("Front"), url=f"{product.url}/elsewhere/", method="POST")
    assert (sent.call_sid, sent.queue_sid) == (first, queue.sid)
    await product.until(lambda: product.forms("/elsewhere/", CallSid=first))
    await twilio.update(members(second), url=f"{product.url}/elsewhere/")
    await refused(404, 20404, twilio.fetch(members("Front")))
    assert await twilio.list(members) == []
