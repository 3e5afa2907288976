"""What most messages share: the patient, the visit and all that is said of them.

v2-to-FHIR implementation guide, message maps (ADT_A01, ORU_R01, OML_O21): the segments before the orders.
"""

from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.identity import require_patient
from hl7_bridge.mapping.model import Entry, Policy
from hl7_bridge.mapping.orders import Result, Subject
from hl7_bridge.mapping.segments.account import account
from hl7_bridge.mapping.segments.allergy import allergy
from hl7_bridge.mapping.segments.condition import condition
from hl7_bridge.mapping.segments.coverage import coverage, guarantor
from hl7_bridge.mapping.segments.encounter import encounter
from hl7_bridge.mapping.segments.observation import Scope, members, observation
from hl7_bridge.mapping.segments.participation import participations
from hl7_bridge.mapping.segments.patient import patient
from hl7_bridge.mapping.segments.procedure import procedure
from hl7_bridge.mapping.segments.related_person import mothers, related_person


def subject(about: Subject, policy: Policy, draft: Draft) -> Entry:
    """The Patient of ``about`` and everything but orders; ``policy`` is REGISTER where the message may change them."""
    draft.patient = draft.encounter = None
    pid = require_patient(about.pid)
    made = patient(pid, about.pd1, policy, draft)
    mothers(pid, policy, draft)
    for nk1 in about.relatives:
        related_person(nk1, policy, draft)
    owned = account(pid, policy, draft)
    if about.pv1 is not None:
        visit = encounter(about.pv1, about.pv2, policy, draft)
        if owned is not None:
            visit.resource["account"] = [owned.reference]
    for al1 in about.allergies:
        allergy(al1, policy, draft)
    for dg1 in about.diagnoses:
        condition(dg1, policy, draft)
    for pr1 in about.procedures:
        procedure(pr1, policy, draft)
    for in1 in about.insurances:
        coverage(in1, policy, draft)
    for gt1 in about.guarantors:
        guarantor(gt1, policy, draft)
    participations(about.participants, draft)
    loose(about.results, draft)
    return made


def loose(results: list[Result], draft: Draft) -> list[Entry]:
    """Observations that belong to no order: known by the patient, the visit, OBX-3, OBX-4 and OBX-14."""
    if not results:
        return []
    name = [*(min(draft.patient.keys) if draft.patient and draft.patient.keys else ("",))]
    name += draft.encounter.keys[0] if draft.encounter and draft.encounter.keys else ()
    scope = Scope("|".join(name), None, {})
    pairs = [(result.obx, entry) for result in results for entry in observation(result, scope, draft)]
    members(pairs)
    return [entry for _, entry in pairs]
