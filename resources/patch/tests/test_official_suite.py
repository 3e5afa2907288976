"""The official patch cases, where the sample data lie beside the checkout.

FHIR/fhir-test-cases, r4/patch.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from resources.patch.tests.official_cases import fhirpath_outcomes, json_outcomes, xml_outcomes

SAMPLES = Path(__file__).resolve().parents[3] / "../shared/data/fhir/patch"
pytestmark = [pytest.mark.samples, pytest.mark.skipif(not SAMPLES.exists(), reason="no sample data")]


@pytest.mark.parametrize(("outcomes", "cases"), [(fhirpath_outcomes, 24), (json_outcomes, 10), (xml_outcomes, 19)])
def test_every_case_passes(outcomes: Callable[[Path], dict[str, str]], cases: int) -> None:
    found = outcomes(SAMPLES)
    assert len(found) == cases
    assert {name: why for name, why in found.items() if why} == {}
