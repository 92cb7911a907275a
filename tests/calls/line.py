"""A caller's line to the webhooks: signed requests in, documents out, the addresses in them followed."""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

from django.test import Client

from tests import factories, twilio

_QUEUE = {"QueueSid": "QU" + "3" * 32, "QueuePosition": "1", "CurrentQueueSize": "1", "AvgQueueTime": "0"}


@dataclass
class Line:
    """One call. Every method posts as Twilio would and gives the document back."""

    to: str = "+31201234567"
    caller: str = "+31612345678"
    sid: str = field(default_factory=lambda: factories.sid("CA"))
    client: Client = field(default_factory=Client)

    def post(self, path, **fields):
        """One signed request; the document as text."""
        told = {
            "CallSid": self.sid,
            "From": self.caller,
            "To": self.to,
            "CallStatus": "in-progress",
            **fields,
        }
        answer = twilio.signed_post(self.client, path, twilio.voice_fields(**told))
        assert answer.status_code == 200
        return answer.content.decode()

    def ring(self, **fields):
        """The call comes in."""
        return self.post("/twilio/voice/", **{"CallStatus": "ringing", **fields})

    def go(self, document, **fields):
        """Follow the document's `next` address: a redirect, or the action of a verb that is over."""
        return self.post(address(document, "next"), **fields)

    def wait(self, document, **fields):
        """One more round of the wait that the document leads to."""
        return self.post(address(document, "queue"), **_QUEUE, **fields)

    def key(self, document, **fields):
        """Answer the document's <Gather>: Digits="1", SpeechResult="…" or nothing."""
        return self.post(address(document, "gather"), **fields)

    def out(self, document, result, **fields):
        """The <Enqueue> of the document is over."""
        return self.go(document, QueueResult=result, QueueSid=_QUEUE["QueueSid"], QueueTime="9", **fields)


def address(document, kind):
    """The path of the document's one address of a kind."""
    [turn] = set(re.findall(rf"/twilio/{kind}/([0-9a-f]{{32}})/", document))
    return f"/twilio/{kind}/{turn}/"


def tags(document):
    """The verbs of a document, in order."""
    return [element.tag for element in ET.fromstring(document)]  # noqa: S314  our own document


def said(document):
    """All that is said, in order."""
    root = ET.fromstring(document)  # noqa: S314  our own document
    return [element.text for element in root.iter("Say")]
