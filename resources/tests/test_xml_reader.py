"""XML is read as the JSON form would give it, and mistakes are named with their place.

FHIR R4 XML representation (https://hl7.org/fhir/R4/xml.html).
"""

from decimal import Decimal

import pytest

from resources import xml_reader
from resources.errors import BadSyntax, TooLarge
from resources.xml_reader import decode

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">'


def patient(inner, attributes=""):
    return decode(f'<?xml version="1.0"?>\n<Patient xmlns="http://hl7.org/fhir"{attributes}>{inner}</Patient>')


def refused(inner):
    with pytest.raises(BadSyntax) as caught:
        patient(inner)
    return caught.value.issues


def test_primitives_get_their_json_types():
    read = patient('<active value="true"/><birthDate value="1970-03"/><multipleBirthInteger value="2"/>')
    assert read == {"resourceType": "Patient", "active": True, "multipleBirthInteger": 2, "birthDate": "1970-03"}


@pytest.mark.parametrize("text", ["1.00", "0.0", "-0.0", "1E+2", "1E-7", "0.123456789012345678901234567890"])
def test_decimals_keep_their_digits(text):
    read = decode(f'<Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value="{text}"/></valueQuantity>'
                  "</Observation>")  # fmt: skip
    assert isinstance(read["valueQuantity"]["value"], Decimal)
    assert str(read["valueQuantity"]["value"]) == text


@pytest.mark.parametrize("text", ["", "+1", "01", "1.", "NaN", "x", "1e999999999", "9" * 200_000])
def test_what_is_no_decimal_stays_text(text):
    read = decode(f'<Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value="{text}"/></valueQuantity>'
                  "</Observation>")  # fmt: skip
    assert read["valueQuantity"]["value"] == text


@pytest.mark.parametrize(("name", "text"), [("active", "yes"), ("active", "1"), ("multipleBirthInteger", "2.0")])
def test_what_is_not_of_its_type_stays_text(name, text):
    assert patient(f'<{name} value="{text}"/>')[name] == text


def test_lists_follow_the_definition():
    assert patient('<name><given value="A"/></name>')["name"] == [{"given": ["A"]}]


def test_extensions_of_listed_primitives_are_aligned():
    extension = '<extension url="http://x"><valueBoolean value="true"/></extension>'
    others = '<given id="c" value="C"/><given value="D"/>'
    read = patient(f'<name><given value="A"/><given>{extension}</given>{others}</name>')
    assert read["name"][0] == {
        "given": ["A", None, "C", "D"],
        "_given": [None, {"extension": [{"url": "http://x", "valueBoolean": True}]}, {"id": "c"}, None],
    }


def test_a_list_of_extensions_only_has_no_values():
    extension = '<extension url="http://x"><valueBoolean value="true"/></extension>'
    assert list(patient(f"<name><given>{extension}</given></name>")["name"][0]) == ["_given"]


def test_a_single_primitive_keeps_value_and_extension():
    read = patient('<birthDate id="b" value="1970"/>')
    assert (read["birthDate"], read["_birthDate"]) == ("1970", {"id": "b"})


def test_contained_resources_and_schema_locations():
    read = patient(
        '<contained><Organization><id value="o"/></Organization></contained>',
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://hl7.org/fhir x.xsd"',
    )
    assert read["contained"] == [{"resourceType": "Organization", "id": "o"}]


def test_a_prefix_for_the_namespace_is_understood():
    assert decode('<f:Basic xmlns:f="http://hl7.org/fhir"><f:id value="1"/></f:Basic>') == {
        "resourceType": "Basic", "id": "1",
    }  # fmt: skip


@pytest.mark.parametrize(
    "div",
    [
        DIV + "a &lt; <b title='x>y'>b</b><br/> &#160;<!-- c --></div>",
        DIV + "<p>nested <span>é</span></p>\n</div>",
        DIV[:-1] + "/>",
        DIV + "</div  >",
        "<div  class='x' xmlns='http://www.w3.org/1999/xhtml'>x</div>",
    ],
)
def test_a_narrative_keeps_its_spelling(div):
    assert patient(f'<text><status value="generated"/>{div}</text>')["text"]["div"] == div


def test_a_narrative_of_an_outer_namespace_is_written_plainly():
    read = decode(
        '<Patient xmlns="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"><text>'
        '<h:div xml:lang="en">a &amp; <h:b>b</h:b></h:div></text></Patient>'
    )
    assert read["text"]["div"] == DIV[:-1] + ' xml:lang="en">a &amp; <b>b</b></div>'


