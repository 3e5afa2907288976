"""What is set aside can be seen beside a running bridge, and by whoever has the key."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hl7_bridge.journal.aside import set_aside
from hl7_bridge.journal.forecourt import Forecourt
from hl7_bridge.journal.sealing import Sealing
from hl7_bridge.journal.tests.test_forecourt import KEY, Cipher
from hl7_bridge.ports import Incoming
from resources.errors import Unavailable


def test_what_is_set_aside_is_told_while_the_bridge_has_the_file(
    tmp_path: Path, message: Callable[[str], Incoming]
) -> None:
    path, sealed, plain = tmp_path / "a court?.db", Sealing(KEY, Cipher()), Sealing(KEY)
    assert set_aside(path, plain) == []
    first = Forecourt(path, sealed)
    first.keep([message("1"), message("2")])
    assert set_aside(path, sealed) == []
    first.close()
    bridge = Forecourt(path, plain)
    assert bridge.after(0, 9) == []
    closed, known = set_aside(path, plain), set_aside(path, sealed)
    assert [(each.name, each.incoming) for each in closed] == [("aside-1", None), ("aside-2", None)]
    assert [each.incoming.control_id for each in known if each.incoming] == ["1", "2"]
    assert closed[0].size > 0 and "cannot be opened" in closed[0].reason and "is taken up" in known[0].reason
    bridge.close()


def test_a_damaged_file_is_a_refusal(tmp_path: Path) -> None:
    path = tmp_path / "court.db"
    path.write_bytes(b"nonsense" * 100)
    with pytest.raises(Unavailable):
        set_aside(path, Sealing(KEY))
