"""Access tokens: which open a phone, and what Twilio says of the others."""

from typing import Any

import jwt
import pytest

from emulator.account import Credentials
from emulator.phone.token import Grant, TokenError, read
from tests.emulator.conftest import ACCOUNT_SID, Box
from tests.emulator.pages import APPLICATION, KEY, SECRET, open_account, token


def opened(box: Box, text: str) -> Grant:
    return read(text, box.exchange.world.account, box.clock.now())


def forged(box: Box, head: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token signed rightly, with other claims than Twilio's library would write."""
    now = int(box.clock.now().timestamp())
    grants = {"identity": "agent_7", "voice": {"incoming": {"allow": True}}}
    body = {"iss": KEY, "sub": ACCOUNT_SID, "nbf": now, "exp": now + 60, "grants": grants, **claims}
    body = {name: value for name, value in body.items() if value is not None}
    return jwt.encode(body, SECRET, "HS256", {"cty": "twilio-fpa;v=1"} if head is None else head)


def test_a_token_of_twilios_library_says_who_it_is_and_what_it_may(box: Box) -> None:
    open_account(box)
    now = box.clock.now().timestamp()
    grant = opened(box, token(box, params={"desk": "north"}))
    assert grant == Grant("agent_7", "us1", now + 3600, True, APPLICATION, {"desk": "north"})


def test_incoming_is_not_allowed_unless_it_says_so(box: Box) -> None:
    open_account(box)
    assert opened(box, token(box, incoming=None)).incoming is False


def test_a_region_has_keys_of_its_own(box: Box) -> None:
    open_account(box)
    box.exchange.world.account.elsewhere["ie1"] = Credentials("t", {"SKie": "s" * 32})
    assert opened(box, token(box, region="ie1", key="SKie", secret="s" * 32)).region == "ie1"
    with pytest.raises(TokenError) as refusal:
        opened(box, token(box, region="ie1"))
    assert refusal.value.code == 20101


def test_what_is_no_token_is_invalid(box: Box) -> None:
    open_account(box)
    for text in ("", "nonsense", "a.b.c", "x" * 9000, token(box)[:-3], token(box) + "é"):
        with pytest.raises(TokenError) as refusal:
            opened(box, text)
        assert refusal.value.code == 20101


@pytest.mark.parametrize(
    "other",
    [
        {"secret": "another secret that is long enough for it"},
        {"key": "SK" + "0" * 32},
        {"account": "AC" + "0" * 32},
        {"region": "jp1"},
        {"nbf": 4_000_000_000, "valid_until": 4_000_000_060},
    ],
    ids=["wrong secret", "unknown key", "another account", "unknown region", "not valid yet"],
)
def test_a_token_that_cannot_be_believed_is_invalid(box: Box, other: dict[str, Any]) -> None:
    open_account(box)
    with pytest.raises(TokenError) as refusal:
        opened(box, token(box, **other))
    assert refusal.value.code == 20101


@pytest.mark.parametrize("seconds", [0, -1, 24 * 3600 + 60], ids=["now", "a second ago", "in over a day"])
def test_a_token_expires_within_a_day(box: Box, seconds: int) -> None:
    open_account(box)
    with pytest.raises(TokenError) as refusal:
        opened(box, token(box, valid_until=int(box.clock.now().timestamp()) + seconds))
    assert refusal.value.code == 20104


@pytest.mark.parametrize("identity", ["a b", "a<b", "tab\there", "x" * 257, 'quo"te'])
def test_an_identity_has_no_space_or_delimiter(box: Box, identity: str) -> None:
    open_account(box)
    with pytest.raises(TokenError) as refusal:
        opened(box, token(box, identity))
    assert refusal.value.code == 31105


@pytest.mark.parametrize(
    "claims",
    [
        {"grants": None},
        {"grants": {"identity": "agent_7"}},
        {"grants": {"voice": {}}},
        {"grants": {"identity": 7, "voice": {}}},
        {"grants": [1]},
        {"exp": None},
        {"exp": 10**400},
        {"nbf": -1},
    ],
    ids=["nothing", "no voice", "nobody", "a number", "a list", "no end", "no time", "before time"],
)
def test_claims_that_make_no_sense_are_invalid(box: Box, claims: dict[str, Any]) -> None:
    open_account(box)
    with pytest.raises(TokenError) as refusal:
        opened(box, forged(box, **claims))
    assert refusal.value.code == 20101


def test_a_jwt_of_another_kind_is_invalid(box: Box) -> None:
    open_account(box)
    with pytest.raises(TokenError, match="cty"):
        opened(box, forged(box, {}))
