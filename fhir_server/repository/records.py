"""The audit records of what a repository did."""

from fhir_server.audit.record import AuditRecord, Interaction, event
from fhir_server.store import Write
from resources.repository import Caller

_INTERACTION = {
    "POST": Interaction.CREATE,
    "PUT": Interaction.UPDATE,
    "PATCH": Interaction.PATCH,
    "DELETE": Interaction.DELETE,
}


def write_record(caller: Caller, write: Write) -> AuditRecord:
    """One record for one stored version."""
    interaction = Interaction.CREATE if write.version == 1 and write.op != "DELETE" else _INTERACTION[write.op]
    return event(
        caller, interaction, patient=_patient(write), entity=f"{write.type}/{write.id}/_history/{write.version}"
    )


def _patient(write: Write) -> str:
    if write.type == "Patient":
        return f"Patient/{write.id}"
    entries = write.entries or write.previous_entries
    return entries.subject if entries else ""
