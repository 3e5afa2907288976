"""Hostile values and mutations: what a fuzzer puts where a clean value belongs.

The planted name stands in every seed, so that a log that holds it quotes clinical data.
"""
# ruff: noqa: E501, RUF001 rows of hostile values are kept one to a line

import json
import random
from typing import Any

PLANTED = "Zyxwquuxname"
Json = Any

LONG = "x" * 70_000
TEXTS = (
    *("", " ", "\x00", "a\x00b", "\x7f\x01", "\ud800", "\udfff\ud800", "\ufffe", "\u202e", "\u00e9\u0301", "\U0001f469\u200d"),
    *("%", "%%", "%00", "%zz", "|", "||", "|||", "$", "$$", "\\", "\\|", "\\,", "\\\\$", ",", ",,", "'", '"', "';--", "_", "*"),
    *("(", ")", "((", "[", "{", "}", "<", ">", "<script>alert(1)</script>", "&lt;", "]]>", "<!--", "${jndi:x}", "{{7*7}}"),
    *("../../etc/passwd", "..%2f", "/", "//", "a/b", "#", "#x", "?", "&", "=", ";", ":", "\r\n", "\n", "\t", "\u2028", "+", "-", "."),
    *("null", "true", "NaN", "Infinity", "-0", "00", "1e5", "1e400", "-1e-400", "1e99999", "9" * 30, "-" + "9" * 30, "0.1" + "0" * 90),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775809", "2147483648", "9" * 5000),
    *("2020", "2020-13", "2020-02-30", "0000-01-01", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59.999999+14:00"),
    *("0001-01-01T00:00:00+14:00", "2020-01-01T24:00:00Z", "2020-01-01T00:00:60Z", "2020-01-01T00:00:00+99:99"),
    *("2020-01-01T00:00:00.123456789012345Z", "10000-01-01", "-0001-01-01", "2020-W01", "12:00:00", "T", "Z", "2020-01-01T"),
    *("Patient/1", "Patient/", "/Patient/1", "Patient/1/_history/1", "Patient/1/_history/x", "urn:uuid:x", "urn:oid:1.2", "Nothing/1"),
    *("http://[", "http://[::1", "http://x:99999999/fhir/Patient/1", "http://127.0.0.1/fhir/Patient/1", "urn:uuid:", "#", "javascript:1"),
    *("mg", "http://unitsofmeasure.org|mg", "5|http://unitsofmeasure.org|mg", "5||", "|5", "5.40e-3|u|g/(dL.{", "10*1000000000000", "m" * 300),
    *("Patient?name=x", "Patient?_id=1", "a:b:c", "a.b.c.d", ":", "::", ".", "..", "a..b", "_id", "true,false", "1,2,3", "$1", "%s", "%(x)s", "?1", ":x"),
    *("ß", "İ", "ŉ", "ﬃ", "\u1e9e", "e\u0301" * 50, "\u0300" * 500, "\u0430" * 3000, "𝒳" * 1000, PLANTED, LONG[:3000]),
)
SCALARS: tuple[Json, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, 2**64, -(2**63) - 1, 10**30, 10**99, 0.1, 1e308, -0.0, 1e-300),
    *([], {}, [[]], [{}], [None], {"": ""}, {"resourceType": "Patient"}, {"reference": "Patient/1"}, {"x": None}, [[[[[]]]]]),
)
KEYS = (
    *("id", "resourceType", "extension", "modifierExtension", "contained", "text", "meta", "_id", "_birthDate", "implicitRules"),
    *("value", "valueQuantity", "valueString", "valueDecimal", "code", "coding", "system", "reference", "identifier", "period"),
    *("", " ", "__proto__", "constructor", "x" * 300, "a\x00b", "\ud800", "fhir_comments", "$ref", "@type", "#", "entry", "resource"),
)


def hostile(chance: random.Random) -> str:
    """A hostile text; now and then a very long one or two joined."""
    if chance.random() < 0.02:
        return LONG
    if chance.random() < 0.15:
        return chance.choice(TEXTS) + chance.choice(("", "|", ",", "$", " ", "/")) + chance.choice(TEXTS)
    return chance.choice(TEXTS)


def mutated(chance: random.Random, seed: Json, times: int) -> Json:
    """A deep copy of ``seed`` with ``times`` mutations."""
    copy = json.loads(json.dumps(seed))
    for _ in range(times):
        copy = _MUTATIONS[chance.randrange(len(_MUTATIONS))](chance, copy)
    return copy


