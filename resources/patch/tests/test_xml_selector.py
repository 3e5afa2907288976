"""Selectors of XML Patch."""

import pytest
from lxml import etree

from resources.errors import BadSyntax
from resources.patch.document import Place
from resources.patch.xml_selector import FHIR, Selector

PLACE = Place(1, "remove", "")
DOCUMENT = etree.fromstring(
    f'<Patient xmlns="{FHIR}"><name><given value="Ada"/><given value="Ida"/></name><text><div '
    'xmlns="http://www.w3.org/1999/xhtml"><p>a</p></div></text></Patient>'
)


@pytest.mark.parametrize(
    ("selector", "kind", "count"),
    [
        ("f:Patient/f:name", "element", 1),
        ("/f:Patient/f:name/f:given", "element", 2),
        ("Patient/name/given[2]/@value", "attribute", 1),
        ("f:Patient/f:name/f:given[@value='Ida']", "element", 1),
        ("f:Patient/f:name[f:given/@value='Ida']", "element", 1),
        ('Patient/name[given/@value="a/b[1]"]', "element", 0),
        ("*/*[1]", "element", 1),
        ("f:Patient/f:text/h:div/h:p/text()", "text", 1),
        ("f:Patient/comment()[1]", "comment", 0),
        ("f:Patient/namespace::x", "namespace", 0),
        ("x:Patient/x:name", "element", 1),
    ],
)
def test_find(selector: str, kind: str, count: int) -> None:
    found = Selector(selector, PLACE)
    assert found.kind == kind
    if kind != "namespace":
        assert len(found.find(DOCUMENT, {None: FHIR, "x": FHIR})) == count


@pytest.mark.parametrize(
    "selector",
    [
        "", "/", "//f:name", "f:Patient//f:name", "f:Patient/", "f:a[position()=1]", "f:a[count(*)>0]", "document('x')",
        "f:a/@b/f:c", "f:a|f:b", "ancestor::f:a", "f:a[f:b][", "..", "a" * 2000, "a/" * 100 + "a", "f:a[@b='x' or 1]",
    ],
)  # fmt: skip
def test_refused(selector: str) -> None:
    with pytest.raises(BadSyntax):
        Selector(selector, PLACE)


def test_undeclared_prefixes_are_refused() -> None:
    with pytest.raises(BadSyntax):
        Selector("zz:Patient", PLACE).find(DOCUMENT, {})
