"""The repository of one caller: the one door to clinical data, audited on every path.

FHIR R4 http.html; the protocol and its promises are in resources/repository.py.
"""

from collections.abc import Collection, Iterable, Sequence
from hashlib import blake2b
from typing import TypeGuard

from fhir_server.audit.record import AuditRecord, Interaction, event, per_patient
from fhir_server.audit.record import Outcome as AuditOutcome
from fhir_server.repository.changes import changes
from fhir_server.repository.criteria import criteria_of, type_of
from fhir_server.repository.guard import Guard
from fhir_server.repository.history import history_page
from fhir_server.repository.services import Services
from fhir_server.repository.single import Single, commit_one
from fhir_server.repository.transaction import Commit
from fhir_server.search.restriction import Restriction, restriction
from fhir_server.search.view import surely
from fhir_server.store import Stored
from resources.errors import FhirError, Gone, MethodNotAllowed, NotFound
from resources.main_patient import patient_of
from resources.repository import (
    Caller,
    Command,
    Create,
    Delete,
    Find,
    HistoryPage,
    HistoryRequest,
    Mark,
    Outcome,
    Patch,
    Put,
    Read,
    SearchPage,
    SearchRequest,
    Version,
)

_AUDIT = "AuditEvent"
_PARAMETER = "SearchParameter"
_HISTORY = {
    (True, True): Interaction.HISTORY_INSTANCE,
    (True, False): Interaction.HISTORY_TYPE,
    (False, False): Interaction.HISTORY_SYSTEM,
}
_WRITES: dict[type, Interaction] = {
    Create: Interaction.CREATE,
    Put: Interaction.UPDATE,
    Patch: Interaction.PATCH,
    Delete: Interaction.DELETE,
}


