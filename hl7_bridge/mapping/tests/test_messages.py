"""Which messages are mapped, and what every one of them has."""

import pytest

from hl7_bridge.errors import Held, Malformed
from hl7_bridge.mapping.messages import MAPS, kind
from hl7_bridge.mapping.model import Policy
from hl7_bridge.mapping.tests.messages_of import entries, mapped, message, only
from hl7_bridge.site.model import Sender

PID = "PID|1||100^^^HOSP||DOE^JANE"


def test_what_has_no_map_is_kept() -> None:
    result = mapped("VXU^V04", PID)
    assert not result.is_mapped
    assert result.entries == []


def test_the_event_may_stand_in_evn() -> None:
    assert kind(message("ADT", "EVN|A08|20260101")) == "ADT^A08"
    assert kind(message("ORU", PID)) == "ORU^R01"


def test_the_issue_is_covered() -> None:
    events = [f"ADT^A{n:02d}" for n in range(1, 15)] + ["ADT^A28", "ADT^A31", "ADT^A34", "ADT^A40", "ADT^A60"]
    assert set(events) | {"ORU^R01", "OUL^R22", "OUL^R23", "OUL^R24", "ORM^O01", "OML^O21"} <= MAPS.keys()


def test_a_header_and_a_provenance() -> None:
    result = mapped("ADT^A08", "EVN||20260102||||20260101", PID)
    header, provenance = only(result, "MessageHeader"), only(result, "Provenance")
    assert header["eventCoding"]["code"] == "A08"
    assert header["source"] == {"name": "LAB", "endpoint": "urn:id:LAB"}
    assert provenance["occurredDateTime"] == "2026-01-01"
    assert provenance["recorded"] == "2026-01-02T00:00:00Z"
    assert provenance["entity"][0]["what"]["identifier"]["value"] == "C1"
    assert all(each.policy is Policy.ALWAYS for each in result.entries if each.resource in (header, provenance))


def test_without_a_patient() -> None:
    with pytest.raises(Malformed):
        mapped("ADT^A08", "EVN|A08")
    with pytest.raises(Held):
        mapped("ADT^A08", "PID|1||100||DOE^JANE", sender=Sender("lab"))


def test_the_same_content_under_another_control_id_ties() -> None:
    first, again = mapped("ADT^A08", PID), mapped("ADT^A08", PID, control="C2")
    other = mapped("ADT^A08", PID + "^X")
    assert entries(first, "Patient")[0].as_of == entries(again, "Patient")[0].as_of
    assert entries(first, "Patient")[0].as_of.tie != entries(other, "Patient")[0].as_of.tie
