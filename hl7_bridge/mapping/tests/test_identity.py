"""Nobody is guessed: patients without authority are held, visits without a number are named or left out."""

import pytest

from hl7_bridge.errors import Held
from hl7_bridge.mapping.model import Key
from hl7_bridge.mapping.tests.messages_of import entries, mapped
from hl7_bridge.site.model import Sender


def test_bare_identifier_is_of_the_senders_authority() -> None:
    assert entries(mapped("ADT^A08", "PID|1||100"), "Patient")[0].keys == (Key("urn:oid:1.2.3", "100"),)


@pytest.mark.parametrize("sender", [Sender("lab"), Sender("lab", patient_authorities=("urn:oid:9",))])
def test_held(sender: Sender) -> None:
    with pytest.raises(Held) as error:
        mapped("ADT^A08", "PID|1||100^^^HOSP" if sender.patient_authorities else "PID|1||100", sender=sender)
    assert str(error.value).startswith("PID-3")
    assert "100" not in str(error.value)


def test_only_trusted_authorities_identify_best_first() -> None:
    sender = Sender("lab", patient_authorities=("urn:id:B", "urn:id:A"))
    found = entries(mapped("ADT^A08", "PID|1||1^^^A~2^^^B~3^^^C", sender=sender), "Patient")[0]
    assert found.keys == (Key("urn:id:B", "2"), Key("urn:id:A", "1"))
    assert len(found.resource["identifier"]) == 3


def test_visit_is_named_by_number_account_or_admission() -> None:
    by_number = entries(mapped("ADT^A01", "PID|1||100", "PV1|1|I|||||||||||||||||V1"), "Encounter")[0]
    by_account = entries(mapped("ADT^A01", "PID|1||100|||||||||||||||ACC1", "PV1|1|I"), "Encounter")[0]
    by_time = entries(mapped("ADT^A01", "PID|1||100", "PV1|1|I" + "|" * 42 + "20260101"), "Encounter")[0]
    assert by_number.keys == (Key("urn:id:lab:visit", "V1"),)
    assert by_account.keys == (Key("urn:id:lab:visit-of-account", "urn:id:lab:account|ACC1"),)
    assert by_time.keys == (Key("urn:id:lab:visit-of-patient", "urn:oid:1.2.3|100|2026-01-01"),)


def test_visit_that_nothing_names_is_left_out() -> None:
    result = mapped("ORU^R01", "PID|1||100", "PV1|1|I", "OBR|1||F1|X", "OBX|1|NM|Y||1||||||F")
    assert not entries(result, "Encounter")
    assert "encounter" not in entries(result, "Observation")[0].resource
    assert result.warnings
