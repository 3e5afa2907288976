"""JSON comes back as it went in, and what FHIR refuses is refused with its place.

FHIR R4 JSON representation (https://hl7.org/fhir/R4/json.html).
"""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources import json_codec
from resources.errors import BadSyntax, TooLarge
from resources.json_codec import MAX_DEPTH, decode, decode_stored, encode, pretty

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = st.integers() | st.decimals(-1000, 1000, places=3)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize("number", ["1.00", "0.0", "-0.0", "1E+2", "1E-7", "123456789.123456789123456789", "10", "-3"])
def test_numbers_keep_their_digits(number):
    assert encode(decode(b'{"value":%s}' % number.encode())) == b'{"value":%s}' % number.encode()


def test_an_exponent_is_respelled_with_the_same_precision():
    assert encode(decode('{"value":1.0e2}')) == b'{"value":1.0E+2}'


def test_a_large_integer_is_kept():
    assert decode(b'{"value":%d}' % 10**60)["value"] == 10**60


def test_stored_bytes_are_read_alike():
    data = encode(decode(b'{"a": [1.00, {"b": "\\u00e9"}]}'))
    assert decode_stored(data) == decode(data)
    assert encode(decode_stored(data)) == data


def test_a_byte_order_mark_and_text_are_tolerated():
    assert decode(b'\xef\xbb\xbf{"a":"\xc3\xa9"}') == {"a": "é"} == decode('\ufeff{"a":"é"}')


@given(st.dictionaries(TEXT, VALUES, max_size=5))
def test_whatever_json_writes_is_read(value):
    for text in (json.dumps(value, default=float), encode(value)):
        again = decode(text)
        assert decode(encode(again)) == again
    assert decode(encode(value)) == value


MALFORMED = [
    (b'{"a":1,\n "b": tru}', "line 2, column 7"),
    ('{"é":"é", x}'.encode(), "line 1, column 11"),
    (b'{"a":NaN}', "line 1, column 6"),
    (b'{"a":-Infinity}', "line 1, column 7"),
    (b'{"a":01}', "line 1, column 7"),
    (b'{"a":[1,]}', "line 1, column 9"),
    (b'{"a":1 "b":2}', "line 1, column 8"),
    (b'{"a":1} x', "line 1, column 9"),
    (b'{"a":"\x01"}', "line 1, column 7"),
    (b'{"a":"\\x"}', "line 1, column 7"),
    (b"<Patient/>", "line 1, column 1"),
    (b'{"a":', "ends too early"),
    (b'{"a":1', "line 1, column 7"),
    (b"", "ends too early"),
    (b"[1]", "not a JSON object"),
    (b'{"a":"\xff"}', "not UTF-8 at line 1, column 7"),
    (b'{"a":"\\ud800"}', "line 1, column 7: half of a surrogate pair"),
    (b'{"a":"\\udc00"}', "surrogate"),
    ('{"a":"\ud800"}', "surrogate"),
]


@pytest.mark.parametrize(("body", "expected"), MALFORMED)
def test_malformed_json_names_the_place(body, expected):
    with pytest.raises(BadSyntax) as caught:
        decode(body)
    assert expected in str(caught.value)
    assert caught.value.issues[0].code == "structure"


DUPLICATES = [
    '{"a":1,"a":1}',
    '{"a":1,"b":{"c":[{"d":1,\n"d":2}]}}',
    '{"a":1,"\\u0061":1}',
    '{"a":1,"a":"\\u003a\\u003A"}',
    '{"a":1,"a":"\\\\\\":,"}',
    '{"a":{"b":"]"},"x":"\\"","a":[":"]}',
]


@pytest.mark.parametrize("body", DUPLICATES)
def test_duplicate_names_are_refused(body):
    with pytest.raises(BadSyntax, match="stands twice in one object, again at line"):
        decode(body)


def test_a_duplicate_in_a_long_document_is_named(monkeypatch):
    monkeypatch.setattr(json_codec, "MAX_SEARCHED", 10)
    with pytest.raises(BadSyntax, match=r"'d' stands twice in one object$"):
        decode(DUPLICATES[1])


def test_a_duplicate_is_named_with_its_place():
    with pytest.raises(BadSyntax, match=r"'d' stands twice in one object, again at line 2, column 1$"):
        decode(DUPLICATES[1])


@given(st.lists(st.sampled_from(["a", "b", ":", '"', "\\", "é"]), min_size=1, max_size=6), TEXT, st.booleans())
def test_duplicates_are_found_exactly(names, value, ascii_only):
    members = ",".join(f"{json.dumps(n, ensure_ascii=ascii_only)}: {json.dumps([value, n])}" for n in names)
    body = "{" + members.replace(":", "\\u003a", 1) + "}" if names[0] == ":" else "{" + members + "}"
    if len(set(names)) == len(names):
        assert list(decode(body)) == names
    else:
        with pytest.raises(BadSyntax, match="twice"):
            decode(body)


def _nested(levels):
    return '{"a":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


def test_depth_is_limited_exactly():
    assert decode(_nested(MAX_DEPTH))
    with pytest.raises(BadSyntax, match="nested deeper"):
        decode(_nested(MAX_DEPTH + 1))
    with pytest.raises(BadSyntax, match="nested deeper"):
        decode(_nested(MAX_DEPTH + 1).replace("[]", '["]]]]]]]"]'))
    with pytest.raises(BadSyntax, match="nested deeper"):
        decode(_nested(10_000))


def test_brackets_in_strings_do_not_count():
    wide = {"a": [{"b": '[[{{"\\'}] * 200}
    assert decode(encode(wide)) == wide


@pytest.mark.parametrize("number", ["1." + "1" * 200_000, "1" * 200_000, "1e401", "1e-401", "1e99999999999999999999"])
def test_endless_numbers_are_refused(number):
    with pytest.raises(BadSyntax, match="line 1, column 12 is out of range"):
        decode('{"b":2,"a":' + number + "}")


def test_size_is_limited(monkeypatch):
    with pytest.raises(TooLarge):
        decode(b'{"a":"' + b"x" * 100 + b'"}', limit=50)
    monkeypatch.setattr(json_codec, "MAX_VALUES", 10)
    with pytest.raises(TooLarge):
        decode(b'{"a":[' + b"1," * 20 + b"1]}")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_no_nan_is_written(number):
    with pytest.raises(ValueError, match="NaN"):
        encode({"a": [Decimal(number)]})
    assert encode({"a": number}) == b'{"a":"%s"}' % number.encode()


def test_pretty_indents_and_keeps_numbers():
    assert pretty(b'{"a":[1.00]}') == b'{\n  "a": [\n    1.00\n  ]\n}'


def test_very_many_duplicates_are_told_in_one_pass(monkeypatch):
    monkeypatch.setattr(json_codec, "MAX_SEARCHED", 10)
    with pytest.raises(BadSyntax, match="'a' stands twice"):
        decode("{" + ",".join(['"a":1'] * 100_000 + ['"b":1']) + "}")
