"""The errors that end an interaction."""

from resources.errors import Invalid, Issue, MethodNotAllowed


class Particular(MethodNotAllowed):
    """An error that is made from something else than issues."""

    def __init__(self, allow: str) -> None:
        self.allow = allow
        super().__init__(f"Only {allow}")


def test_within_names_the_entry_and_keeps_the_kind() -> None:
    moved = Particular("GET").within("Bundle.entry[1]")
    assert isinstance(moved, Particular)
    assert (moved.allow, moved.status, moved.code) == ("GET", 405, "not-supported")
    assert moved.issues == (Issue("not-supported", "Bundle.entry[1]: Only GET", "Bundle.entry[1]"),)


def test_telling() -> None:
    issues = [Issue("invalid", "a"), Issue("invalid", "b", "Patient.id")]
    told = Invalid("c").telling(issues)
    assert isinstance(told, Invalid)
    assert told.issues == tuple(issues)
    assert str(told) == "a; b"
