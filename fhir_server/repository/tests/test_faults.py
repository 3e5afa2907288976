"""What the store refused, in the words of FHIR."""

from fhir_server.repository.faults import fault
from fhir_server.store import StillReferenced, Write
from resources.errors import Conflict

DELETED = Write("Patient", "1", "DELETE", 2, 0, b"")


def test_a_delete_that_is_refused_names_its_entry() -> None:
    error = fault(StillReferenced("Patient/1", ("Basic/2",)), [DELETED], ["Bundle.entry[3]"])
    assert isinstance(error, Conflict)
    assert error.issues[0].expression == "Bundle.entry[3]"
    assert "Bundle.entry[3]: Patient/1 cannot be deleted" in error.issues[0].text


def test_a_delete_on_its_own_has_no_entry() -> None:
    error = fault(StillReferenced("Patient/1", ("Basic/2",)), [DELETED], [""])
    assert error.issues[0].text.startswith("Patient/1 cannot be deleted while these refer to it: Basic/2.")
