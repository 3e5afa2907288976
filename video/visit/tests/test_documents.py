"""What a file comes to in the record."""

from base64 import b64encode

import pytest

from resources import validation
from video.ports import Fact, FactKind, Role
from video.visit.communication import identifier
from video.visit.documents import document, place, with_content
from video.visit.tests.script import ADA, fact


def sent(role: Role = Role.PATIENT, **more: object) -> Fact:
    told = {"file": "f1", "name": "Brief.pdf", "type": "application/pdf", "size": 4} | more
    return fact(FactKind.FILE, 7, 3, role, **told)


def test_a_file_says_whose_it_is_and_of_which_visit() -> None:
    made = document(sent())
    assert made is not None
    assert made["context"] == {"encounter": [{"reference": "Encounter/9"}]}
    assert made["subject"] == {"reference": ADA} == made["author"][0]
    assert (made["identifier"], made["date"]) == ([identifier(sent())], made["content"][0]["attachment"]["creation"])
    assert made["content"][0]["attachment"]["url"] == place(sent()) != place(fact(FactKind.FILE, 8, 3))


def test_a_guest_is_named_by_the_role() -> None:
    made = document(sent(Role.INTERPRETER))
    assert made is not None and made["author"] == [{"display": "Sent by: interpreter"}]


def test_the_content_decides_over_size_and_hash() -> None:
    made = document(sent())
    assert made is not None
    [told], binary = with_content([made], sent(), b"hello")
    attachment = told["content"][0]["attachment"]
    assert (attachment["size"], attachment["hash"]) == (5, "qvTGHdzF6KLavt4PO0gs2a6pQ00=")
    assert binary["data"] == b64encode(b"hello").decode() and binary["securityContext"] == {"reference": ADA}


@pytest.mark.parametrize("role", [Role.PATIENT, Role.PRACTITIONER, Role.GUEST])
def test_it_is_valid_fhir(role: Role) -> None:
    made = document(sent(role))
    assert made is not None
    for one in (*with_content([made], sent(role), b"x")[0], with_content([made], sent(role), b"x")[1]):
        validation.check(one)


def test_without_a_file_there_is_nothing() -> None:
    assert document(fact(FactKind.FILE, 7, 3, Role.PATIENT)) is None
