"""Events of the authorization server become audit records, before anybody is answered."""

from collections.abc import Sequence

import pytest

from fhir_server.audit.chain import Chain
from fhir_server.audit.record import AuditRecord, Interaction, Outcome
from fhir_server.audit.refusals import PRESENTED, Refusals
from fhir_server.audit.render import audit_event
from fhir_server.authorization.note import ROWS, Notes, record
from resources.errors import Unavailable
from resources.validation import check
from smart_auth.model import Event, Told


@pytest.mark.parametrize("event", list(Event))
def test_every_event_has_a_row_and_is_a_valid_audit_event(event: Event) -> None:
    told = Told(event=event, who="Practitioner/1", client="app", address="10.0.0.7", patient="Patient/1", detail="why")
    for ok in (True, False):
        made = record(Told(**{name: getattr(told, name) for name in told.__struct_fields__} | {"ok": ok}))
        [row] = Chain(b"k" * 32).extend([made])
        rendered = audit_event(row, "https://fhir.example.org/fhir")
        check(rendered)
        assert rendered["outcomeDesc"].endswith("why")
    assert set(ROWS) == set(Event)


def test_a_refusal_has_a_higher_outcome() -> None:
    assert record(Told(event=Event.LOGIN, who="ada")).outcome == Outcome.SUCCESS
    refused = record(Told(event=Event.LOGIN_REFUSED, who="ada", ok=False))
    assert (refused.interaction, refused.outcome) == (Interaction.LOGIN, Outcome.MINOR)
    assert record(Told(event=Event.REUSE, detail="code")).outcome == Outcome.SERIOUS


def test_breaking_the_glass_keeps_reason_patient_and_purpose() -> None:
    made = record(Told(event=Event.BREAK_GLASS, who="Practitioner/1", patient="Patient/1", detail="unconscious"))
    assert (made.purpose, made.patient, made.detail) == ("BTG", "Patient/1", "unconscious")


def test_what_the_trail_cannot_take_is_no_event() -> None:
    def full(records: Sequence[AuditRecord]) -> None:
        raise Unavailable("full")

    heard: list[Told] = []
    notes = Notes(full)
    notes.listeners.append(heard.append)
    with pytest.raises(Unavailable):
        notes(Told(event=Event.TOKEN))
    assert not heard


@pytest.mark.parametrize(("event", "ok"), [(Event.TOKEN_REFUSED, False), (Event.LOCKED, False), (Event.REUSE, True)])
def test_of_refusals_any_number_makes_a_few_rows(event: Event, ok: bool) -> None:
    rows: list[AuditRecord] = []
    refusals = Refusals(rows.extend)
    notes, heard = Notes(rows.extend, refusals), []
    notes.listeners.append(heard.append)
    for _ in range(100):
        notes(Told(event=event, address="192.0.2.1", detail="why", ok=ok))
    notes(Told(event=Event.LOGIN_REFUSED, address="192.0.2.1", who="ada", detail="password", ok=False))
    assert (len(rows), len(heard)) == (PRESENTED + 1, 101)
    refusals.settle(last=True)
    assert rows[-1].detail.startswith(f"{100 - PRESENTED} more within")
