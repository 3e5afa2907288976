"""Units: UCUM only when the sender says so, its profile does, or the unit can mean nothing else.

HL7 v2.5.1 section 7.4.2.6 (OBX-6), UCUM (https://ucum.org/ucum).
"""

from typing import Any, Final

from hl7_bridge.er7 import Value
from hl7_bridge.mapping.model import Unmapped
from hl7_bridge.mapping.reading import Reading
from hl7_bridge.mapping.systems import UCUM, UNIT_NAMES

_SAME = (
    "% mg/dL g/dL ug/dL ng/dL pg/dL mg/L g/L ug/L ng/L mg/mL ug/mL ng/mL pg/mL mmol/L umol/L nmol/L pmol/L "
    "mol/L mmol/mol mmol mol mg g kg ug ng pg fL pL nL uL mL dL L mm cm m km s min h d wk mo a Cel [degF] K "
    "mm[Hg] kPa Pa cm[H2O] U/L U/mL kU/L mU/L mU/mL [IU]/L [IU]/mL m[IU]/L m[IU]/mL u[IU]/mL k[IU]/L 10*3/uL "
    "10*6/uL 10*9/L 10*12/L 10*6/L /uL /mL /L /[HPF] /[LPF] /min {score} {ratio} mosm/kg meq/L mm/h mL/min "
    "mL/h L/min mg/d g/d mg/kg ug/kg kg/m2 m2 mL/min/{1.73_m2} [lb_av] [oz_av] [in_i] [ft_i] V mV A Hz kHz "
    "kcal J kJ W ng/mL/h g/kg mg/g ug/g ug/mg mg/mmol [pH] dB"
)
_OTHER: Final = {
    "mEq/L": "meq/L",
    "MG/DL": "mg/dL",
    "mg/dl": "mg/dL",
    "g/dl": "g/dL",
    "G/DL": "g/dL",
    "mg/l": "mg/L",
    "g/l": "g/L",
    "mmol/l": "mmol/L",
    "MMOL/L": "mmol/L",
    "umol/l": "umol/L",
    "µmol/L": "umol/L",
    "μmol/L": "umol/L",
    "µg/L": "ug/L",
    "μg/L": "ug/L",
    "µg/dL": "ug/dL",
    "mcg/dL": "ug/dL",
    "mcg/mL": "ug/mL",
    "mcg/L": "ug/L",
    "ng/ml": "ng/mL",
    "pg/ml": "pg/mL",
    "ml": "mL",
    "mcg": "ug",
    "mmHg": "mm[Hg]",
    "mm Hg": "mm[Hg]",
    "MMHG": "mm[Hg]",
    "IU/L": "[IU]/L",
    "IU/mL": "[IU]/mL",
    "mIU/L": "m[IU]/L",
    "mIU/mL": "m[IU]/mL",
    "uIU/mL": "u[IU]/mL",
    "K/uL": "10*3/uL",
    "k/uL": "10*3/uL",
    "K/UL": "10*3/uL",
    "M/uL": "10*6/uL",
    "x10^3/uL": "10*3/uL",
    "x10^6/uL": "10*6/uL",
    "10^3/uL": "10*3/uL",
    "10^6/uL": "10*6/uL",
    "10*3/ul": "10*3/uL",
    "10*6/ul": "10*6/uL",
    "x10(3)/uL": "10*3/uL",
    "x10(6)/uL": "10*6/uL",
    "10^9/L": "10*9/L",
    "10^12/L": "10*12/L",
    "/HPF": "/[HPF]",
    "/hpf": "/[HPF]",
    "/LPF": "/[LPF]",
    "/lpf": "/[LPF]",
    "bpm": "/min",
    "beats/min": "{beats}/min",
    "BEATS/MIN": "{beats}/min",
    "breaths/min": "{breaths}/min",
    "mm/hr": "mm/h",
    "mL/hr": "mL/h",
    "sec": "s",
    "degC": "Cel",
    "degF": "[degF]",
    "lb": "[lb_av]",
    "lbs": "[lb_av]",
    "kg/m^2": "kg/m2",
    "mL/min/1.73m2": "mL/min/{1.73_m2}",
    "mL/min/1.73 m2": "mL/min/{1.73_m2}",
    "years": "a",
    "mosmol/kg": "mosm/kg",
}
KNOWN: Final = {name: name for name in _SAME.split()} | _OTHER
"""Spellings that mean one unit only, to UCUM."""

# One-letter units are units of many things in many systems; m, a, d, h and the like need the sender's word.
for _ambiguous in ("m", "a", "d", "h", "s", "K", "V", "A", "J", "W", "L", "mo", "wk", "Pa", "dB"):
    KNOWN.pop(_ambiguous)


def unit(value: Value, reading: Reading) -> dict[str, Any]:
    """``unit``, and ``system`` and ``code`` when it is UCUM; empty when nothing is said."""
    known = reading.units.get(value.raw)
    if known is None:
        known = reading.units[value.raw] = _unit(value, reading)
    return dict(known)


def _unit(value: Value, reading: Reading) -> dict[str, str]:
    code, text = value.text(1).strip(), value.text(2).strip()
    stated = _stated(value, code)
    if not stated and code:
        stated = _configured(code, reading) or (KNOWN.get(code, "") if _may_be_known(value) else "")
        if not stated:
            reading.unmapped.append(Unmapped("OBX-6", code, value.text(3), text, reading.place))
    said = text or value.text(9).strip() or code
    if stated:
        return {"unit": said, "system": UCUM, "code": stated}
    return {"unit": said} if said else {}


def _configured(code: str, reading: Reading) -> str:
    """What the sender's profile, or an answer from the worklist, says a unit is in UCUM."""
    known = reading.sender.units.get(code, "")
    answered = reading.sender.codes.get("OBX-6", {}).get(code) if reading.sender.codes and not known else None
    return answered.code if answered is not None and answered.system == UCUM else known


def _stated(value: Value, code: str) -> str:
    """The code of the triple that names UCUM."""
    if value.text(3).upper() in UNIT_NAMES:
        return "".join(code.split())
    if value.text(6).upper() in UNIT_NAMES:
        return "".join(value.text(4).split())
    return ""


_SYSTEMS_OF_SAME_SPELLING = frozenset({"", "L", "ISO+", "ANSI+", "ISO", "LOCAL"})


def _may_be_known(value: Value) -> bool:
    """Whether the first triple is of no system, or of one whose spellings our table was checked against."""
    name = value.text(3).upper()
    return name in _SYSTEMS_OF_SAME_SPELLING or name.startswith("99")
