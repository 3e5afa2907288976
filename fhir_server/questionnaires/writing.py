"""What is written when a questionnaire is saved or sent: the response and its Task, in one commit.

FHIR R4 QuestionnaireResponse.status: in-progress, completed, and amended once it was completed before.
"""

from typing import Any
from uuid import uuid4

from fhir_server.questionnaires import tasks
from fhir_server.questionnaires.sources import canonical_name
from resources.instant import instant
from resources.questionnaires import Answers, Form, nested
from resources.repository import Command, Create, Put

Json = dict[str, Any]

_SENT = ("completed", "amended")


def commands(
    form: Form, answers: Answers, task: Json, before: Json | None, *, patient: str, who: str, whole: bool, now: int
) -> list[Command]:
    """``before`` is the response that there is; ``who`` answers for ``patient``; ``whole``: it is sent, not kept for
    later; ``now`` in ms since 1970 UTC. Written only over what was looked at."""
    status = "in-progress" if not whole else "amended" if before and before.get("status") in _SENT else "completed"
    told = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": canonical_name(form.questionnaire),
        "status": status,
        "subject": {"reference": patient},
        "authored": instant(now),
        "author": {"reference": who},
        "source": {"reference": who},
    }
    items = nested(form, answers)
    made = told | ({"item": items} if items else {})
    step = "completed" if whole else "in-progress"
    if before is None:
        place = uuid4().urn
        return [Create(made, full_url=place), tasks.done(task, place, step, now)]
    rest = {name: value for name, value in before.items() if name not in ("item", "text")}
    version = int(before["meta"]["versionId"])
    written: list[Command] = [Put(rest | made, "QuestionnaireResponse", before["id"], if_match=version)]
    if task.get("status") != step:
        written.append(tasks.done(task, f"QuestionnaireResponse/{before['id']}", step, now))
    return written
