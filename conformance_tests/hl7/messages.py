"""Messages of a laboratory and a hospital, made up for the tests.

HL7 v2.5.1 chapters 3 (ADT), 4 (orders) and 7 (results).
"""

from collections.abc import Sequence

HOSPITAL = "urn:oid:2.16.840.1.113883.19.4.6"
"""The system of patients' numbers."""
LOINC = "http://loinc.org"
AUTHORITY = "HOSP&2.16.840.1.113883.19.4.6&ISO"


def msh(
    id: str,
    type: str = "ORU^R01^ORU_R01",
    *,
    app: str = "LAB",
    processing: str = "P",
    version: str = "2.5.1",
    accept: str = "",
    final: str = "",
    charset: str = "",
    continuation: str = "",
    at: str = "20260301120000+0000",
) -> str:
    """MSH with its CR."""
    head = f"MSH|^~\\&|{app}|NORTH|||{at}||{type}|{id}|{processing}|{version}||{continuation}|{accept}|{final}|"
    return f"{head}|{charset}".rstrip("|") + "\r"


def pid(patient: str, name: str = "Okafor^Ada", birth: str = "19700102") -> str:
    return f"PID|1||{patient}^^^{AUTHORITY}^MR||{name}||{birth}|F\r"


def obr(placer: str, filler: str, status: str = "F", code: str = "24323-8^Panel^LN") -> str:
    return (
        f"OBR|1|{placer}^HIS|{filler}^LAB|{code}|||20260301110000+0000|||||||||||||||20260301115900+0000|||{status}\r"
    )


def obx(number: int, value: str, *, code: str = "718-7^Hemoglobin^LN", status: str = "F", type: str = "NM") -> str:
    return f"OBX|{number}|{type}|{code}||{value}|{'g/dL^^UCUM' if type == 'NM' else ''}|||||{status}\r"


def oru(
    id: str, patient: str, values: Sequence[str] = ("13.5",), status: str = "F", order: str = "", **head: str
) -> str:
    """ORU^R01: one order of ``patient`` with a hemoglobin for each of ``values``, told apart by OBX-4."""
    order = order or id
    lines = "".join(
        obx(n, value, status=status).replace(f"^LN||{value}", f"^LN|{n}|{value}") for n, value in enumerate(values, 1)
    )
    return (
        msh(id, **head)
        + pid(patient)
        + f"ORC|RE|P{order}^HIS|F{order}^LAB\r"
        + obr(f"P{order}", f"F{order}", status)
        + lines
    )


def adt(id: str, event: str, patient: str, *more: str, name: str = "Okafor^Ada", **head: str) -> str:
    """ADT with an inpatient visit; ``more`` are segments after PID."""
    lines = f"EVN|{event}|20260301120000+0000\r" + pid(patient, name)
    visit = f"PV1|1|I|W1^101^A||||||||||||||||V{patient}^^^{AUTHORITY}\r"
    return msh(id, f"ADT^{event}^ADT_A01", **head) + lines + "".join(f"{each}\r" for each in more) + visit
