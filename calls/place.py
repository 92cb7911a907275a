"""Where a telephone number is from, and what time it is there: by the number alone, nobody is asked.

The tables of places and zones take half a second and 100 MB to load, so they are loaded at the first number:
only processes that show a caller pay for them.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers

from calls.telephones import parsed, spaced
from calls.text import E164, clean, is_withheld

__all__ = ["Place", "of", "time_there"]

_UNKNOWN = "Etc/Unknown"


@dataclass(frozen=True)
class Place:
    """What a number tells: how people write it, the town or country, and its time zones."""

    shown: str
    place: str = ""
    zones: tuple[str, ...] = ()


@lru_cache(maxsize=2048)
def of(caller: str) -> Place:
    """The place of a caller as Twilio gave it; words, browsers and SIP addresses have none. Never raises."""
    if is_withheld(caller):
        return Place("Withheld")
    number = parsed(caller) if E164.fullmatch(caller) else None
    if number is None:
        return Place(caller)
    from phonenumbers import geocoder, timezone

    place = geocoder.description_for_number(number, "en") or geocoder.country_name_for_number(number, "en")
    zones = timezone.time_zones_for_number(number)
    if not place and (country := _country(number)):  # a number that its country lists nowhere
        place = geocoder.country_name_for_number(country, "en")
        zones = timezone.time_zones_for_number(country)
    zones = tuple(zone for zone in zones if zone != _UNKNOWN)
    return Place(spaced(number), clean(place, 80), zones)


def time_there(place: Place, now: datetime) -> tuple[str, str]:
    """The time of day such as "14:05" and the name of a zone; empty if the zones differ or none is known.

    A mobile or toll-free number of a wide country has many zones: they count only when all show one time.
    """
    times = {zone: local for zone in place.zones if (local := _time(zone, now))}
    if not times or len(set(times.values())) != 1:
        return "", ""
    zone, local = next(iter(times.items()))
    return local, zone


def _country(number: Any) -> Any:
    """A number that stands for the country of the code, or None where a code has several countries."""
    regions = phonenumbers.region_codes_for_country_code(number.country_code)
    main = [code for code in regions if code not in {"GG", "JE", "IM"}]  # islands of +44
    return phonenumbers.example_number(main[0]) if len(main) == 1 else None


def _time(zone: str, now: datetime) -> str:
    try:
        return now.astimezone(ZoneInfo(zone)).strftime("%H:%M")
    except (ZoneInfoNotFoundError, ValueError):  # a machine without this zone
        return ""
