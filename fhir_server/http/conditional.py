"""Version and date headers: ETag, If-Match, If-None-Match, If-Modified-Since, Last-Modified.

FHIR R4 conditional read and version-aware updates (https://hl7.org/fhir/R4/http.html#cread, #concurrency), RFC 9110.
"""

import re
import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from resources.errors import BadSyntax, PreconditionFailed
from resources.repository import ANY_VERSION, Version

_ETAG = re.compile(r'(?:W/)?"([^"]*)"|([A-Za-z0-9.-]+)')
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def etag(version: int) -> str:
    """The weak entity tag of a version: ``W/"3"``."""
    return f'W/"{version}"'


@lru_cache(maxsize=1024)
def http_date(seconds: int) -> str:
    """``seconds`` since 1970 UTC as an HTTP date."""
    t = time.gmtime(seconds)
    day, month = _DAYS[t.tm_wday], _MONTHS[t.tm_mon]
    return f"{day}, {t.tm_mday:02} {month} {t.tm_year:04} {t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} GMT"


def version_headers(version: Version) -> list[tuple[str, str]]:
    """ETag and Last-Modified of a version."""
    return [("ETag", etag(version.version)), ("Last-Modified", http_date(version.updated // 1000))]


def if_match(header: str) -> int | None:
    """The version an If-Match header or Bundle ``ifMatch`` names; None without one, ANY_VERSION for ``*``. Raises
    BadSyntax, PreconditionFailed (a tag that no version of this server can have)."""
    if not header:
        return None
    if header.strip() == "*":
        return ANY_VERSION
    tags = _tags(header)
    if len(tags) != 1:
        raise BadSyntax('If-Match takes one version, such as W/"3".')
    if not (tags[0].isascii() and tags[0].isdigit()) or len(tags[0]) > 18 or int(tags[0]) == ANY_VERSION:
        raise PreconditionFailed(f'If-Match: {header[:60]} is no version of this resource; versions are such as W/"3".')
    return int(tags[0])


def if_none_match_any(header: str) -> bool:
    """Whether If-None-Match of a write is ``*``: create only. Raises BadSyntax for any other value."""
    if not header:
        return False
    if header.strip() != "*":
        raise BadSyntax("If-None-Match of a write takes * only.")
    return True


def not_modified(version: Version, none_match: str, modified_since: str) -> bool:
    """Whether a read is to be answered 304: If-None-Match decides, If-Modified-Since only without it."""
    if none_match:
        return none_match.strip() == "*" or str(version.version) in _tags(none_match)
    if modified_since:
        seconds = _seconds(modified_since)
        return seconds is not None and version.updated // 1000 <= seconds
    return False


def _tags(header: str) -> list[str]:
    return [quoted or bare for quoted, bare in _ETAG.findall(header.replace("W/", ""))]


def _seconds(header: str) -> int | None:
    # RFC 9110 13.1.3: an invalid date is as no header. Bundle.entry.request.ifModifiedSince is an instant.
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            return int(parse(header).timestamp())
        except (ValueError, TypeError, OverflowError):
            continue
    return None
