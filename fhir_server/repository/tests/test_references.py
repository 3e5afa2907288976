"""References rewritten when a commit assigns identities: FHIR R4 references.html, http.html#trules."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.repository.references import Addressed, conditional, rewritten, rewritten_quickly, swap_by

ONE, TWO = "urn:uuid:11111111-1111-1111-1111-111111111111", "https://example.org/fhir/Patient/2"
IDENTITIES = {ONE: "Patient/1", TWO: "Patient/two"}
SWAP = swap_by(IDENTITIES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Patient?identifier=x", ("Patient", "identifier=x")),
        ("Patient?a=b?c", ("Patient", "a=b?c")),
        ("Patient/1", None),
        ("Nothing?identifier=x", None),
        ("Patient?", None),
        ("https://example.org/Patient?identifier=x", None),
    ],
)
def test_conditional(text: str, expected: tuple[str, str] | None) -> None:
    assert conditional(text) == expected


def test_what_stands_behind_a_full_url_is_kept() -> None:
    assert SWAP(ONE) == "Patient/1"
    assert SWAP(f"{TWO}/_history/3") == "Patient/two/_history/3"
    assert SWAP(f"{TWO}#part") == "Patient/two#part"
    assert SWAP("Patient/1") is None and SWAP(f"{TWO}2") is None


def test_links_are_rewritten_and_nothing_else() -> None:
    sent: dict[str, Any] = {
        "resourceType": "Observation",
        "subject": {"reference": ONE, "display": ONE},
        "note": [{"text": ONE}],
        "text": {"status": "generated", "div": f'<div><a href="{ONE}">{ONE}</a><img src="#a"/></div>'},
        "instantiatesUri": TWO,
        "contained": [{"resourceType": "Encounter", "subject": {"reference": TWO}}],
        "extension": [{"url": "urn:x", "valueReference": {"reference": ONE}}, {"url": "urn:x", "valueString": ONE}],
    }
    made = rewritten(sent, SWAP)
    assert made["subject"] == {"reference": "Patient/1", "display": ONE} and made["note"] == [{"text": ONE}]
    assert made["text"]["div"] == f'<div><a href="Patient/1">{ONE}</a><img src="#a"/></div>'
    assert made["contained"][0]["subject"] == {"reference": "Patient/two"}
    assert made["extension"][0]["valueReference"] == {"reference": "Patient/1"}
    assert made["extension"][1]["valueString"] == ONE
    assert sent["subject"]["reference"] == ONE


def test_what_was_not_swapped_is_resolved() -> None:
    sent = {"resourceType": "Observation", "subject": {"reference": "Patient?x=1"}, "note": [{"text": "Patient?x=1"}]}
    found = {"Patient?x=1": "Patient/9"}
    for way in (
        rewritten(sent, SWAP, found.get),
        rewritten_quickly(sent, SWAP, found.get, Addressed(IDENTITIES)),
    ):
        assert way == {**sent, "subject": {"reference": "Patient/9"}}


def test_documents_that_hold_no_address_are_left_as_they_are() -> None:
    far = Addressed({ONE: "", "urn:uuid:11112": "", "urn:uuid:1111": ""})
    assert far.maybe(b"urn:uuid:1111") and not far.maybe(b"urn:uuid:111") and not Addressed({}).maybe(b"urn:")
    assert Addressed({'odd"one': "", 'odd"two': ""}).maybe(b'{"x":"odd\\"t"}')
    sent = {"resourceType": "Basic", "subject": {"reference": "Patient/1"}}
    assert rewritten_quickly(sent, SWAP, None, Addressed(IDENTITIES)) is sent
    based = rewritten_quickly(sent, {"Patient/1": "Patient/2"}.get, None, Addressed(IDENTITIES), is_based=True)
    assert based["subject"] == {"reference": "Patient/2"}


LINKS = [ONE, TWO, f"{TWO}/_history/1", f"{TWO}#part", f'"{ONE}', f"{ONE}\\", "Patient/1"]
texts = st.one_of(st.sampled_from(LINKS), st.text(max_size=9))


@given(texts, texts, texts)
def test_the_quick_way_does_what_the_walk_does(reference: str, note: str, uri: str) -> None:
    sent = {
        "resourceType": "PlanDefinition",
        "subjectReference": {"reference": reference},
        "description": note,
        "url": uri,
        "action": [{"definitionUri": uri, "title": f'"reference":"{note}"'}],
    }
    assert rewritten_quickly(sent, SWAP, None, Addressed(IDENTITIES)) == rewritten(sent, SWAP)
