"""``hearth keys``: which keys sign, and rotation."""

from fhir_server.commands.tests.conftest import Run


def test_rotation_moves_every_key_on(run: Run) -> None:
    before = _states(run("keys", "list")[1])
    assert sorted(before.values()) == ["signs", "signs after the next rotation"]
    waiting = next(kid for kid, state in before.items() if "next" in state)
    assert run("keys", "rotate")[:2] == (0, f"{waiting} signs from now on\n")
    after = _states(run("keys", "list")[1])
    assert after[waiting] == "signs"
    assert sorted(after.values()) == ["retired, verifies", "signs", "signs after the next rotation"]


def _states(listed: str) -> dict[str, str]:
    rows = [line.split(None, 4) for line in listed.splitlines()[1:]]
    return {row[0]: row[4] for row in rows}
