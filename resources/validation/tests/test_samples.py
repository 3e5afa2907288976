"""Official and synthetic resources are accepted; the official validator cases agree; both validators here agree.

Uses the optional sample data beside the checkout.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resources import json_codec
from resources.validation import quick
from resources.validation.quick import surely_valid
from resources.validation.tests.examples import TRULY_INVALID
from resources.validation.tests.validator_cases import DISAGREEMENTS, agreement
from resources.validation.walker import walk

SAMPLES = Path(__file__).resolve().parents[3] / "../shared/data/fhir"
pytestmark = [pytest.mark.samples, pytest.mark.skipif(not SAMPLES.is_dir(), reason="no sample data")]


def _resources(folder: str) -> Iterator[tuple[str, Any]]:
    for path in sorted((SAMPLES / folder).iterdir()):
        name = path.name.removesuffix(".gz")
        if name.endswith(".json"):
            body = path.read_bytes()
            yield name, json_codec.decode(gzip.decompress(body) if path.suffix == ".gz" else body)


@pytest.mark.parametrize("folder", ["r4_examples", "us_core"])
def test_every_valid_example_is_accepted(folder: str) -> None:
    found = {name: walk(resource) for name, resource in _resources(folder)}
    refused = {name for name, issues in found.items() if issues}
    print(f"{folder}: {len(found)} resources, {len(refused)} refused: {sorted(refused)}")
    assert refused == TRULY_INVALID.keys() & found.keys()


@pytest.mark.parametrize("folder", ["r4_examples", "us_core"])
def test_the_quick_look_accepts_nothing_that_the_walker_refuses(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "MOST_TYPES", 146)
    rows = list(_resources(folder))
    sure = {name for name, resource in rows if surely_valid(resource)}
    print(f"{folder}: the quick look is sure of {len(sure)} of {len(rows)}")
    assert not sure & TRULY_INVALID.keys()
    assert len(sure) > 0.9 * len(rows)


@pytest.mark.parametrize("folder", ["synthea_2019", "synthea_2021", "synthea_2022_json_xml"])
def test_every_synthea_resource_is_accepted_at_the_first_look(folder: str) -> None:
    refused = [
        (name, index)
        for name, bundle in _resources(folder)
        for index, entry in enumerate(bundle["entry"])
        if not surely_valid(entry["resource"])
    ]
    assert refused == []


def test_the_official_validator_cases_agree() -> None:
    agree, total, differ = agreement(SAMPLES / "validator")
    print(f"validator cases: {agree} of {total} agree ({100 * agree / total:.1f} %), not {differ}")
    assert agree >= 0.92 * total
    assert set(differ) == DISAGREEMENTS.keys()
