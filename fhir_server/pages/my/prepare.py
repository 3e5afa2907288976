"""The questionnaires of an appointment: filled in, kept for later, sent, amended while the appointment is ahead.

FHIR R4 QuestionnaireResponse, Task; docs/adr/questionnaires.md. Works without script; two windows do not overwrite
each other unless told to.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import Response, request

from fhir_server.pages.chart.words import when
from fhir_server.pages.my.appointments import is_ahead, own
from fhir_server.pages.my.desk import Desk
from fhir_server.pages.my.sheet import Sheet
from fhir_server.questionnaires import tasks
from fhir_server.questionnaires.sources import form_of
from fhir_server.questionnaires.writing import commands
from resources.errors import Conflict, FhirError, NotFound, OutcomeUnknown, PreconditionFailed, Unavailable
from resources.json_codec import decode_stored
from resources.literal_reference import local
from resources.questionnaires import Answers, Breach, Enabling, Form, Place, breaches, fields, flat, read
from resources.questionnaires.told import lines
from resources.questionnaires.typed import Fields

Json = dict[str, Any]

_STATES = {"": ("To fill in", "warn"), "in-progress": ("Begun, not sent", "warn"), "completed": ("Sent", "good"),
           "amended": ("Sent and amended", "good")}  # fmt: skip
_MEANWHILE = (
    "These answers were changed in another window meanwhile. What you typed is below and is not saved. "
    "To put it in the place of what was saved there, press the button again."
)


@dataclass(frozen=True)
class Filling:
    """One questionnaire of an appointment. ``ahead``: answers may be changed."""

    desk: Desk
    task: Json
    ahead: bool

    @cached_property
    def form(self) -> Form | None:
        return form_of(self.desk.repository, self.task)

    @cached_property
    def response(self) -> Json | None:
        """As it was saved or sent. Raises FhirError other than that there is none."""
        found = local(tasks.answered_by(self.task))
        if found is None or found.type != "QuestionnaireResponse":
            return None
        one = decode_stored(self.desk.repository.read(*found).doc)
        return one if one.get("subject", {}).get("reference") == self.desk.patient else None

    @property
    def status(self) -> str:
        return str((self.response or {}).get("status", ""))

    @property
    def sent(self) -> bool:
        return self.status in ("completed", "amended")

    @property
    def versions(self) -> str:
        """What the form brings back, so that nothing newer is written over."""
        return "-".join(str((one or {}).get("meta", {}).get("versionId", 0)) for one in (self.task, self.response))

    @property
    def title(self) -> str:
        of = self.form.questionnaire if self.form else {}
        return str(of.get("title") or of.get("name") or "Questionnaire")

    @cached_property
    def before(self) -> Answers:
        """What was answered so far, at first what the questionnaire begins with."""
        assert self.form is not None
        if self.response is not None:
            return flat(self.form, self.response)[0]
        begun = ((link, n, one) for link in self.form.questions() for n, one in enumerate(self.form.begun(link)))
        return {Place(link, (*(0 for _ in self.form.above[link]), n)): one for link, n, one in begun}


def _filling(desk: Desk, id: str) -> tuple[Json, list[Filling], Filling | None]:
    """The appointment, all that is to be filled in for it, and which of these is meant. Raises NotFound."""
    appointment = own(desk, id)
    mine = [one for one in tasks.of(desk.repository, f"Appointment/{appointment['id']}")
            if one.get("for", {}).get("reference") == desk.patient]  # fmt: skip
    found = [Filling(desk, one, is_ahead(desk, appointment)) for one in mine]
    wanted = request.values.get("task", "")
    if wanted:
        chosen = next((one for one in found if one.task["id"] == wanted), None)
        if chosen is None:
            raise NotFound("There is no such questionnaire.")
        return appointment, found, chosen
    unsent = next((one for one in found if one.task.get("status") in tasks.OPEN), None)
    return appointment, found, unsent or next(iter(found), None)


def prepare(desk: Desk, id: str) -> Response:
    """GET /my/appointments/<id>/prepare"""
    appointment, found, chosen = _filling(desk, id)
    if chosen is None or chosen.form is None or not chosen.ahead:
        return _page(desk, appointment, found, chosen)
    sent = fields(chosen.form, chosen.before, desk.clinic.zone)
    return _page(desk, appointment, found, chosen, Sheet(chosen.form, sent, chosen.before, (), desk.clinic.zone))


def prepared(desk: Desk, id: str) -> Response:
    """POST /my/appointments/<id>/prepare: ``go`` is save, send, or the name of the field to add."""
    appointment, found, chosen = _filling(desk, id)
    if chosen is None or chosen.form is None or not chosen.ahead:
        raise NotFound("This cannot be filled in any more.")
    sent, go = request.form.to_dict(flat=False), request.form.get("go", "save")
    answers, unread = read(chosen.form, sent, chosen.before, desk.clinic.zone)
    if go not in ("save", "send"):
        sheet = Sheet(chosen.form, sent | {go: [""]}, answers, (), desk.clinic.zone, go)
        return _page(desk, appointment, found, chosen, sheet, versions=request.form.get("versions", ""))
    # What was sent before is never kept as a draft again.
    whole = go == "send" or chosen.sent
    kept, amiss = _judged(chosen.form, answers, whole)
    sheet = Sheet(chosen.form, sent, answers, [*unread, *amiss], desk.clinic.zone)
    error, more = _not_yet(sheet, whole, sent)
    if error or more:
        status, versions = 422 if error else 200, request.form.get("versions", "")
        return _page(desk, appointment, found, chosen, sheet, status, error, more, versions)
    return _written(appointment, found, chosen, sheet, kept, whole)


def _judged(form: Form, answers: Answers, whole: bool) -> tuple[Answers, list[Breach]]:
    """The answers that count, and what is amiss with them."""
    enabling = Enabling(form, answers)
    kept = enabling.kept()
    lost = [Breach(place, "Please answer this too: what is below belongs to it.") for place in enabling.lost()]
    return kept, [*lost, *breaches(form, kept, whole=whole)]


def _not_yet(sheet: Sheet, whole: bool, sent: Fields) -> tuple[str, str]:
    """(error, notice) when what was typed cannot be taken as it is."""
    if wrong := len(sheet.errors()):
        return f"{wrong} {'answer needs' if wrong == 1 else 'answers need'} another look.", ""
    if whole and set(sheet.conditional()) - set(sent.get("seen", ())):
        return "", "Your answers led to more questions. Please look through them, then send."
    return "", ""


def _written(
    appointment: Json, found: list[Filling], one: Filling, sheet: Sheet, kept: Answers, whole: bool
) -> Response:
    desk, versions = one.desk, request.form.get("versions", "")
    error, status = _MEANWHILE, 409
    try:
        if versions == one.versions:
            _store(one, kept, whole)
            here = f"/my/appointments/{appointment['id']}/prepare"
            return desk.go(here, done="answered" if whole else "kept", task=one.task["id"])
    except (Conflict, PreconditionFailed):
        one = Filling(desk, decode_stored(desk.repository.read("Task", one.task["id"]).doc), one.ahead)
    except OutcomeUnknown:
        error, status = "Your answers may have been saved or not. They are still here; please save or send again.", 503
    except Unavailable:
        error, status = "Your answers could not be saved just now. They are still here; please try again.", 503
    except FhirError as refused:
        error, status = refused.issues[0].text, refused.status
    return _page(desk, appointment, found, one, sheet, status, error)


def _store(one: Filling, kept: Answers, whole: bool) -> None:
    assert one.form is not None
    visitor, clinic = one.desk.visitor, one.desk.clinic
    who = visitor.person.fhir_user if visitor.person is not None and visitor.person.fhir_user else one.desk.patient
    made = commands(one.form, kept, one.task, one.response, patient=one.desk.patient, who=who, whole=whole,
                    now=clinic.now())  # fmt: skip
    clinic.repository_of(tasks.lent(visitor.caller)).commit(made)


def _page(
    desk: Desk,
    appointment: Json,
    found: list[Filling],
    chosen: Filling | None,
    sheet: Sheet | None = None,
    status: int = 200,
    error: str = "",
    more: str = "",
    versions: str = "",
) -> Response:
    """``versions`` are those that the form was first shown with, where what is typed goes on from them."""
    one = chosen if chosen and chosen.form else None
    shown = {
        "appointment": appointment["id"],
        "when": when(appointment.get("start", ""), desk.clinic.zone),
        "chosen": chosen,
        "title": one.title if one else "",
        "state": _state(chosen),
        "description": str(one.form.questionnaire.get("description", "")) if one and one.form else "",
        "versions": versions or (chosen.versions if chosen else ""),
        "errors": sheet.errors() if sheet else [],
        "items": sheet.items() if sheet else [],
        "answers": lines(chosen.response or {}, desk.clinic.zone) if chosen else [],
        "others": [(other.task["id"], other.title, _state(other)) for other in found] if len(found) > 1 else [],
        "ahead": bool(chosen and chosen.ahead),
    }
    heading = "Prepare for your appointment"
    return desk.page("prepare.html", status, tab="", heading=heading, error=error, more=more, **shown)


def _state(one: Filling | None) -> tuple[str, str]:
    return _STATES.get(one.status, (one.status, "")) if one else ("", "")