def encoded(chance: random.Random, value: Json) -> bytes:
    """``value`` as JSON; one in six with bytes changed afterwards."""
    escaped = chance.random() < 0.5
    data = json.dumps(value, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    return spoiled(chance, data) if chance.random() < 0.16 else data


def spoiled(chance: random.Random, data: bytes) -> bytes:
    """``data`` cut, doubled, or with single bytes replaced, or with invalid UTF-8 put in."""
    at = chance.randrange(len(data) + 1)
    other = chance.randrange(len(data) + 1)
    low, high = min(at, other), max(at, other)
    return chance.choice(
        (
            data[:at],
            data[low:high],
            data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :],
            data[:at] + chance.choice(_BYTES) + data[at:],
            data[:high] + data[low:],
            data + data,
            chance.choice(_BYTES) + data,
        )
    )


_BYTES = (
    *(b"\x00", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\x80", b"\\ud800", b"\\u0000"),
    *(b"NaN", b"1e999999999", b"1" * 5000, b"[" * 5000, b'{"a":' * 500, b"/*", b",", b"'", b"}", b"]", b'"', b"\\"),
)


def _places(value: Json) -> list[tuple[Json, Any]]:
    found: list[tuple[Json, Any]] = []
    todo = [value]
    while todo and len(found) < 3000:
        holder = todo.pop()
        for key, part in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            found.append((holder, key))
            if isinstance(part, dict | list):
                todo.append(part)
    return found


def _somewhere(chance: random.Random, root: Json) -> tuple[Json, Any] | None:
    places = _places(root) if isinstance(root, dict | list) else []
    return chance.choice(places) if places else None


def _replace(chance: random.Random, root: Json) -> Json:
    if place := _somewhere(chance, root):
        place[0][place[1]] = hostile(chance) if chance.random() < 0.6 else json.loads(json.dumps(chance.choice(SCALARS)))
    return root


def _remove(chance: random.Random, root: Json) -> Json:
    if place := _somewhere(chance, root):
        del place[0][place[1]]
    return root


def _rename(chance: random.Random, root: Json) -> Json:
    place = _somewhere(chance, root)
    if place and isinstance(place[0], dict):
        old = place[1]
        name = chance.choice((chance.choice(KEYS), "_" + old, old[:-1], old + "x", old.upper()))
        place[0][name] = place[0].pop(old)
    return root


def _insert(chance: random.Random, root: Json) -> Json:
    place = _somewhere(chance, root)
    value = hostile(chance) if chance.random() < 0.5 else chance.choice(SCALARS)
    if place and isinstance(place[0], dict):
        place[0][chance.choice(KEYS)] = json.loads(json.dumps(value))
    elif place:
        place[0].insert(place[1], json.loads(json.dumps(value)))
    return root


def _graft(chance: random.Random, root: Json) -> Json:
    place, other = _somewhere(chance, root), _somewhere(chance, root)
    if place and other:
        place[0][place[1]] = json.loads(json.dumps(other[0][other[1]]))
    return root


def _wrap(chance: random.Random, root: Json) -> Json:
    if place := _somewhere(chance, root):
        value = place[0][place[1]]
        for _ in range(chance.choice((1, 1, 2, 30, 98, 105, 300))):
            value = [value] if chance.random() < 0.5 else {chance.choice(KEYS[:16]): value}
        place[0][place[1]] = value
    return root


def _unwrap(chance: random.Random, root: Json) -> Json:
    place = _somewhere(chance, root)
    if place and isinstance(place[0][place[1]], list) and place[0][place[1]]:
        place[0][place[1]] = place[0][place[1]][0]
    return root


def _twist(chance: random.Random, root: Json) -> Json:
    place = _somewhere(chance, root)
    if place and isinstance(place[0][place[1]], str):
        text, at = place[0][place[1]], chance.randrange(len(place[0][place[1]]) + 1)
        place[0][place[1]] = text[:at] + chance.choice(TEXTS) + text[at:]
    return root


def _repeat(chance: random.Random, root: Json) -> Json:
    place = _somewhere(chance, root)
    if place and isinstance(place[0][place[1]], list) and len(json.dumps(place[0][place[1]])) < 5000:
        place[0][place[1]] = place[0][place[1]] * chance.choice((2, 2, 50))
    return root


_MUTATIONS = (_replace, _replace, _replace, _remove, _rename, _insert, _graft, _wrap, _unwrap, _twist, _twist, _repeat)
