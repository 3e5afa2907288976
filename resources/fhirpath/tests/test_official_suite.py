"""The official FHIRPath R4 suite, where the sample data lie beside the checkout.

FHIR/fhir-test-cases, r4/fhirpath/tests-fhir-r4.xml.
"""

from pathlib import Path

import pytest

from resources.fhirpath.tests.official_cases import EXCEPTIONS, outcomes

SUITE = Path(__file__).resolve().parents[3] / "../shared/data/fhir/fhirpath"
pytestmark = pytest.mark.skipif(not SUITE.exists(), reason="no sample data")


@pytest.mark.samples
def test_official_suite() -> None:
    failed = {name: why for name, why in outcomes(SUITE).items() if why}
    assert failed.keys() == EXCEPTIONS.keys(), failed
