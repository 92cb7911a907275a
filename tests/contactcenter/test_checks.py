"""Each fault of configuration has an id and a hint: warned of in check, an error when serving."""

from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.test import override_settings

from contactcenter import checks

FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("cc.E001", {"TWILIO_AUTH_TOKENS": []}),
    ("cc.E002", {"PUBLIC_URL": ""}),
    ("cc.E003", {"WEB_CONCURRENCY": 2}),
    ("cc.E004", {"PUBLIC_URL": "http://calls.example.com"}),
    ("cc.E004", {"PUBLIC_URL": "https://calls.example.com/app"}),
    ("cc.E004", {"PUBLIC_URL": "https://user@calls.example.com"}),
    ("cc.E004", {"PUBLIC_URL": "https://calls.example.com:99999"}),
    ("cc.E004", {"PUBLIC_URL": "calls.example.com"}),
    ("cc.E004", {"PUBLIC_URL": "http://127.0.0.1:8000", "PUBLIC_IS_LOOPBACK": True, "TWILIO_API_URL": ""}),
    ("cc.E006", {"CHANNEL_LAYERS": {"default": {"CONFIG": {"hosts": ["redis://localhost"]}}}}),
    ("cc.E006", {"CHANNEL_LAYERS": {"default": {"CONFIG": {"hosts": [{"socket_timeout": 5}]}}}}),
    ("cc.E007", {"TWILIO_ACCOUNT_SID": ""}),
    ("cc.E007", {"TWILIO_ACCOUNT_SID": "AC123"}),
    ("cc.E008", {"TRANSCRIBER": "magic"}),
    ("cc.E021", {"TWILIO_REGIONS": {"ie1": {"tokens": ["next-token"], "key": "", "secret": ""}}}),
    ("cc.E022", {"TWILIO_API_KEY": "SK1"}),
    ("cc.E022", {"TWILIO_REGIONS": {"ie1": {"tokens": ["irish"], "key": "", "secret": "x"}}}),
    ("cc.E023", {"TWILIO_REGIONS": {"au1": {"tokens": [], "key": "SKau", "secret": "x"}}}),
]


def found(*, deploy: bool) -> list[CheckMessage]:
    return run_checks(tags=["cc"], include_deployment_checks=deploy)


@pytest.mark.parametrize(("id_", "settings"), FAULTS)
def test_a_fault_warns_in_check_and_is_an_error_when_deployed(id_: str, settings: dict[str, Any]) -> None:
    with override_settings(**settings):
        warned, refused = found(deploy=False), found(deploy=True)
    assert [(one.id, one.level) for one in warned] == [(id_, 30)]
    assert (id_, 40) in [(one.id, one.level) for one in refused]
    assert all(one.hint for one in refused)


def test_a_right_configuration_has_no_fault() -> None:
    assert found(deploy=True) == []


def test_http_is_for_a_loopback_address_beside_an_emulator() -> None:
    local = {"PUBLIC_URL": "http://127.0.0.1:8000", "PUBLIC_IS_LOOPBACK": True}
    with override_settings(**local, TWILIO_API_URL="http://127.0.0.1:9010"):
        assert found(deploy=True) == []


def test_known_bad_versions_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = {"Django": "5.2.13", "daphne": "4.2.1rc1"}
    monkeypatch.setattr(checks, "version", bad.__getitem__)
    assert [fault.id for fault in checks.bad_versions()] == ["cc.E005", "cc.E005"]


def test_several_processes_are_right_with_redis() -> None:
    hosts = [{"address": "redis://localhost", "socket_timeout": None}]
    layer = {"default": {"CONFIG": {"hosts": hosts}}}
    with override_settings(WEB_CONCURRENCY=4, REDIS_URL="redis://localhost", CHANNEL_LAYERS=layer):
        assert found(deploy=True) == []
