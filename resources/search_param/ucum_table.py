"""Writes ucum.json.gz: the units in common use with their dimension, factor and offset.

The Unified Code for Units of Measure (https://ucum.org/ucum). Run ``python -m resources.search_param.ucum_table`` after
a change of the units below.
"""

import gzip
from pathlib import Path

import msgspec

from resources.search_param.ucum import measured

_MASS = "kg g mg ug ng pg fg [lb_av] [oz_av] t"
_AMOUNT = "mol mmol umol nmol pmol fmol eq meq ueq"
_VOLUME = "L dL cL mL uL nL fL m3 cm3 mm3 l dl ml ul [foz_us] [gal_us] [pt_us] [qt_us] [cup_us] [tbs_us] [tsp_us] [drp]"
_LENGTH = "m km dm cm mm um nm [in_i] [ft_i] [yd_i] [mi_i] [in_us]"
_TIME = "s ms us min h d wk mo a"
_OTHER = (
    "1 % [ppth] [ppm] [ppb] 10* 10*-3 10*3 10*6 10*9 10*12 K Cel [degF] Pa kPa hPa bar mbar mm[Hg] cm[H2O] [psi] "
    "N J kJ cal kcal [Cal] W mW V mV uV A mA Hz kHz MHz Bq MBq GBq Ci mCi uCi Gy cGy mGy Sv mSv uSv "
    "U kU mU kat ukat nkat osm mosm Ohm F H lm lx cd T rad deg kg/m2 g/m2 m2 cm2 mm2 [sft_i] [sin_i] m/s km/h [mi_i]/h "
    "mL/min/{1.73_m2} mL/min/1.73.m2 L/min/m2 mL/kg mL/kg/h mL/kg/min mg/kg mg/kg/d ug/kg ug/kg/min ng/kg/min g/kg "
    "kcal/d meq/kg mmol/kg mosm/kg osm/kg ug/kg/h mg/kg/h dyn.s/cm5 mg/mmol ug/mmol g/mol mg/mol g/g mg/g ug/g ng/g "
    "{cells}/uL mmol/mol umol/mol mg/mg umol/g nmol/g {score} {count} {beats}/min {breaths}/min /[HPF] /[LPF] m[iU]/L "
    "u[iU]/mL [iU]/L [iU]/mL k[iU]/L [iU] ug/min mg/min mg/h g/h g/d mg/d ug/d ng/d mmol/d umol/d mmol/h"
)
_CONCENTRATED = (
    *_MASS.split()[:7],
    *_AMOUNT.split(),
    "U",
    "kU",
    "mU",
    "ukat",
    "nkat",
    "10*3",
    "10*6",
    "10*9",
    "10*12",
    "",
)
_BY = ("L", "dL", "mL", "uL", "L/h", "mL/min", "min", "h", "d", "s")


def units() -> list[str]:
    """The units of the table: those above, concentrations and rates."""
    single = " ".join((_MASS, _AMOUNT, _VOLUME, _LENGTH, _TIME, _OTHER)).split()
    concentrations = [f"{above}/{below}" for above in _CONCENTRATED for below in _BY[:4]]
    rates = [f"{above}/{below}" for above in ("L", "mL", "uL", "", "{beats}") for below in _BY[6:]]
    return list(dict.fromkeys((*single, *concentrations, *rates)))


def table() -> dict[str, tuple[str, str, str]]:
    """{unit: (dimension, factor, offset)} with fractions as text, of the units that ucumvert can place."""
    found = {unit: measured(unit) for unit in units()}
    return {unit: (row[0], str(row[1]), str(row[2])) for unit, row in found.items() if row}


if __name__ == "__main__":
    raw = gzip.compress(msgspec.json.encode(table()), 9, mtime=0)
    Path(__file__).with_name("ucum.json.gz").write_bytes(raw)
