"""Fixtures of billing: a server on either database, and a finished visit on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import DIALECTS
from fhir_server import wiring
from fhir_server.conftest import Client
from fhir_server.tests.processes import running_on
from fhir_server.wiring import Process
from resources.repository import Caller

Json = dict[str, Any]

TARIFF = """
currency = "EUR"
[[visit]]
code = "short"
text = "Visit under 20 minutes"
price = 20
[[visit]]
code = "long"
text = "Visit of 20 minutes or more"
minutes = 20
price = 45.50
"""


@pytest.fixture(scope="session", params=DIALECTS)
def process(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One for all: each test has a patient of its own."""
    folder: Path = tmp_path_factory.mktemp("data")
    (folder / "tariff.toml").write_text(TARIFF)
    with running_on(request.param, folder) as made:
        yield made


class House:
    """A patient, a practitioner, and visits that are over."""

    def __init__(self, process: Process, caller: Caller | None = None) -> None:
        self.client = Client(wiring.compose(process))
        if caller is not None:  # of whom a token would speak
            self.client.application._caller_of = lambda request: caller
        self.patient = self.made("Patient", name=[{"family": "Okafor"}])
        self.doctor = self.made("Practitioner", name=[{"family": "Bergmann"}])

    def made(self, type: str, /, **elements: Any) -> str:
        return f"{type}/{self.client.create({'resourceType': type, **elements})}"

    def visit(self, **elements: Any) -> str:
        """An Encounter by video of 23.5 minutes."""
        usual: Json = {
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"},
            "subject": {"reference": self.patient},
            "participant": [{"individual": {"reference": self.doctor}}],
            "period": {"start": "2026-11-20T09:00:00Z", "end": "2026-11-20T09:30:00Z"},
            "length": {"value": 23.5, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min"},
        }
        given = {name: value for name, value in (usual | elements).items() if value is not None}
        return self.made("Encounter", **given)

    def covered(self, **elements: Any) -> str:
        who = {"reference": self.patient}
        return self.made("Coverage", **({"status": "active", "beneficiary": who, "payor": [who]} | elements))

    def condition(self, encounter: str, **elements: Any) -> str:
        links = {"subject": {"reference": self.patient}, "encounter": {"reference": encounter}}
        return self.made("Condition", **({"code": {"text": "Cough"}} | links | elements))

    def charge(self, encounter: str, status: int = 200) -> Json:
        """What $charge answers, by the names of its parameters; of a refusal the text as ``refused``."""
        answer = self.client.send("POST", f"{encounter}/$charge")
        assert answer.status == status, answer.body
        if status != 200:
            return {"refused": answer.issue["details"]["text"]}
        return {part["name"]: part["resource"] for part in answer.json["parameter"]}

    def count(self, type: str, **params: str) -> int:
        query = "&".join(f"{name}={value}" for name, value in params.items())
        return len(self.client.send("GET", f"{type}?{query}").json.get("entry", ()))


@pytest.fixture
def house(process: Process) -> House:
    return House(process)


def lacking(found: Json) -> str:
    """All warnings of what $charge answered."""
    return " ".join(issue["details"]["text"] for issue in found.get("outcome", {}).get("issue", ()))
