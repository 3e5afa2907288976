"""JSON → XML → JSON changes nothing, on the published examples and on large bundles.

FHIR R4 XML representation (https://hl7.org/fhir/R4/xml.html).
"""

import gzip
import html
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources import json_codec, xml_codec

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/data/fhir"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="the optional sample data is absent")


def read(path):
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def texts(value):
    """``value`` with numbers as text, so that 1.0 and 1.00 differ."""
    if isinstance(value, dict):
        return {k: texts(v) for k, v in value.items()}
    if isinstance(value, list):
        return [texts(v) for v in value]
    return value if isinstance(value, str | bool) or value is None else f"number {value}"


def words(div):
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", div)).split())


def plain(value):
    """``value`` with narratives compared by their words."""
    if isinstance(value, dict):
        return {k: words(v) if k == "div" else plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


def round_trip(resource):
    return texts(xml_codec.decode(xml_codec.encode(resource)))


@needs_samples
@pytest.mark.samples
@pytest.mark.parametrize("folder", ["r4_examples", "us_core", "synthea_2022_json_xml", "json_xml_pairs"])
def test_samples_come_back_unchanged(folder):
    names = sorted([*(SAMPLES / folder).rglob("*.json"), *(SAMPLES / folder).rglob("*.json.gz")])
    resources = ((name, json_codec.decode(read(name))) for name in names)
    changed = [name.name for name, r in resources if "resourceType" in r and round_trip(r) != texts(r)]
    assert names
    assert changed == []


PAIRS = ["condition-example", "organization-1", "patient-example", "patient-glossy-example", "questionnaire-example"]


@needs_samples
@pytest.mark.samples
@pytest.mark.parametrize("name", PAIRS)
def test_pairs_say_the_same(name):
    folder = SAMPLES / "json_xml_pairs"
    from_xml = xml_codec.decode((folder / f"{name}.xml").read_bytes())
    assert texts(from_xml) == texts(json_codec.decode((folder / f"{name}.json").read_bytes()))


@needs_samples
@pytest.mark.samples
def test_bundle_pairs_say_the_same():
    for path in sorted((SAMPLES / "synthea_2022_json_xml").glob("*.json.gz")):
        from_xml = xml_codec.decode(read(path.with_name(path.name.replace(".json", ".xml"))))
        assert texts(plain(from_xml)) == texts(plain(json_codec.decode(read(path))))


PRINTABLE = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
TEXT = st.text(PRINTABLE | st.sampled_from("\t\n\r"), min_size=1)
EXTENSIONS = st.lists(st.builds(lambda u, v: {"url": u, "valueString": v}, TEXT, TEXT), min_size=1, max_size=2)
EXTRA = st.builds(lambda i, e: {"id": i, "extension": e}, TEXT, EXTENSIONS)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=4)
ITEMS = st.tuples(TEXT, st.none() | EXTRA) | st.tuples(st.none(), EXTRA)


def listed(items):
    """The two lists of an extended primitive."""
    values, extras = [list(part) for part in zip(*items, strict=True)]
    found = {"given": values} if any(v is not None for v in values) else {}
    return found | ({"_given": extras} if any(extras) else {})


@given(st.lists(ITEMS, min_size=1, max_size=4), TEXT, DECIMALS, st.booleans())
def test_any_patient_comes_back(items, family, decimal, pretty):
    patient = {
        "resourceType": "Patient",
        "extension": [{"url": "http://x", "valueDecimal": json_codec.decode(b'{"d":%s}' % str(decimal).encode())["d"]}],
        "name": [{"family": family, **listed(items)}],
    }
    assert texts(xml_codec.decode(xml_codec.encode(patient, pretty=pretty))) == texts(patient)
