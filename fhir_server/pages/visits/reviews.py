"""That somebody has seen to something: a result that was reviewed, a message that needs no answer.

FHIR R4 Provenance (https://hl7.org/fhir/R4/provenance.html): the target is one version, so that a corrected result
is to be reviewed anew; agent verifier of provenance-participant-type.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from resources.literal_reference import local
from resources.repository import Put

Json = dict[str, Any]

WITH = ("_revinclude", "Provenance:target")
"""What a search brings these with."""
_ACTIVITY = {"system": "urn:x-hearth:activity", "code": "reviewed", "display": "Reviewed"}
_VERIFIER = {"system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "code": "verifier"}


def reviewed(included: Iterable[Json]) -> dict[str, Json]:
    """Those among ``included`` by the version they are of, such as DiagnosticReport/1/_history/2.

    Only what stands under the id that `review` gives it: whoever is confined to one patient's compartment may write a
    Provenance that says anything in anybody's name, and may not choose its id.
    """
    ours = (one for one in included if one["resourceType"] == "Provenance" and _ACTIVITY["code"] in _codes(one))
    named = ((target.get("reference", ""), one) for one in ours for target in one["target"])
    return {version: one for version, one in named if one["id"] == _id(version, _who(one))}


def _who(one: Json) -> str:
    return next((str(row["who"].get("reference", "")) for row in one["agent"]), "")


def _id(version: str, who: str) -> str:
    return f"reviewed-{blake2b(f'{version} {who}'.encode(), digest_size=16).hexdigest()}"


def _codes(one: Json) -> list[str]:
    codings = one.get("activity", {}).get("coding", ())
    return [coding.get("code", "") for coding in codings if coding.get("system") == _ACTIVITY["system"]]


def version_of(one: Json) -> str:
    """``one`` as it is now."""
    return f"{one['resourceType']}/{one['id']}/_history/{one['meta']['versionId']}"


def review(version: str, who: str, at: str) -> Put | None:
    """That ``who`` (a reference, '' where nobody is logged in) has seen to ``version``; said twice it is the same. None
    when it names no version."""
    found = local(version)
    if found is None or "/_history/" not in version:
        return None
    made = {
        "resourceType": "Provenance",
        "target": [{"reference": version}],
        "recorded": at,
        "activity": {"coding": [_ACTIVITY]},
        "agent": [
            {
                "type": {"coding": [_VERIFIER]},
                "who": {"reference": who} if who else {"display": "Nobody is logged in"},
            }
        ],
    }
    return Put(made, "Provenance", _id(version, who), if_none_match=True)
