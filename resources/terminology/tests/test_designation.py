"""Languages and displays."""

from resources.terminology.designation import in_language, is_called, speaks

WORDS = [{"language": "de-AT", "value": "Erdäpfel"}, {"value": "Spud"}]


def test_languages() -> None:
    assert speaks("de-AT", "de") and speaks("DE", "de") and not speaks("den", "de") and not speaks("de", "de-AT")
    assert in_language("Potato", WORDS, "de") == "Erdäpfel"
    assert in_language("Potato", WORDS, "fr") == in_language("Potato", WORDS, "") == "Potato"


def test_case_accents_and_spaces_do_not_matter() -> None:
    assert is_called("  ERDAPFEL", "Potato", WORDS) and is_called("potato", "Potato", ())
    assert not is_called("tomato", "Potato", WORDS)
