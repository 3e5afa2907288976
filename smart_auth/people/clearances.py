"""Clearances: who may see and change what is labelled restricted or very restricted, given and taken by administrators.

HL7 v3-Confidentiality (http://terminology.hl7.org/CodeSystem/v3-Confidentiality); HIPAA 164.312(a)(1). One given holds
from the next token on, one taken away at once: the tokens that say it are revoked.
"""

from collections.abc import Callable

from smart_auth.errors import LoginRefused
from smart_auth.model import Clearance, Client, Event, Person, Told
from smart_auth.ports import Note, Records


class Clearances:
    """Changes clearances. ``keep`` says until when a revocation of now must be known."""

    def __init__(self, records: Records, note: Note, now: Callable[[], int], keep: Callable[[], int]) -> None:
        self._records, self._note, self._now, self._keep = records, note, now, keep

    def change(self, of: Client | Person, clearance: Clearance, by: str) -> None:
        """What is given is told first, so that nobody has it without a row of the trail; what is taken away is gone
        first, whatever becomes of the trail. Raises LoginRefused when somebody else has changed it since."""
        if clearance is of.clearance:
            return
        told = _told(of, clearance, by)
        gives = Clearance.least(of.clearance, clearance) is of.clearance
        if gives:
            self._note(told)
        if not self._records.change_clearance(of, clearance, self._now(), self._keep()):
            raise LoginRefused("Somebody else has changed this clearance just now. Look at it again.")
        if not gives:
            self._note(told)


def _told(of: Client | Person, clearance: Clearance, by: str) -> Told:
    words = f"from {of.clearance.words} to {clearance.words}"
    if isinstance(of, Client):
        return Told(event=Event.CLIENT_CHANGED, who=by, client=of.id, detail=f"clearance {words}")
    own = ", by themselves" if by in (of.fhir_user, of.login) else ""
    return Told(event=Event.PERSON_CHANGED, who=by, detail=f"clearance of {of.login} {words}{own}")
