"""PID-18 to Account.

HL7 v2.5.1 section 3.4.2.18 (PID-18); official map PID[Account].
"""

from hl7_bridge.er7 import Segment
from hl7_bridge.mapping.datatypes.identifiers import identifier, key
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.model import Entry, Policy, Resource


def account(pid: Segment, policy: Policy, draft: Draft) -> Entry | None:
    """The Account of PID-18; None when there is none."""
    number = identifier(pid.first(18), draft) if pid.has(18) else None
    if number is None:
        return None
    number.setdefault("system", draft.own("account"))
    known = key(number)
    if known is None:
        return None
    resource: Resource = {
        "resourceType": "Account",
        "identifier": [number],
        "status": "active",
        "subject": [draft.subject],
    }
    entry = draft.add(resource, policy, (known,), pid)
    entry.defaults = frozenset({"status"})
    return entry
