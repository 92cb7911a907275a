"""/healthz, /readyz and /metrics."""

import json
from collections.abc import Iterator

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from calls.counters import denied
from contactcenter.draining import draining
from contactcenter.worker import PREFIX
from streams.models import Process
from tests.processes import free_port

pytestmark = pytest.mark.django_db


@pytest.fixture
def drained() -> Iterator[None]:
    draining.set()
    yield
    draining.clear()


@pytest.fixture
def worker() -> None:
    Process.objects.create(pk=f"{PREFIX}1", host="here", pid=1, seen_at=timezone.now())


def test_healthz_says_that_the_process_answers(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.usefixtures("worker")
def test_readyz_names_every_part(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    told = json.loads(answer.content)
    assert told["ready"] is True
    assert told["parts"] == dict.fromkeys(["database", "migrations", "worker", "layer", "serving"], "ok")


@pytest.mark.usefixtures("worker", "drained")
def test_a_draining_process_is_not_ready_but_healthy(client: Client) -> None:
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_without_a_worker_nothing_is_repaired_so_not_ready(client: Client) -> None:
    assert client.get("/readyz").status_code == 503


@pytest.mark.usefixtures("worker")
def test_a_layer_that_cannot_be_reached_is_not_ready(client: Client) -> None:
    url = f"redis://127.0.0.1:{free_port()}"
    backend = "channels_redis.pubsub.RedisPubSubChannelLayer"
    layers = {"default": {"BACKEND": backend, "CONFIG": {"hosts": [{"address": url}]}}}
    with override_settings(REDIS_URL=url, CHANNEL_LAYERS=layers):
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert json.loads(answer.content)["parts"]["layer"].startswith("not reachable")


def test_metrics_are_told_to_the_machine_itself(client: Client) -> None:
    denied("ws.origin.denied")
    text = client.get("/metrics").content.decode()
    assert 'cc_denied_total{event="ws.origin.denied"}' in text


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto"])
def test_metrics_are_not_told_through_a_proxy(client: Client, header: str) -> None:
    assert client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 403


def test_metrics_are_not_told_to_other_machines(client: Client) -> None:
    for address in ("192.0.2.1", "", "nonsense"):
        assert client.get("/metrics", REMOTE_ADDR=address).status_code == 403


@override_settings(METRICS_TOKEN="a token")
def test_metrics_are_told_for_the_token(client: Client) -> None:
    def status(given: str) -> int:
        return client.get("/metrics", REMOTE_ADDR="192.0.2.1", headers={"Authorization": given}).status_code

    assert status("Bearer a token") == 200
    assert [status(wrong) for wrong in ("", "Bearer", "Bearer ", "Bearer a toke", "a token", "Bearer é")] == [
        403
    ] * 6


def test_no_secret_stands_in_the_metrics(client: Client) -> None:
    text = client.get("/metrics").content.decode()
    assert "first-token" not in text
