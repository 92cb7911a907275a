"""One number at Twilio, as the scripted REST keeps it: its addresses, and the region of its calls."""

from typing import Any

from tests.calls.rest import Answer, Asked, Rest, page

E164 = "+31201234567"
SID = "PN" + "1" * 32
ROUTE = f"/v2/PhoneNumbers/{E164}"
RIGHT: dict[str, str | None] = {
    "voice_url": "https://calls.example.com/twilio/voice/",
    "voice_method": "POST",
    "voice_fallback_url": "https://calls.example.com/twilio/fallback/",
    "voice_fallback_method": "POST",
    "status_callback": "https://calls.example.com/twilio/call-status/",
    "status_callback_method": "POST",
    "voice_application_sid": None,
    "trunk_sid": None,
}


class Twilio:
    """Answers for the number, and takes in what is set; `fields` are what differs from right."""

    def __init__(self, rest: Rest, *, voice_region: str = "us1", **fields: Any) -> None:
        self.body = {"sid": SID, "phone_number": E164, "friendly_name": "Support", **RIGHT, **fields}
        self.voice_region = voice_region
        rest.rules.insert(0, self._answer)

    def _answer(self, asked: Asked) -> Answer | None:
        if asked.path == "/IncomingPhoneNumbers.json":
            return 200, page("incoming_phone_numbers", [self.body])
        if asked.path == f"/IncomingPhoneNumbers/{SID}.json":
            self.body |= {_snake(name): value for name, value in asked.form.items()}
            return 200, self.body
        if asked.path == ROUTE:
            self.voice_region = asked.form.get("VoiceRegion", self.voice_region)
            return 200, {"phone_number": E164, "voice_region": self.voice_region}
        return None


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).strip("_")
