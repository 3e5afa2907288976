"""What criteria lock: as little as tells apart who can disturb each other."""

import pytest

from fhir_server.repository import BoundRepository, Services
from fhir_server.repository.criteria import carried, lock_parts, single, the_ones
from resources.errors import MultipleMatches
from resources.repository import WHOLE_RECORD, Caller, Create

TYPE = [("Patient", "criteria")]


@pytest.mark.parametrize(
    ("criteria", "values"),
    [
        ("identifier=urn:a|1", ["urn:a|1"]),
        ("identifier=urn:a|1&identifier=urn:b|2", ["urn:a|1", "urn:b|2"]),
        ("identifier=urn:a%7C1,urn:b%7C2", ["urn:a|1", "urn:b|2"]),
        ("identifier=urn:a|1%5C,2", ["urn:a|1,2"]),
        ("identifier=urn:a|1%5C%7C2", ["urn:a|1|2"]),
    ],
)
def test_identifiers_are_locked_one_by_one_as_resources_carry_them(criteria: str, values: list[str]) -> None:
    assert list(lock_parts("Patient", criteria)) == [("Patient", "identifier", value) for value in values]
    resource = {
        "resourceType": "Patient",
        "identifier": [dict(zip(("system", "value"), v.split("|", 1), strict=True)) for v in values],
    }
    assert list(carried(resource)) == list(lock_parts("Patient", criteria))


@pytest.mark.parametrize(
    "criteria",
    ["name=x", "identifier=1", "identifier=urn:a|", "identifier=urn:a|1,2", "identifier=urn:a|1&active=true"],
)
def test_other_criteria_lock_the_type(criteria: str) -> None:
    assert list(lock_parts("Patient", criteria)) == TYPE


def test_identifiers_of_many_commands_are_looked_up_together(services: Services) -> None:
    caller = Caller("x", grants=WHOLE_RECORD)
    repository = BoundRepository(services, caller)
    for value in ("1", "2", "2", "3,|"):
        repository.commit([Create({"resourceType": "Patient", "identifier": [{"system": "urn:a", "value": value}]})])
    texts = ["identifier=urn:a|1", "identifier=urn:a|0,urn:a|2", "identifier=urn:a|3%5C,%5C|", "identifier=urn:b|1"]
    others = ["identifier=1", "identifier=urn:a|1&identifier=urn:a|2", "active=true", ""]
    wanted = [("Patient", text) for text in texts + others] + [("Provenance", texts[0])]
    found = the_ones(services, services.store.session(), caller, wanted)
    assert {text: len(rows) for (_, text), rows in found.items()} == dict(zip(texts, (1, 2, 1, 0), strict=True))
    with pytest.raises(MultipleMatches):
        single(found["Patient", texts[1]], "Patient", texts[1])
