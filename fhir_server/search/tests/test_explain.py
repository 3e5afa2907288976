"""What _explain tells, and whom."""

import pytest

from fhir_server.search.tests.record import Record, two_charts
from fhir_server.store import Store
from resources.errors import BadSearch, Forbidden
from resources.repository import Caller, Grant, Grants


@pytest.fixture
def record(store: Store) -> Record:
    return two_charts(store)


def test_statements_with_times_and_sets_are_told_and_no_value(record: Record) -> None:
    page = record.page("Patient?family=smith&gender=female&_explain=true")
    texts = [issue.text for issue in page.issues]
    assert [hit.version.id for hit in page.hits] == ["p1"]
    assert "Both(" in texts[1] and texts[2].startswith("walked: ")
    assert any("SELECT" in text and " rows" in text for text in texts)
    assert not any("smith" in text.lower() or "female" in text for text in texts)
    assert not record.page("Patient?family=smith&_explain=false").issues


@pytest.mark.parametrize(
    "grant",
    [
        Grant("*", "rs", confidential=True),
        Grant("*", "cruds"),
        Grant("Patient", "cruds", confidential=True),
        Grant("*", "cruds", compartment=("Patient", "p1"), confidential=True),
        Grant("*", "cruds", (("gender", "female"),), confidential=True),
    ],
)
def test_only_who_may_all_is_told(record: Record, grant: Grant) -> None:
    with pytest.raises(Forbidden, match="_explain"):
        record.page("Patient?_explain=true", Caller("x", grants=Grants((grant,))))


def test_other_values_are_refused(record: Record) -> None:
    with pytest.raises(BadSearch, match="_explain: expected true or false, found 'yes'"):
        record.page("Patient?_explain=yes")