def test_comments_and_processing_instructions_are_dropped():
    assert patient('<!-- x --><?y z?><id value="1"/>') == {"resourceType": "Patient", "id": "1"}


def test_an_unknown_element_names_the_nearest_and_its_place():
    (issue,) = refused('\n  <name><famly value="x"><a/></famly></name>')
    assert "'famly' is not known here; did you mean 'family'? (line 3, column 9)" in issue.text
    assert (issue.code, issue.expression) == ("structure", "Patient.name[0]")


def test_all_mistakes_are_told_at_once():
    issues = refused('<zzz/><active value="true" x="1"/><active value="true"/>text<name value="x"/><birthDate/>')
    assert [i.text.partition(" (")[0] for i in issues] == [
        "The element 'zzz' is not known here",
        "The attribute 'x' is not allowed here",
        "The element 'active' stands twice and may stand once",
        "The text 'text' stands outside an attribute; values are written as value=\"...\"",
        "The attribute 'value' is not allowed here",
        "The element 'birthDate' has neither a value nor an extension",
    ]


def test_elements_stand_in_the_order_of_their_definition():
    body = '<Patient xmlns="http://hl7.org/fhir"><birthDate value="1970"/><gender value="male"/></Patient>'
    with pytest.raises(BadSyntax, match="'gender' stands after 'birthDate'"):
        decode(body)
    assert decode(body, any_order=True)["gender"] == "male"


def test_mistakes_in_contained_resources_have_a_path():
    (issue,) = refused("<contained><Organization><nam/></Organization></contained>")
    assert issue.expression == "Patient.contained[0]"


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("<contained/>", "holds no resource"),
        ("<contained><Basic/><Basic/></contained>", "more than one resource"),
        ("<contained><Bsic/></contained>", "did you mean 'Basic'"),
        ('<id xmlns="urn:x" value="1"/>', "is in the namespace 'urn:x'"),
        (f'<text xmlns:h="http://www.w3.org/1999/xhtml">{DIV}<h:b/></div></text>', "namespace prefix"),
    ],
)
def test_structure_without_a_json_form_is_refused(inner, expected):
    assert expected in refused(inner)[0].text


HOSTILE = [
    '<!DOCTYPE x [<!ENTITY a "b">]><Patient xmlns="http://hl7.org/fhir"/>',
    '<!DOCTYPE Patient SYSTEM "http://example.org/x.dtd"><Patient xmlns="http://hl7.org/fhir"/>',
    '<Patient xmlns="http://hl7.org/fhir"><id value="&xxe;"/></Patient>',
    '<Patient xmlns="http://hl7.org/fhir">' + "<contained><Basic>" * 5000,
    '<Questionnaire xmlns="http://hl7.org/fhir">' + "<item>" * 10_000,
    f'<Patient xmlns="http://hl7.org/fhir"><text>{DIV}' + "<p>" * 10_000,
    '<Patient xmlns="http://hl7.org/fhir">' + "<x/>" * 200 + "</Patient>",
    '<Patient xmlns="http://hl7.org/fhir"><id value="\x01"/></Patient>',
    '<Patient xmlns="http://hl7.org/fhir"><id value="1"></Patient>',
    '<Patient><id value="1"/></Patient>',
    "",
    "{}",
    "\ud800",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_input_is_refused(text):
    with pytest.raises(BadSyntax):
        decode(text)


def test_endless_names_are_not_repeated():
    (issue,) = refused(f"<{'x' * 100_000}/>")
    assert len(issue.text) < 300


def test_malformed_xml_names_the_place():
    with pytest.raises(BadSyntax, match="line 2, column 4: mismatched tag"):
        decode('<Patient xmlns="http://hl7.org/fhir">\n </x></Patient>')


def test_bytes_are_utf_8_with_or_without_a_mark():
    body = '<?xml version="1.0" encoding="UTF-8"?><Basic xmlns="http://hl7.org/fhir"><id value="é"/></Basic>'
    assert decode(b"\xef\xbb\xbf" + body.encode()) == decode(body) == {"resourceType": "Basic", "id": "é"}
    with pytest.raises(BadSyntax):
        decode(body.encode("latin-1"))


def test_size_is_limited(monkeypatch):
    with pytest.raises(TooLarge):
        decode("<Basic/>", limit=5)
    monkeypatch.setattr(xml_reader, "MAX_VALUES", 2)
    with pytest.raises(TooLarge):
        decode("<Basic><id/><id/></Basic>")
