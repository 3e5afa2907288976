"""Profiles learned from samples, and drift."""

from hl7_bridge.er7 import Message, parse
from hl7_bridge.site.profile import drift, profile

HEAD = "MSH|^~\\&|LAB|NORTH|||20240101||ORU^R01|1|P|2.5.1"


def message(*lines: str) -> Message:
    return parse("\r".join((HEAD, *lines)).encode())


PLAIN = message("PID|1||1^^^HOSP||Doe", "OBR|1|||GLU^Glucose^L", "OBX|1|NM|GLU^Glucose^L||5|mg/dl|||||F", "ZXY|1")
BARE = message("PID|1||2", "OBX|1|NM|NA^Sodium^L||140|mmol/L|||||F")


def test_what_messages_have_is_counted() -> None:
    learned = profile([PLAIN, BARE])
    assert (learned.messages, learned.types, learned.versions) == (2, {"ORU^R01": 2}, {"2.5.1": 2})
    assert learned.patient_authorities == {"HOSP": 1, "(none)": 1}
    assert learned.identifier_types == {"(none)": {"HOSP": 1, "(none)": 1}}
    assert learned.local_segments == {"ZXY": 1}
    assert learned.fields["PID-5"] == 0.5
    assert learned.codes["OBX-3"] == {"GLU^Glucose^L": 1, "NA^Sodium^L": 1}


def test_a_profile_holds_no_patient() -> None:
    assert "Doe" not in repr(profile([PLAIN]))


def test_drift_names_what_is_new_and_what_is_gone() -> None:
    said = drift(profile([PLAIN]), profile([BARE]))
    assert "OBX-3: the code NA^Sodium^L is new" in said
    assert "patient_authorities: (none) is new" in said
    assert "PID-5 was in 100% of PID and is in none now" in said
    assert drift(profile([PLAIN]), profile([PLAIN])) == []