class BoundRepository:
    """A Repository for ``caller``; cheap to make, one for each request."""

    __slots__ = ("_services", "caller")

    def __init__(self, services: Services, caller: Caller) -> None:
        self._services, self.caller = services, caller

    def read(self, type: str, id: str) -> Version:
        try:
            version = self._read(type, id)
            self._note_one(Interaction.READ, version)
            return version
        except FhirError as error:
            self._note_refusal(Interaction.READ, f"{type}/{id}", error)
            raise

    def vread(self, type: str, id: str, version: int) -> Version:
        try:
            found = self._vread(type, id, version)
            self._note_one(Interaction.VREAD, found)
            return found
        except FhirError as error:
            self._note_refusal(Interaction.VREAD, f"{type}/{id}/_history/{version}", error)
            raise

    def history(self, request: HistoryRequest) -> HistoryPage:
        interaction = _HISTORY[bool(request.type), bool(request.id)]
        entity = f"{request.type}/{request.id}" if request.id else request.type
        try:
            page = history_page(self._services, self.caller, request)
            self._note_many(interaction, entity, "", _whose(page.versions))
            return page
        except FhirError as error:
            self._note_refusal(interaction, entity, error)
            raise

    def search(self, request: SearchRequest) -> SearchPage:
        interaction = Interaction.SEARCH_TYPE if request.type else Interaction.SEARCH_SYSTEM
        try:
            page = self._search(request)
            patients = _whose(hit.version for hit in page.hits) if page.patients is None else page.patients
            self._note_many(interaction, request.type, page.links["self"], patients)
            return page
        except FhirError as error:
            self._note_refusal(interaction, request.type, error)
            raise

    def identified(
        self, identities: Collection[tuple[str, str, str]], names: Collection[tuple[str, str]] = ()
    ) -> list[Version]:
        if not identities and not names:
            return []
        try:
            session = self._services.store.session()
            rows = self._services.engine.identified(session, self.caller, identities, names)
        except FhirError as error:
            self._note_refusal(Interaction.SEARCH_SYSTEM, "", error)
            raise
        versions = [row.as_version() for row in rows]
        self._note_many(Interaction.SEARCH_SYSTEM, "", _asked(identities, names), _whose(versions))
        return versions

    def standing(self, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
        if not names:
            return {}
        try:
            rows = self._services.engine.identified(self._services.store.session(), self.caller, (), names)
        except FhirError as error:
            self._note_refusal(Interaction.SEARCH_SYSTEM, "", error)
            raise
        return {(row.type, row.id): row.version for row in rows}

    def changes(self, types: Sequence[str], after: int | None, count: int) -> tuple[list[Version], int]:
        try:
            versions, position = changes(self._services, self.caller, types, after, count)
        except FhirError as error:
            self._note_refusal(Interaction.HISTORY_TYPE, ",".join(types), error)
            raise
        if versions:
            self._note_many(Interaction.HISTORY_TYPE, ",".join(types), "", _whose(versions))
        return versions, position

    def digest(self, requests: Iterable[SearchRequest]) -> str:
        made = blake2b(digest_size=16)
        for request in requests:
            try:
                hits = self._search(request).hits
            except FhirError as error:
                self._note_refusal(Interaction.SEARCH_TYPE, request.type, error)
                raise
            made.update(repr([(hit.version.id, hit.version.version) for hit in hits[:1]]).encode())
        return made.hexdigest()

    def commit(
        self,
        commands: Sequence[Command],
        marks: Sequence[Mark] = (),
        *,
        bundled: bool = False,
        told: Sequence[AuditRecord] = (),
    ) -> list[Outcome]:
        """As the protocol has it; ``told`` is what the audit trail hears besides, in the same transaction."""
        try:
            _refuse_audit_writes(commands)
            outcomes = self._commit(commands, marks, bundled, told)
        except FhirError as error:
            self._note_refusal(*_tried(commands), error)
            raise
        if any(outcome.changed and outcome.version and outcome.version.type == _PARAMETER for outcome in outcomes):
            self._services.store.parameters.latest()  # it is in force when this answers
        return outcomes

    # --- without the audit of success

    def _read(self, type: str, id: str) -> Version:
        if type == _AUDIT:
            return self._services.audit_events.read(self.caller, id)
        found = restriction(self.caller, type, "r")
        stored = self._services.store.session().read(type, id, self.caller.tenant)
        if stored is None or (found is not None and not self._is_inside(found, stored)):
            raise NotFound(f"There is no {type}/{id}.")
        if stored.deleted:
            raise Gone(f"{type}/{id} was deleted; its history has the versions before.")
        return stored.as_version()

    def _vread(self, type: str, id: str, version: int) -> Version:
        found = restriction(self.caller, type, "r")
        session, tenant = self._services.store.session(), self.caller.tenant
        stored = session.vread(type, id, version, tenant)
        if found is not None and stored is not None:
            current = session.read(type, id, tenant)
            stored = stored if self._is_inside(found, current) and self._is_inside(found, stored) else None
        if stored is None:
            raise NotFound(f"There is no version {version} of {type}/{id}.")
        if stored.deleted:
            raise Gone(f"Version {version} of {type}/{id} is its deletion.")
        return stored.as_version()

    def _is_inside(self, found: Restriction, stored: Stored | None) -> bool:
        """Whether the caller may know of ``stored``; a deletion is judged by the version before."""
        if stored is not None and surely(found, stored, patient_of(stored.type, stored.id, stored.doc)):
            return True
        view = self._services.engine.resolver(self._services.store.session(), self.caller).view
        living = view.living(stored)
        return living is not None and view.holds(found, living)

    def _search(self, request: SearchRequest) -> SearchPage:
        if request.type == _AUDIT:
            return self._services.audit_events.search(self.caller, request)
        return self._services.engine.search(self._services.store.session(), self.caller, request)

    def _commit(
        self, commands: Sequence[Command], marks: Sequence[Mark], bundled: bool, told: Sequence[AuditRecord]
    ) -> list[Outcome]:
        guard = Guard(self._services, self.caller)
        guard.admit(commands, bundled)
        if not bundled and not told and _is_plain(commands, marks):
            alone = commit_one(self._services, self.caller, commands[0], guard)
            if alone is not None:
                return [alone]
        return Commit(self._services, self.caller, commands, marks, self._answer, guard, bundled, told).run()

    def _answer(self, command: Read | Find) -> Outcome:
        """A read or search inside a transaction."""
        if isinstance(command, Find):
            return Outcome(200, page=self.search(command.request), changed=False)
        found = (
            self.read(command.type, command.id)
            if command.version is None
            else self.vread(command.type, command.id, command.version)
        )
        return Outcome(200, found, changed=False)

    # --- audit

    def _note_refusal(self, interaction: Interaction, entity: str, error: FhirError) -> None:
        """What was asked, of what, and the issue code."""
        outcome = AuditOutcome.MINOR if error.status < 500 else AuditOutcome.MAJOR
        detail = error.issues[0].code
        self._services.note([event(self.caller, interaction, entity=entity, detail=detail, outcome=outcome)])
        error.audited = True

    def _note_one(self, interaction: Interaction, version: Version) -> None:
        patient = patient_of(version.type, version.id, version.doc)
        entity = f"{version.type}/{version.id}/_history/{version.version}"
        self._services.note([event(self.caller, interaction, patient=patient, entity=entity)])

    def _note_many(self, interaction: Interaction, entity: str, detail: str, patients: Collection[str]) -> None:
        named = sorted(patient for patient in patients if patient)
        self._services.note(per_patient(event(self.caller, interaction, entity=entity, detail=detail), named))


def _asked(identities: Collection[tuple[str, str, str]], names: Collection[tuple[str, str]]) -> str:
    """In the manner of a query: ``Patient.identifier=urn:x|1,urn:y|2&Device._id=3``."""
    asked: dict[str, list[str]] = {}
    for type, system, value in identities:
        asked.setdefault(f"{type}.identifier", []).append(f"{system}|{value}")
    for type, id in names:
        asked.setdefault(f"{type}._id", []).append(id)
    return "&".join(f"{name}={','.join(values)}" for name, values in asked.items())


def _whose(versions: Iterable[Version]) -> set[str]:
    """The main patients of ``versions``; '' when one has none."""
    return {patient_of(v.type, v.id, v.doc) for v in versions if v.doc}


def _tried(commands: Sequence[Command]) -> tuple[Interaction, str]:
    """What a refused commit was to do, and to what: ``Patient/1``, or the type when it names no resource."""
    command = commands[0] if len(commands) == 1 else None
    if command is None or isinstance(command, Read | Find):
        return Interaction.TRANSACTION, ""
    id = "" if isinstance(command, Create) else command.id
    return _WRITES[type(command)], f"{type_of(command)}/{id}" if id else type_of(command)


def _is_plain(commands: Sequence[Command], marks: Sequence[Mark]) -> TypeGuard[list[Single]]:
    """One write that names its resource and needs no transaction of several statements."""
    if len(commands) != 1 or marks or isinstance(commands[0], Read | Find):
        return False
    return criteria_of(commands[0]) is None


def _refuse_audit_writes(commands: Sequence[Command]) -> None:
    for command in commands:
        type = getattr(command, "type", "") or getattr(command, "resource", {}).get("resourceType", "")
        if type == _AUDIT and not isinstance(command, Read | Find):
            raise MethodNotAllowed("AuditEvents are written by the server alone and never changed.")
