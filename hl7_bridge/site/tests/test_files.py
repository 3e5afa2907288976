"""The site kit as files."""

from pathlib import Path

import pytest

from hl7_bridge.site.files import SiteError, read_site
from hl7_bridge.site.model import Coding, Site

LAB = """
applications = ["LAB"]
addresses = ["10.1.0.0/16"]
timezone = "Europe/Berlin"
authority = "urn:oid:1.2.3"
[authorities]
HOSP = "urn:oid:1.2.3.4"
"""
PHARMACY = """
host = "127.0.0.1"
port = 2576
sender = "lab"
[[routes]]
type = "MedicationRequest"
message = "RDE^O11"
criteria = "status=active"
"""


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_toml", ".toml").replace("_csv", ".csv")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def test_an_absent_folder_is_a_site_without_peers(tmp_path: Path) -> None:
    assert read_site(tmp_path / "none") == Site()


def test_all_of_it_is_read(tmp_path: Path) -> None:
    site = read_site(
        write(
            tmp_path,
            site_toml='facility = "GENERAL"\n[authorities]\nNAT = "urn:oid:9"\nHOSP = "urn:oid:0"',
            senders__lab_toml=LAB,
            receivers__pharmacy_toml=PHARMACY,
            codes__0074_csv="local,system,code,display\nHEM,http://x,LAB,Lab\nRAD,http://x,RAD,\n",
            codes__lab__0074_csv="local,system,code,display\nHEM,http://x,HM,Hematology\n",
            codes__lab__units_csv="local,ucum\ngm/dl,g/dL\n",
        )
    )
    (lab,), (pharmacy,) = site.senders, site.receivers
    assert (site.facility, lab.name, pharmacy.name) == ("GENERAL", "lab", "pharmacy")
    assert lab.authorities == {"NAT": "urn:oid:9", "HOSP": "urn:oid:1.2.3.4"}
    assert lab.codes == {"0074": {"HEM": Coding("http://x", "HM", "Hematology"), "RAD": Coding("http://x", "RAD")}}
    assert lab.units == {"gm/dl": "g/dL"}
    assert pharmacy.routes[0].criteria == "status=active"


@pytest.mark.parametrize(
    ("changed", "file", "place", "text"),
    [
        ({"senders__lab_toml": 'timezon = "UTC"'}, "senders/lab.toml", "", "did you mean 'timezone'"),
        ({"senders__lab_toml": 'ack = "maybe"'}, "senders/lab.toml", "$.ack", "'maybe'"),
        ({"senders__lab_toml": 'timezone = "Mars/Base"'}, "senders/lab.toml", "$.timezone", "Mars/Base"),
        ({"senders__lab_toml": 'charset = "klingon"'}, "senders/lab.toml", "$.charset", "klingon"),
        ({"senders__lab_toml": 'addresses = ["10.1"]'}, "senders/lab.toml", "$.addresses[0]", "10.1"),
        ({"senders__lab_toml": 'authority = "LAB"'}, "senders/lab.toml", "$.authority", "urn:oid"),
        ({"senders__lab_toml": "applications = "}, "senders/lab.toml", "", "is not TOML"),
        ({"senders__other_toml": LAB}, "senders/other.toml", "", "senders/lab.toml"),
        ({"receivers__p_toml": 'host = "x"\nport = 70000'}, "receivers/p.toml", "$.port", "65535"),
        ({"receivers__p_toml": 'host = "x"\nport = 1\nsender = "lap"'}, "receivers/p.toml", "$.sender", "'lab'"),
        (
            {"receivers__p_toml": PHARMACY.replace("RDE^O11", "ORU^R01")},
            "receivers/p.toml",
            "$.routes[0].message",
            "ORU^R01",
        ),
        ({"codes__0074_csv": "a,b\n1,2\n"}, "codes/0074.csv", "line 1", "local,system,code,display"),
        ({"codes__1_csv": "local,system,code,display\nA,x,,\n"}, "codes/1.csv", "line 2", "'A'"),
        ({"codes__1_csv": "local,system,code,display\nA,x,1,\nA,x,2,\n"}, "codes/1.csv", "line 3", "line 2"),
    ],
)
def test_a_fault_names_file_place_and_expectation(
    tmp_path: Path, changed: dict[str, str], file: str, place: str, text: str
) -> None:
    folder = write(tmp_path, **{"senders__lab_toml": LAB, **changed})
    with pytest.raises(SiteError) as caught:
        read_site(folder)
    (fault,) = caught.value.faults
    assert (fault.file, fault.place) == (file, place)
    assert text in fault.text


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    with pytest.raises(SiteError) as caught:
        read_site(write(tmp_path, senders__a_toml="x = 1", senders__b_toml='ack = "no"\napplications = ["B"]'))
    assert {fault.file for fault in caught.value.faults} == {"senders/a.toml", "senders/b.toml"}


def test_all_faults_of_one_file_come_at_once(tmp_path: Path) -> None:
    file = "port = 'x'\ntls = 3\nhots = 'h'\n"
    with pytest.raises(SiteError) as caught:
        read_site(write(tmp_path, receivers__a_toml=file))
    told = {fault.place or fault.text.split(" is no key")[0] for fault in caught.value.faults}
    assert told >= {"$.port", "$.tls", "'hots'"} and len(caught.value.faults) == 4  # and host is missing
    assert any("`host`" in fault.text for fault in caught.value.faults)
