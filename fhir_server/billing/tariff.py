"""What the site charges for: which code stands for a visit of so many minutes, and for which price.

A TOML file of the site (docs/billing.md); ours while there is none. Codes of others belong to them: none are shipped.
"""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec

from fhir_server.settings import SettingError

Json = dict[str, Any]
Modality = Literal["video", "audio", "in-person"]

CHARGES = "urn:x-hearth:visit-charge"
"""System of the codes of a site that states none."""
PLACES = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
ELSEWHERE, AT_HOME = "02", "10"
"""Place of service of who is visited over a distance."""
_PLACES = {
    ELSEWHERE: "At a distance, the patient elsewhere than at home",
    AT_HOME: "At a distance, the patient at home",
    "11": "At the practice",
}
_MODIFIERS = "http://www.ama-assn.org/go/cpt"


class TariffError(SettingError):
    """The file cannot be used; the text names it, the place in it and what is expected."""


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Visits of ``minutes`` and more, up to those of the next row; '' for every ``modality``. ``price`` is of one, and
    one is charged for ``every`` minutes begun (0: one for the visit)."""

    code: str
    text: str
    minutes: int = 0
    modality: Literal["", "video", "audio", "in-person"] = ""
    price: Decimal | None = None
    every: int = 0


class Tariff(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``places`` are what a biller chooses from (code to text), ``place_unsaid`` that of a visit over a distance of
    which the record does not say where the patient was; ``modifiers`` go by modality."""

    visit: tuple[Row, ...]
    code_system: str = CHARGES
    currency: str = ""
    place_system: str = PLACES
    places: dict[str, str] = msgspec.field(default_factory=lambda: dict(_PLACES))
    place_unsaid: str = ""
    modifier_system: str = _MODIFIERS
    modifiers: dict[Modality, str] = msgspec.field(default_factory=lambda: {"video": "95", "audio": "93"})

    def row(self, minutes: Decimal, modality: Modality) -> Row | None:
        """That of a visit; None when the table begins later."""
        fits = [row for row in self.visit if row.minutes <= minutes and row.modality in ("", modality)]
        return max(fits, key=lambda row: (row.minutes, row.modality), default=None)

    def coded(self, code: str) -> Row | None:
        return next((row for row in self.visit if row.code == code), None)

    def concept(self, row: Row) -> Json:
        return {"coding": [{"system": self.code_system, "code": row.code}], "text": row.text}

    def place(self, code: str) -> Json:
        return {"coding": [{"system": self.place_system, "code": code}], "text": self.places[code]}

    def modifier(self, code: str) -> Json:
        texts = {self.modifiers[one]: text for one, text in MODALITIES.items() if one in self.modifiers}
        return {"coding": [{"system": self.modifier_system, "code": code}], "text": texts[code]}


MODALITIES: dict[Modality, str] = {"video": "By video", "audio": "By sound alone", "in-person": "In person"}

_OURS = Tariff(
    visit=(
        Row("visit-0", "Visit under 10 minutes"),
        *(
            Row(f"visit-{low}", f"Visit of {low} to {high - 1} minutes", minutes=low)
            for low, high in ((10, 20), (20, 30), (30, 45), (45, 60))
        ),
        Row("visit-60", "Visit of an hour or more", minutes=60),
    )
)


def read_tariff(path: Path) -> Tariff:
    """The site's, or ours when there is no file. Raises TariffError."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return _OURS
    except (OSError, UnicodeDecodeError) as error:
        raise TariffError(f"{path} cannot be read: {error}") from None
    try:
        found = msgspec.convert(tomllib.loads(text, parse_float=Decimal), Tariff)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise TariffError(f"{path}: {error}") from None
    for fault in _faults(found):
        raise TariffError(f"{path}: {fault}")
    return found


def _faults(tariff: Tariff) -> list[str]:
    """What the types do not say."""
    codes = [row.code for row in tariff.visit]
    found = [
        f"visit has {code!r} twice; a code has one row" for code in sorted({c for c in codes if codes.count(c) > 1})
    ]
    found += [f"visit {row.code!r}: {fault}" for row in tariff.visit if (fault := _fault(row, tariff))]
    if not tariff.visit:
        found.append("visit is empty; expected at least one row")
    if tariff.place_unsaid and tariff.place_unsaid not in tariff.places:
        found.append(f"place_unsaid is {tariff.place_unsaid!r}; expected one of {', '.join(tariff.places)}")
    return found


def _fault(row: Row, tariff: Tariff) -> str:
    if not row.code.strip() or not row.text.strip():
        return "code and text must not be empty"
    if row.minutes < 0 or row.every < 0:
        return "minutes and every are whole numbers from 0"
    if row.price is not None and (not row.price.is_finite() or row.price < 0):
        return f"price is {row.price}; expected an amount from 0"
    if row.price is not None and not (len(tariff.currency) == 3 and tariff.currency.isalpha()):
        return f"has a price, and currency is {tariff.currency!r}; expected an ISO 4217 code such as EUR"
    return ""
