"""How a resource shows that it was merged into another.

FHIR R4 Patient.link (https://hl7.org/fhir/R4/patient.html#links); Encounter and Account have no such element, theirs is
an extension of ours.
"""

from typing import Any

from hl7_bridge.mapping.model import Resource

REPLACED_BY = "https://hearth.health/fhir/replaced-by"
MERGEABLE = frozenset({"Patient", "Encounter", "Account"})
_ENDED = {"Patient": ("active", False), "Encounter": ("status", "entered-in-error"),
          "Account": ("status", "entered-in-error")}  # fmt: skip


def survivor_of(resource: Resource) -> str:
    """The reference to what replaced ``resource``, or ''."""
    for link in resource.get("link", ()) if resource["resourceType"] == "Patient" else ():
        if link.get("type") == "replaced-by":
            return str(link.get("other", {}).get("reference", ""))
    for extension in resource.get("extension", ()):
        if extension.get("url") == REPLACED_BY:
            return str(extension.get("valueReference", {}).get("reference", ""))
    return ""


def show_survivor(resource: Resource, survivor: str) -> None:
    """Let ``resource`` be replaced by ``survivor`` (a reference), and by no other."""
    reference = {"reference": survivor}
    if resource["resourceType"] == "Patient":
        others = [link for link in resource.get("link", ()) if link.get("type") != "replaced-by"]
        resource["link"] = sorted([*others, {"other": reference, "type": "replaced-by"}], key=_order)
    else:
        kept = [each for each in resource.get("extension", ()) if each.get("url") != REPLACED_BY]
        made = [*kept, {"url": REPLACED_BY, "valueReference": reference}]
        resource["extension"] = sorted(made, key=lambda each: str(each.get("url", "")))
    keep_ended(resource)


def keep_ended(resource: Resource) -> None:
    """Whatever was stated of it since: what was replaced is over."""
    if survivor_of(resource):
        name, value = _ENDED[resource["resourceType"]]
        resource[name] = value


def show_replaced(resource: Resource, loser: str, *, replaced: bool) -> None:
    """Let the survivor ``resource`` name ``loser`` (a reference) among what it replaces, or no longer."""
    if resource["resourceType"] != "Patient":
        return
    links: list[Any] = resource.get("link", [])
    kept = [each for each in links if each != _replaces(loser)]
    links = sorted([*kept, _replaces(loser)], key=_order) if replaced else kept
    if links:
        resource["link"] = links
    else:
        resource.pop("link", None)


def _replaces(loser: str) -> Resource:
    return {"other": {"reference": loser}, "type": "replaces"}


def _order(link: Resource) -> tuple[str, str]:
    return (str(link.get("type", "")), str(link.get("other", {}).get("reference", "")))
