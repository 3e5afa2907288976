"""Fresh logical ids.

FHIR R4 id (https://hl7.org/fhir/R4/datatypes.html#id); UUID version 7 (RFC 9562).
"""

import os
import time

_VARIANTS = "89ab"


def new_id() -> str:
    """A fresh logical id: a UUID version 7, so that ids made together lie together in the index."""
    moment, random = f"{time.time_ns() // 1_000_000:012x}", os.urandom(10)
    text = random.hex()
    return f"{moment[:8]}-{moment[8:]}-7{text[:3]}-{_VARIANTS[random[9] & 3]}{text[3:6]}-{text[6:18]}"
