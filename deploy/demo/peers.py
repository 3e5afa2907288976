"""A laboratory and a pharmacy on the other side of the wire: they take orders over MLLP, and answer in a while. An
archive takes notes.

HL7 v2.5.1 OML^O21 → ORU^R01, RDE^O11 → RDS^O13, MDM^T02, by PyPI's hl7, which knows nothing of Hearth.
"""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zlib import crc32

import hl7
from hl7.mllp import HL7StreamReader, HL7StreamWriter, open_hl7_connection, start_hl7_server

_AFTER = 2.0
"""Seconds from the order to the answer."""
# LOINC of an order to what is measured: LOINC, name, unit, reference range, lowest and highest found.
_PANELS: dict[str, tuple[tuple[str, str, str, str, float, float], ...]] = {
    "58410-2": (
        ("718-7", "Hemoglobin", "g/dL", "12.0-16.0", 11.0, 16.0),
        ("6690-2", "Leukocytes", "10*3/uL", "4.5-11.0", 3.9, 12.5),
        ("777-3", "Platelets", "10*3/uL", "150-400", 130, 420),
    ),
    "24331-1": (
        ("2093-3", "Cholesterol", "mg/dL", "125-200", 140, 260),
        ("2085-9", "HDL cholesterol", "mg/dL", "40-60", 30, 75),
        ("13457-7", "LDL cholesterol", "mg/dL", "60-130", 70, 190),
    ),
    "4548-4": (("4548-4", "Hemoglobin A1c", "%", "4.0-5.6", 5.0, 9.5),),
}
_OTHER = _PANELS["58410-2"]
_numbers = itertools.count(1)


Answers = Callable[[hl7.Message, str], str]


@dataclass
class Peer:
    """One system: ``answers`` makes of an order the message that it sends to ``home``, None: it only takes."""

    name: str
    answers: Answers | None
    port: int
    home: int

    async def serve(self) -> None:
        """Until it is cancelled."""
        async with await start_hl7_server(self._met, "127.0.0.1", self.port) as server:
            await server.serve_forever()

    async def _met(self, reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        due: set[asyncio.Task[None]] = set()
        try:
            while True:
                message = await reader.readmessage()
                writer.writemessage(message.create_ack("AA"))
                await writer.drain()
                print(f"  {self.name}: took {message.segment('MSH')[9]}", flush=True)
                if self.answers and str(message.segment("ORC")[1]) == "NW":
                    due.add(asyncio.create_task(self._answer(self.answers, message)))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, answers: Answers, order: hl7.Message) -> None:
        await asyncio.sleep(_AFTER)
        reader, writer = await open_hl7_connection("127.0.0.1", self.home)
        writer.writemessage(hl7.parse(answers(order, self.name)))
        await writer.drain()
        told = await reader.readmessage()
        print(f"  {self.name}: answered an order, and was told {told.segment('MSA')[1]}", flush=True)
        writer.close()


def results(order: hl7.Message, name: str) -> str:
    """ORU^R01 with all that was ordered, final."""
    lines = [_head(name, "ORU^R01^ORU_R01"), str(order.segment("PID"))]
    now = _now()
    for orc, obr in zip(order.segments("ORC"), order.segments("OBR"), strict=False):
        placer, code = str(orc[2]), str(obr[4])
        filler = f"L{crc32(placer.encode())}^{name}"
        lines.append(f"ORC|RE|{placer}|{filler}||CM")
        lines.append(f"OBR|1|{placer}|{filler}|{code}|||{now}|||||||||||||||{now}||LAB|F")
        lines += _measured(code, placer, now)
    return "\r".join(lines) + "\r"


def dispensed(order: hl7.Message, name: str) -> str:
    """RDS^O13: what was prescribed, handed out."""
    placer, rxe = str(order.segment("ORC")[2]), order.segment("RXE")
    filler = f"P{crc32(placer.encode())}^{name}"
    lines = (
        _head(name, "RDS^O13^RDS_O13"),
        str(order.segment("PID")),
        f"ORC|RE|{placer}|{filler}||CM|||||||||||{_now()}",
        f"RXO|{rxe[2]}",  # the order as it was placed: by it, CM closes the prescription
        str(rxe),
        f"RXD|1|{rxe[2]}|{_now()}|30|{{tbl}}^tablet^UCUM||{filler.split('^')[0]}",
    )
    return "\r".join(lines) + "\r"


def _measured(code: str, placer: str, now: str) -> Sequence[str]:
    panel = next((rows for loinc, rows in _PANELS.items() if loinc in code), _OTHER)
    lines = []
    for n, (loinc, name, unit, usual, low, high) in enumerate(panel, 1):
        value = low + (high - low) * (crc32(f"{placer}{loinc}".encode()) % 1000) / 1000
        text = f"{value:.1f}" if high < 50 else f"{value:.0f}"
        lines.append(
            f"OBX|{n}|NM|{loinc}^{name}^LN||{text}|{unit}^^UCUM|{usual}|{_flag(float(text), usual)}|||F|||{now}"
        )
    return lines


def _flag(value: float, usual: str) -> str:
    low, high = map(float, usual.split("-"))
    return "L" if value < low else "H" if value > high else "N"


def _head(name: str, kind: str) -> str:
    return f"MSH|^~\\&|{name}|EMBERTON|HEARTH|CLINIC|{_now()}||{kind}|{name}{_now()}{next(_numbers)}|P|2.5.1"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
