"""The JSON form is written as XML in the order of the definitions.

FHIR R4 XML representation (https://hl7.org/fhir/R4/xml.html).
"""

from decimal import Decimal

import pytest

from resources.errors import Invalid, NotAcceptable
from resources.xml_reader import decode
from resources.xml_writer import encode

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">'


def inner(**members):
    text = encode({"resourceType": "Patient", **members}).decode()
    return text.partition('<Patient xmlns="http://hl7.org/fhir">')[2].removesuffix("</Patient>")


def test_elements_stand_in_the_order_of_the_definition():
    written = inner(birthDate="1970", _active={"id": "a"}, id="1", name=[{"given": ["A"], "family": "B"}], active=True)
    assert written == (
        '<id value="1"/><active value="true" id="a"/>'
        '<name><family value="B"/><given value="A"/></name><birthDate value="1970"/>'
    )


def test_extensions_have_their_url_as_an_attribute():
    extension = {"url": "http://x?a&b", "valueDecimal": Decimal("1.00"), "id": "e"}
    assert inner(extension=[extension]) == (
        '<extension id="e" url="http://x?a&amp;b"><valueDecimal value="1.00"/></extension>'
    )


def test_listed_primitives_meet_their_extensions():
    written = inner(name=[{"given": ["A", None], "_given": [None, {"id": "b"}, {"id": "c"}]}])
    assert written == '<name><given value="A"/><given id="b"/><given id="c"/></name>'


def test_an_empty_resource_and_resources_inside():
    assert encode({"resourceType": "Basic"}).endswith(b'?><Basic xmlns="http://hl7.org/fhir"/>')
    assert inner(contained=[{"resourceType": "Basic", "id": "b"}]) == (
        '<contained><Basic><id value="b"/></Basic></contained>'
    )


def test_white_space_in_values_survives():
    text = " a\tb\nc\rd \"<&>' é \U0001f600 "
    assert decode(encode({"resourceType": "Basic", "id": text}))["id"] == text


def test_pretty_output_is_indented():
    assert encode({"resourceType": "Patient", "name": [{"family": "B"}]}, pretty=True).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Patient xmlns="http://hl7.org/fhir">\n  <name>\n'
        '    <family value="B"/>\n  </name>\n</Patient>'
    )


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (DIV + "<b a='1'>x</b><br /></div>", None),
        (DIV + "a\r\nb</div>", DIV + "a&#xD;\nb</div>"),
        (DIV + "&nbsp;&amp;&copy;</div>", DIV + "&#160;&amp;&#169;</div>"),
        ("<div>x</div>", DIV + "x</div>"),
    ],
)
def test_a_narrative_keeps_its_spelling(given, written):
    assert inner(text={"div": given}) == f"<text>{written or given}</text>"


def test_a_carriage_return_in_a_narrative_survives():
    div = DIV + "a\r\nb</div>"
    assert decode(encode({"resourceType": "Patient", "text": {"div": div}}))["text"]["div"] == div


@pytest.mark.parametrize(
    "div",
    [
        DIV + "</div><Patient/>", DIV + "<p></div>", DIV + "&bogus;</div>", '<p xmlns="http://www.w3.org/1999/xhtml"/>',
        "<!DOCTYPE div>" + DIV + "</div>", "text", '<div xmlns="urn:x"/>', "",
    ],
)  # fmt: skip
def test_a_narrative_that_is_no_div_is_not_written(div):
    with pytest.raises(NotAcceptable, match="narrative"):
        inner(text={"div": div})


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\ufffe"])
def test_characters_without_a_form_in_xml_are_not_written(character):
    with pytest.raises(NotAcceptable, match=r"U\+.* has no form in XML"):
        inner(id=f"a{character}")


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"nam": []}, "'nam' is not an element of Patient; did you mean 'name'"),
        ({"name": {}}, "'name' is a list"),
        ({"maritalStatus": [{}]}, "'maritalStatus' is one value"),
        ({"birthDate": ["1970"]}, "'birthDate' is a primitive"),
        ({"birthDate": {"a": 1}}, "'birthDate' is a primitive"),
        ({"_birthDate": [1]}, "'_birthDate' is an object"),
        ({"name": ["x"]}, "'name' is an object"),
        ({"_name": [], "name": []}, "'_name' has no meaning"),
        ({"_name": []}, "'_name' has no meaning"),
        ({"text": {"div": 1}}, "'div' is XHTML"),
        ({"contained": [{"resourceType": "Nothing"}]}, "'Nothing' is not a resource type"),
        ({"contained": ["x"]}, "is not a resource type"),
    ],
)
def test_what_is_no_resource_is_refused(members, expected):
    with pytest.raises(Invalid, match=expected):
        inner(**members)
