"""Emergency access: a staff person's token for one patient's whole record, with a reason, for an hour at most.

HIPAA 164.312(a)(2)(ii); PurposeOfUse BTG (http://terminology.hl7.org/CodeSystem/v3-ActReason).
"""

from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec.structs import replace

from smart_auth.errors import OAuthError
from smart_auth.lifetimes import Lifetimes
from smart_auth.model import Claims, Event, Told
from smart_auth.oauth.answer import Answer
from smart_auth.oauth.issue import Issue
from smart_auth.oauth.staff import staff_of
from smart_auth.oauth.verifier import Verifier
from smart_auth.people.secret import fresh
from smart_auth.ports import Chart, Note, Records
from smart_auth.scopes.algebra import Scopes, parse
from smart_auth.scopes.grants import BREAK_GLASS

_SHORTEST_REASON, _LONGEST_REASON = 5, 1000


class BreakGlassRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The JSON body: the id of the patient, and why, in words that a reviewer will read."""

    patient: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9\-.]{1,64}\Z")]
    reason: str


class BreakGlass:
    """Answers with a token of the same family, so that it ends with the log-in it came from."""

    def __init__(
        self,
        *,
        records: Records,
        chart: Chart,
        verifier: Verifier,
        issue: Issue,
        note: Note,
        now: Callable[[], int],
        lifetimes: Lifetimes,
    ) -> None:
        self._records, self._chart, self._verifier, self._issue = records, chart, verifier, issue
        self._note, self._now, self._lifetimes = note, now, lifetimes

    def answer(self, body: bytes, token: str) -> Answer:
        """Raises OAuthError: invalid_token (401), insufficient_scope (403), invalid_request."""
        staff = staff_of(token, self._verifier, self._records)
        asked = _read(body)
        if not self._chart.exists(f"Patient/{asked.patient}"):
            raise OAuthError("invalid_request", "There is no such patient.")
        claims = self._claims(staff.claims, asked.patient)
        told = self._issue.bearer(claims, staff.person) | {"patient": asked.patient}
        patient = f"Patient/{asked.patient}"
        self._note(
            Told(event=Event.BREAK_GLASS, who=claims.who, client=claims.client, patient=patient, detail=asked.reason)
        )
        return Answer(200, told)

    def _claims(self, claims: Claims, patient: str) -> Claims:
        scopes = parse(claims.scope)
        kept = Scopes(resources=tuple(scope for scope in scopes.resources if scope.context == "user"))
        if not kept:
            raise OAuthError("insufficient_scope", "The token has no user/ scopes to break the glass with.", 403)
        now = self._now()
        return replace(
            claims,
            jti=fresh(),
            scope=str(kept),
            issued=now,
            expires=now + self._lifetimes.break_glass,
            reach=f"Patient/{patient}",
            patient=patient,
            encounter="",
            purpose=BREAK_GLASS,
        )


def _read(body: bytes) -> BreakGlassRequest:
    try:
        asked = msgspec.json.decode(body, type=BreakGlassRequest)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        raise OAuthError("invalid_request", "The body is JSON with patient and reason.") from None
    if not _SHORTEST_REASON <= len(asked.reason.strip()) <= _LONGEST_REASON:
        raise OAuthError("invalid_request", "The reason is for a reviewer: 5 to 1000 characters.")
    return asked
