"""Times keep the precision they were given and the offset that holds."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_bridge.er7.tokenizer import tokens
from hl7_bridge.mapping.datatypes import times
from hl7_bridge.mapping.reading import Reading
from hl7_bridge.site.model import Sender


def reading(zone: str = "UTC", msh7: str = "") -> Reading:
    return Reading(Sender("lab", timezone=zone), tokens(f"MSH|^~\\&|A|B|C|D|{msh7}||ORU^R01|1|P|2.5.1\r"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023", "2023"),
        ("202305", "2023-05"),
        ("20230501", "2023-05-01"),
        ("2023050110", "2023-05-01T10:00:00Z"),
        ("202305011025", "2023-05-01T10:25:00Z"),
        ("20230501102531.123-0400", "2023-05-01T10:25:31.123-04:00"),
        ("20230501102531+0000", "2023-05-01T10:25:31+00:00"),
        ("20231301", None),
        ("20230230", None),
        ("0000", None),
        ("202305011025-9900", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_precision(text: str, expected: str | None) -> None:
    assert times.date_time_of(text, reading()) == expected


def test_zone_of_the_sender_knows_its_summers() -> None:
    berlin = reading("Europe/Berlin")
    assert times.date_time_of("202307011200", berlin) == "2023-07-01T12:00:00+02:00"
    assert times.date_time_of("202301011200", berlin) == "2023-01-01T12:00:00+01:00"


def test_zone_of_msh_7_holds_for_the_message() -> None:
    assert times.date_time_of("202307011200", reading(msh7="20230701-0500")) == "2023-07-01T12:00:00-05:00"


def test_period_never_ends_before_it_starts() -> None:
    made = reading()
    assert times.between("20230501", "20230502", made) == {"start": "2023-05-01", "end": "2023-05-02"}
    assert times.between("20230503", "20230502", made) == {"start": "2023-05-03"}
    assert made.warnings


def test_millis() -> None:
    assert times.millis("19700101000001", reading()) == 1000
    assert times.millis("nonsense", reading()) is None


@given(st.datetimes(min_value=datetime(1000, 1, 2)))
def test_any_second_is_read(at: datetime) -> None:
    text = f"{at:%Y%m%d%H%M%S}"
    assert times.date_time_of(text.zfill(14), reading()) == f"{at:%Y-%m-%dT%H:%M:%S}Z"


@given(st.text(max_size=30))
def test_nothing_raises(text: str) -> None:
    times.date_time_of(text, reading())
    times.millis(text, reading())
