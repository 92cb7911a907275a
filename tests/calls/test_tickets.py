"""Tickets: one use, sixty seconds, Twilio's limits; and addresses for others' streams."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import override_settings

from calls.models import Ticket
from calls.services import tickets
from calls.services.tickets import LimitReached
from tests import factories, people
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def after(seconds):
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def leg():
    return factories.leg()


def issue(leg, **more):
    return tickets.issue(leg=leg, **{"origin": "rest", "now": NOON, **more})


def test_a_nonce_is_128_bits_and_never_the_same(leg):
    nonces = {issue(leg, track="inbound_track").nonce for _ in range(4)}
    assert len(nonces) == 4
    assert all(len(bytes.fromhex(nonce)) == 16 for nonce in nonces)


def test_a_ticket_is_spent_once(leg):
    ticket = issue(leg)
    spent = tickets.spend(nonce=ticket.nonce, now=after(1))
    assert spent == ticket
    assert spent is not None
    assert spent.leg.call == leg.call
    assert tickets.spend(nonce=ticket.nonce, now=after(1)) is None


@pytest.mark.parametrize(("seconds", "good"), [(0, True), (59, True), (60, False), (3600, False)])
def test_a_ticket_lasts_sixty_seconds(leg, seconds, good):
    ticket = issue(leg)
    assert (tickets.spend(nonce=ticket.nonce, now=after(seconds)) is not None) == good


def test_speech_before_the_stream_is_added_to_the_sixty_seconds(leg):
    ticket = issue(leg, after_seconds=20)
    assert tickets.spend(nonce=ticket.nonce, now=after(75)) is not None


@pytest.mark.parametrize("nonce", ["", "0" * 32, "../../etc/passwd", "\x00", "é", "x" * 5000])
def test_an_unknown_nonce_buys_nothing(leg, nonce):
    issue(leg)
    assert tickets.spend(nonce=nonce, now=NOON) is None


def test_a_released_ticket_buys_nothing(leg):
    ticket = issue(leg)
    assert tickets.release(ticket_id=ticket.pk, now=after(1))
    assert not tickets.release(ticket_id=ticket.pk, now=after(2))
    assert tickets.spend(nonce=ticket.nonce, now=after(3)) is None


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_gets_it(leg):
    ticket = issue(leg)
    got, ready = [], threading.Barrier(6)

    def spend():
        ready.wait()
        got.append(tickets.spend(nonce=ticket.nonce, now=after(1)))
        connection.close()

    threads = [threading.Thread(target=spend) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([one for one in got if one is not None]) == 1


# -- limits ----------------------------------------------------------------------------------------


def code_of(function, *args, **more):
    with pytest.raises(LimitReached) as refusal:
        function(*args, **more)
    assert refusal.value.text
    return refusal.value.code


def test_four_tracks_and_no_fifth(leg):
    issue(leg)
    issue(leg)
    assert code_of(issue, leg, track="inbound_track") == "tracks_full"


def test_both_tracks_need_two(leg):
    for _ in range(3):
        issue(leg, track="inbound_track")
    assert code_of(issue, leg) == "tracks_full"
    issue(leg, track="outbound_track")


def test_the_limits_are_per_leg(leg):
    issue(leg)
    issue(leg)
    other = factories.leg(leg.call)
    assert issue(other).name == "tap"


def test_one_bidirectional_stream_beside_four_tracks(leg):
    issue(leg)
    issue(leg)
    issue(leg, kind="voice", track="inbound_track")
    assert code_of(issue, leg, kind="voice", track="inbound_track") == "voice_in_use"


def test_a_name_once_until_it_is_free_again(leg):
    first = issue(leg, name="assist", track="inbound_track")
    assert code_of(issue, leg, name="assist", track="inbound_track") == "name_in_use"
    tickets.release(ticket_id=first.pk, now=after(1))
    assert issue(leg, name="assist", track="inbound_track").pk != first.pk


def test_names_are_made_where_none_is_given(leg):
    assert [issue(leg, track="inbound_track").name for _ in range(3)] == ["tap", "tap-2", "tap-3"]


def test_unused_tickets_take_no_room_once_they_expired(leg):
    issue(leg, name="assist")
    issue(leg)
    assert issue(leg, name="assist", now=after(61)).name == "assist"


def test_the_sweep_releases_what_expired_unused(leg):
    unused, used = issue(leg), issue(leg)
    tickets.spend(nonce=used.nonce, now=after(1))
    assert tickets.expire(now=after(59)) == 0
    assert tickets.expire(now=after(60)) == 1
    unused.refresh_from_db()
    used.refresh_from_db()
    assert unused.released_at == after(60)
    assert used.released_at is None


def test_the_database_is_the_second_line(leg):
    issue(leg, name="assist")
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.ticket(leg, name="assist")
    factories.ticket(leg, kind="voice")
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.ticket(leg, kind="voice")


def test_a_race_that_the_check_cannot_see_is_a_limit_too(leg, monkeypatch):
    issue(leg, name="assist")
    monkeypatch.setattr(tickets, "_ask_limits", lambda *_: None)
    assert code_of(issue, leg, name="assist") == "name_in_use"


def test_a_stream_that_others_opened_is_counted_but_not_refused(leg):
    issue(leg)
    issue(leg)
    key = tickets.issue_key(number=factories.number(), by=None, now=NOON)
    theirs = issue(leg, origin="ingest", name="MZ" + "1" * 32, ingest_key=key)
    assert theirs.spent_at == NOON
    assert code_of(issue, leg, track="inbound_track") == "tracks_full"


# -- addresses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("public_url", "address"),
    [
        ("https://calls.example.com", "wss://calls.example.com/media/{}/"),
        ("https://calls.example.com:8443", "wss://calls.example.com:8443/media/{}/"),
        ("http://127.0.0.1:8000", "ws://127.0.0.1:8000/media/{}/"),
    ],
)
def test_the_scheme_follows_the_public_url(leg, public_url, address):
    with override_settings(PUBLIC_URL=public_url):
        ticket = issue(leg)
        assert tickets.media_url(ticket) == address.format(ticket.nonce)


def test_an_ingest_address_until_it_is_revoked():
    number = factories.number()
    key = tickets.issue_key(number=number, by=people.ada(), now=NOON)
    assert tickets.key_url(key) == f"wss://calls.example.com/media/k/{key.key}/"
    found = tickets.usable_key(key.key)
    assert found is not None
    assert found.number == number
    assert tickets.revoke_key(key=key, now=after(1))
    assert not tickets.revoke_key(key=key, now=after(2))
    assert tickets.usable_key(key.key) is None
    assert tickets.usable_key("0" * 32) is None


def test_parameters_are_kept_clean(leg):
    ticket = issue(leg, parameters={"who\x00": "Eve\u202e", "note": "x" * 900})
    assert Ticket.objects.get(pk=ticket.pk).parameters == {"who": "Eve", "note": "x" * 400}


def test_a_leg_has_one_voice_at_a_time_and_each_has_a_name_of_its_own(leg):
    first = issue(leg, kind="voice", track="inbound_track")
    assert first.name == "voice"
    with pytest.raises(tickets.LimitReached) as refused:
        issue(leg, kind="voice", track="inbound_track")
    assert refused.value.code == "voice_in_use"
    assert tickets.release_voices(leg=leg, now=after(1)) == 1
    assert tickets.release_voices(leg=leg, now=after(1)) == 0
    assert issue(leg, kind="voice", track="inbound_track").name == "voice-2"
