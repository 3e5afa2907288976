"""What the text of a setting can be: each parses or raises ValueError with what was expected."""

import re
from ipaddress import ip_network
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}
_LONGEST_LEAD = 20_160
"""Minutes of a fortnight."""
_HOURS = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]")


def flag(text: str) -> bool:
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise ValueError("expected true or false")


def one_of(*choices: str) -> Any:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"expected one of {', '.join(choices)}")
        return text

    return parse


def listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def places(text: str) -> tuple[str, ...]:
    named = listed(text)
    for place in named:
        try:
            ip_network(place)
        except ValueError:
            raise ValueError(f"expected addresses, or networks such as 10.0.0.0/8, not {place!r}") from None
    return named


def whole(lowest: int, highest: int) -> Any:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
            raise ValueError(f"expected a whole number from {lowest} to {highest}")
        return int(text)

    return parse


def zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise ValueError("expected a time zone such as Europe/Berlin") from None


def minutes_before(text: str) -> tuple[int, ...]:
    parts = listed(text)
    if not all(part.isascii() and part.isdigit() and 0 < int(part) <= _LONGEST_LEAD for part in parts):
        raise ValueError(f"expected minutes from 1 to {_LONGEST_LEAD}, separated by commas, such as 1440,60")
    return tuple(sorted(map(int, parts), reverse=True))


def hours_of_day(text: str) -> str:
    if text and not _HOURS.fullmatch(text):
        raise ValueError("expected two times of day such as 21:00-08:00, or nothing")
    return text
