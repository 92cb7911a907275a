"""The settings that numbers and TwiML applications share: whom to ask and to tell, and what is only kept."""

from __future__ import annotations

import re
from typing import Any

from emulator.rest.errors import bad
from emulator.rest.forms import Form
from emulator.world import Application, Number

MAX_NAME = 64
BAD_NAME, BAD_URL, BAD_METHOD, NO_PRIMARY, NO_SMS_PRIMARY = 20002, 21402, 21403, 21405, 21406
URLS = {
    "VoiceUrl": "voice_url",
    "VoiceFallbackUrl": "voice_fallback_url",
    "StatusCallback": "status_callback",
}
METHODS = {
    "VoiceMethod": "voice_method",
    "VoiceFallbackMethod": "voice_fallback_method",
    "StatusCallbackMethod": "status_callback_method",
}
SMS_URLS = {"SmsUrl": "sms_url", "SmsFallbackUrl": "sms_fallback_url"}
SMS_METHODS = {"SmsMethod": "sms_method", "SmsFallbackMethod": "sms_fallback_method"}
SHARED = (*URLS, *METHODS, *SMS_URLS, *SMS_METHODS, "FriendlyName", "VoiceCallerIdLookup", "ApiVersion")
VERSIONS = frozenset({"2010-04-01", "2008-08-01"})


def changes(given: Form, of: Number | Application) -> dict[str, Any]:
    """What a request changes, by attribute. Raises RestError 20002, 21402, 21403, 21405."""
    given.choice("ApiVersion", VERSIONS)
    found: dict[str, Any] = {
        attribute: given.callback(name, BAD_URL)
        for name, attribute in URLS.items()
        if given.get(name) is not None
    }
    found |= {
        attribute: given.method(name, code=BAD_METHOD)
        for name, attribute in METHODS.items()
        if given.get(name)
    }
    if (friendly := given.text("FriendlyName", MAX_NAME, BAD_NAME)) is not None:
        found["friendly_name"] = friendly
    if (lookup := given.flag("VoiceCallerIdLookup")) is not None:
        found["voice_caller_id_lookup"] = lookup
    if found.get("voice_fallback_url") and not found.get("voice_url", of.voice_url):
        raise bad("Cannot set VoiceFallbackUrl without setting Url", NO_PRIMARY)
    return found


def kept(given: Form, of: Number | Application) -> dict[str, Any]:
    """What a request says of text messages: it is kept and shown, and nothing comes of it."""
    found: dict[str, Any] = {
        key: given.callback(name, BAD_URL) for name, key in SMS_URLS.items() if given.get(name) is not None
    }
    found |= {
        key: given.method(name, code=BAD_METHOD) for name, key in SMS_METHODS.items() if given.get(name)
    }
    if found.get("sms_fallback_url") and not found.get("sms_url", of.other.get("sms_url")):
        raise bad("Cannot set SmsFallbackUrl without setting SmsUrl", NO_SMS_PRIMARY)
    return found


def sid(given: Form, name: str, prefix: str, code: int = 20001) -> str | None:
    """An id of this kind, "" to take it away. Raises RestError."""
    value = given.get(name)
    if value and not re.fullmatch(f"{prefix}[0-9a-fA-F]{{32}}", value):
        raise bad(f"{name} is not the id of such a resource", code)
    return value


def shown(of: Number | Application) -> dict[str, Any]:
    """The settings as both resources show them."""
    return {
        "friendly_name": of.friendly_name,
        "voice_url": of.voice_url,
        "voice_method": of.voice_method,
        "voice_fallback_url": of.voice_fallback_url,
        "voice_fallback_method": of.voice_fallback_method,
        "voice_caller_id_lookup": of.voice_caller_id_lookup,
        "status_callback": of.status_callback,
        "status_callback_method": of.status_callback_method,
        "sms_url": of.other.get("sms_url", ""),
        "sms_method": of.other.get("sms_method", "POST"),
        "sms_fallback_url": of.other.get("sms_fallback_url", ""),
        "sms_fallback_method": of.other.get("sms_fallback_method", "POST"),
    }
