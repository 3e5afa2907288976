"""The compiled tables are what the official files say."""

from pathlib import Path

import pytest

from hl7_bridge.mapping.code_tables import tables
from hl7_bridge.mapping.generate_codes import compiled

FOLDER = Path(__file__).resolve().parents[3] / "../shared/data/v2_to_fhir_maps/codesystems"


def test_a_table(tmp_path: Path) -> None:
    text = "HL7 v2,,,,,,HL7 FHIR\nCode,Text,System,A,B,C,Code,,Display,System\nM,Male,HL70001,,,,male,,Male,http://x\nQ,,HL70001,,,,,,,\n"
    (tmp_path / "HL7 Concept Map_ Sex - Sheet1.csv").write_text(text)
    assert compiled(tmp_path)["tables"] == {"Sex": {"table": "0001", "rows": [["M", "male", "http://x", "Male"]]}}


@pytest.mark.samples
@pytest.mark.skipif(not FOLDER.is_dir(), reason="the official maps are not beside the checkout")
def test_checked_in_file_is_current() -> None:
    assert compiled(FOLDER)["sha256"] == tables.source_hash()
