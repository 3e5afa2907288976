import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import BadSearch
from resources.search_param import compile_param, extract
from resources.search_param.normal_form import AS_WRITTEN, normal
from resources.search_param.tests.naive import finds

PATIENT = {
    "resourceType": "Patient",
    "name": [{"family": "Müller Groß", "given": ["Anna", None, "Lea"], "_given": [None, {"id": "x"}, None]}],
    "address": [{"line": ["1 Main St"], "city": "Köln", "postalCode": "50667"}],
}


@pytest.mark.parametrize(
    ("parameter", "value", "found"),
    [
        ("family", "mull", True),
        ("family", "MÜLLER", True),
        ("family", "groß", False),
        ("name", "lea", True),
        ("given", "anna", True),
        ("given", "mull", False),
        ("family:exact", "Müller Groß", True),
        ("family:exact", "Muller Groß", False),
        ("family:exact", "Müller", False),
        ("family:contains", "GROSS", True),
        ("family:contains", "x", False),
        ("address", "50667", True),
        ("address-city", "koln", True),
        ("address", "main", False),
        ("address:contains", "main", True),
        ("name", "x,ann", True),
    ],
)
def test_names_and_addresses(parameter, value, found):
    assert finds(PATIENT, parameter, value) == found


def test_a_name_and_its_parts_share_their_entries():
    branches = {entry.key.branch for entry in extract(PATIENT).strings}
    assert branches == {
        "Patient.name.family",
        "Patient.name.given",
        "Patient.address.line",
        "Patient.address.city",
        "Patient.address.postalCode",
    }


def test_long_text_is_found_to_its_end():
    library = {"resourceType": "Library", "description": "start " + "filler " * 300 + "Ending"}
    assert finds(library, "description:contains", "ending")
    assert finds(library, "description", "start filler")
    assert not finds(library, "description", "ending")
    assert finds(library, "description:exact", library["description"])
    assert not finds(library, "description:exact", library["description"] + "x")


searchable = st.characters(exclude_characters=f"\0{AS_WRITTEN}", exclude_categories=["Cs"])
text = st.text(searchable, min_size=1).filter(normal)


@given(text, text)
def test_against_the_definition(stored, searched):
    resource = {"resourceType": "Patient", "name": [{"family": stored}]}
    escaped = "".join(f"\\{c}" if c in "\\,|$" else c for c in searched)
    assert finds(resource, "family", escaped) == normal(stored).startswith(normal(searched))
    assert finds(resource, "family:exact", escaped) == (stored == searched)
    assert finds(resource, "family:contains", escaped) >= (normal(searched) in normal(stored))


@pytest.mark.parametrize(("modifier", "value"), [("", " "), ("", AS_WRITTEN), ("contains", "x" * 101), ("text", "x")])
def test_refused(modifier, value):
    with pytest.raises(BadSearch, match="family"):
        compile_param("Patient", "family", modifier, value)
