import re

from resources.literal_reference import is_id
from resources.logical_id import new_id


def test_ids_are_uuids_of_version_7_that_sort_by_time() -> None:
    first, second = new_id(), new_id()
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", first)
    assert is_id(first) and first != second and first[:13] <= second[:13]
