"""Messages between the patient and the care team, as the patient sees and writes them.

FHIR R4 Communication (https://hl7.org/fhir/R4/communication.html).
"""

from flask import Response, request

from fhir_server.pages.chart.found import find
from fhir_server.pages.chart.threads import LONGEST, LONGEST_TOPIC, ONES, fault, threads, written
from fhir_server.pages.my.desk import Desk
from resources.errors import FhirError, OutcomeUnknown, Unavailable
from resources.repository import Create


def messages(desk: Desk, *, error: str = "", status: int = 200, typed: str = "", topic: str = "") -> Response:
    """GET /my/messages"""
    found = find(
        desk.repository, "Communication", ("subject", desk.patient), ONES, ("_include", "Communication:sender"),
        ("_sort", "-sent"),
    )  # fmt: skip
    return desk.page(
        "messages.html", status, tab="messages", heading="Messages", error=error,
        threads=threads(found.matches[::-1], found.included, desk.clinic.zone), more=found.more, refused=found.refused,
        own=desk.patient, longest=LONGEST, longest_topic=LONGEST_TOPIC, typed=typed, topic=topic,
        answered=request.form.get("thread", ""),
    )  # fmt: skip


def send(desk: Desk) -> Response:
    """POST /my/messages"""
    text, topic = request.form.get("text", "").strip(), request.form.get("topic", "").strip()[:LONGEST_TOPIC]
    if wrong := fault(text):
        return messages(desk, error=wrong, status=400, typed=text, topic=topic)
    thread, now = request.form.get("thread", ""), desk.clinic.now()
    made = written(text, patient=desk.patient, sender=desk.patient, now=now, thread=thread, topic=topic)
    try:
        desk.repository.commit([Create(made)])
    except OutcomeUnknown:
        told = "Your message may have been sent or not. It is still here; please look below before you send it again."
        return messages(desk, error=told, status=503, typed=text, topic=topic)
    except Unavailable:
        told = "Your message could not be sent just now. It is still here; please try again."
        return messages(desk, error=told, status=503, typed=text, topic=topic)
    except FhirError as refused:
        return messages(desk, error=refused.issues[0].text, status=refused.status, typed=text, topic=topic)
    return desk.go("/my/messages", done="sent")
