"""The tariff: the row of a visit, and what a site may get wrong in its file."""

from decimal import Decimal
from pathlib import Path

import pytest

from fhir_server.billing.papers import quantity
from fhir_server.billing.tariff import CHARGES, Row, TariffError, read_tariff

FILE = """
currency = "EUR"
code_system = "urn:example:codes"
place_unsaid = "10"

[[visit]]
code = "short"
text = "Short visit"
price = 20

[[visit]]
code = "long"
text = "Long visit"
minutes = 20
price = 45.50

[[visit]]
code = "call"
text = "Telephone call, each 5 minutes begun"
minutes = 20
modality = "audio"
every = 5
price = 8.10
"""


def test_without_a_file_the_codes_are_ours(tmp_path: Path) -> None:
    tariff = read_tariff(tmp_path / "none.toml")
    assert [tariff.row(Decimal(n), "video").code for n in (0, 9, 10, 29, 45, 600)] == [  # type: ignore[union-attr]
        "visit-0", "visit-0", "visit-10", "visit-20", "visit-45", "visit-60",
    ]  # fmt: skip
    assert tariff.code_system == CHARGES and not any(row.price for row in tariff.visit)


def test_the_row_of_a_visit_goes_by_minutes_and_modality(tmp_path: Path) -> None:
    (tmp_path / "tariff.toml").write_text(FILE)
    tariff = read_tariff(tmp_path / "tariff.toml")
    found = [tariff.row(Decimal(n), modality) for n, modality in (("19.99", "audio"), ("20", "video"), ("20", "audio"))]
    assert [row.code for row in found if row] == ["short", "long", "call"]
    assert found[1] and found[1].price == Decimal("45.50")


def test_one_is_charged_for_each_so_many_minutes_begun() -> None:
    row = Row("call", "Telephone call", every=5)
    counts = {"0": 1, "0.01": 1, "5": 1, "5.01": 2, "20": 4, "21": 5, "23.5": 5, "25.00": 5}
    assert {minutes: quantity(Decimal(minutes), row) for minutes in counts} == counts


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("price = 20", "prize = 20", "prize"),
        ("price = 20", "price = -1", "'short'"),
        ('currency = "EUR"', "", "ISO 4217"),
        ('code = "long"', 'code = "short"', "twice"),
        ('place_unsaid = "10"', 'place_unsaid = "99"', "02, 10"),
        ("minutes = 20", "minutes = -20", "from 0"),
        ('modality = "audio"', 'modality = "fax"', "fax"),
        ("[[visit]]", "[visit", "line"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, before: str, after: str, said: str) -> None:
    path = tmp_path / "tariff.toml"
    path.write_text(FILE.replace(before, after, 1))
    with pytest.raises(TariffError, match=said) as told:
        read_tariff(path)
    assert str(path) in str(told.value)


def test_the_example_of_the_documentation_is_good(tmp_path: Path) -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "billing.md").read_text()
    (tmp_path / "tariff.toml").write_text(text.split("```toml\n")[1].split("```")[0])
    tariff = read_tariff(tmp_path / "tariff.toml")
    assert [row.code for row in tariff.visit] == ["V1", "V2", "T5"] and tariff.place_unsaid == "10"


def test_a_tariff_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tariff.toml").write_text("visit = []")
    with pytest.raises(TariffError, match="empty"):
        read_tariff(tmp_path / "tariff.toml")
