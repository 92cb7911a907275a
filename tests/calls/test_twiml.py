"""Our TwiML: its shape, and that no text becomes markup."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls import path, twiml
from calls.text import clean

ADDRESSES = twiml.Addresses(next_turn="https://x/twilio/next/1/", call_status="https://x/twilio/call-status/")
TAP = twiml.Tap(
    url="wss://x/media/n/",
    name="tap",
    track="both_tracks",
    status_callback="https://x/twilio/stream-status/",
    parameters={"call": "7"},
)
NUMBER = path.NumberSettings(
    e164="+31201234567", destination="phone", target="+31201234999", consent="", stream=True
)


def parsed(document):
    return ET.fromstring(document)  # noqa: S314  our own document


def shape(document):
    """Tags in order, as (tag, children)."""

    def of(element):
        return element.tag, [of(child) for child in element]

    return of(parsed(document))


def test_the_default_path_is_consent_then_tap_then_dial():
    step = path.first_step(NUMBER, "+31612345678")
    document = twiml.render(step, addresses=ADDRESSES, consent="This call is recorded.", tap=TAP)
    assert shape(document) == (
        "Response",
        [("Say", []), ("Start", [("Stream", [("Parameter", [])])]), ("Dial", [("Number", [])])],
    )


def test_an_agent_is_dialled_in_the_browser():
    step = path.Dial(kind="client", target="agent_jonas", caller_id="+31612345678")
    root = parsed(twiml.render(step, addresses=ADDRESSES))
    client = root.find("Dial/Client")
    assert client is not None
    assert client.text == "agent_jonas"
    assert client.get("statusCallbackEvent") == "initiated ringing answered completed"


def test_a_stream_only_number_speaks_first_and_never_ends_with_start():
    document = twiml.render(path.Listen(), addresses=ADDRESSES, tap=TAP)
    tags = [tag for tag, _ in shape(document)[1]]
    assert tags == ["Start", "Say", "Pause", "Redirect"]
    again = twiml.render(path.Listen(again=True), addresses=ADDRESSES)
    assert [tag for tag, _ in shape(again)[1]] == ["Pause", "Redirect"]


@pytest.mark.parametrize("caller", ["", "anonymous", "client:agent_1", "sip:x@example.com"])
def test_a_caller_without_a_number_is_shown_by_ours(caller):
    step = path.first_step(NUMBER, caller)
    assert isinstance(step, path.Dial)
    assert step.caller_id == "+31201234567"


def test_without_a_destination_somebody_says_so():
    step = path.first_step(
        path.NumberSettings(e164="+31201234567", destination="agent", target="", consent="", stream=True), ""
    )
    assert step == path.End(path.NOBODY)


@pytest.mark.parametrize(
    ("status", "step"),
    [
        ("completed", path.End()),
        ("answered", path.End()),
        ("busy", path.End(path.NOBODY)),
        ("no-answer", path.End(path.NOBODY)),
        ("failed", path.End(path.NOBODY)),
        ("something new", path.End(path.NOBODY)),
    ],
)
def test_after_a_dial(status, step):
    assert path.after_dial(status) == step


HOSTILE = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "</Say><Hangup/>",
            "<!--",
            "]]>",
            "&lt;",
            "\x00",
            "\ud800",
            "<Dial>+88213</Dial>",
            '"/><Play>x</Play>',
        ]
    ),
)


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_no_text_becomes_markup(consent, name, value, target):
    tap = twiml.Tap(url="wss://x/", name="tap", track="both_tracks", status_callback="https://x/",
                    parameters={name: value})  # fmt: skip
    step = path.Dial(kind="number", target=clean(target, 20), caller_id="+31201234567")
    document = twiml.render(step, addresses=ADDRESSES, consent=consent, tap=tap)
    said: list[object] = [("Say", [])] if consent else []
    assert shape(document) == (
        "Response",
        [*said, ("Start", [("Stream", [("Parameter", [])])]), ("Dial", [("Number", [])])],
    )
