"""Questionnaires and their responses: what may be asked and answered, what follows from an answer, what is amiss.

FHIR R4 Questionnaire (https://hl7.org/fhir/R4/questionnaire.html), QuestionnaireResponse. Pure: nothing is looked up.
"""

from resources.questionnaires.answers import Answers, Breach, flat, nested
from resources.questionnaires.enabling import Enabling
from resources.questionnaires.form import Form, Place
from resources.questionnaires.rules import breaches, check
from resources.questionnaires.typed import fields, read

__all__ = ["Answers", "Breach", "Enabling", "Form", "Place", "breaches", "check", "fields", "flat", "nested", "read"]
