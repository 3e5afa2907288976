"""All that belongs to a patient by what it is linked to, found from the patient's side.

FHIR R4 Provenance.target, Binary.securityContext, DocumentReference.content.attachment. How long it takes depends on
the patient's own record and says nothing of others.
"""

from typing import TYPE_CHECKING

from fhir_server.search.parameters import branches
from fhir_server.search.restriction import OFFERED, granted
from fhir_server.search.view import FarLinked, attached, patient_types
from fhir_server.store.search_sets import Chosen, Instance, Lists, Set, both, either
from resources.literal_reference import local
from resources.search_param.terms import All, Key, Linked

if TYPE_CHECKING:
    from fhir_server.search.resolve import Resolver

MOST = 10_000
"""Resources of one patient that others are linked to."""
ALL = 50_000


def linked(resolver: "Resolver", term: Linked) -> Set:
    """The members of ``term``. Raises TooMany."""
    if term.type in OFFERED:  # a caller sees most of them
        return _tested(resolver, term)
    names = [term.patient, *_own(resolver)]
    hasher, tenant = resolver.store.hasher, resolver.tenant
    if term.type == "Binary":
        secured = Lists(tuple(hasher.target(tenant, name) for name in names), len(names))
        return both(resolver.everything("Binary"), either(secured, Instance("Binary", _attached(resolver))))
    ways = branches("Provenance", "target")
    hashes = tuple(hasher.fresh(tenant, Key("Provenance", way, "ref", name)) for name in names for way in ways)
    return Lists(hashes, 20 * len(hashes))


def _tested(resolver: "Resolver", term: Linked) -> Set:
    far = [FarLinked(resolver.view, term.type, term.patient)]
    found = resolver.executor.names(term.type, resolver.everything(term.type), far, ALL)
    return Chosen(tuple(o for o, _ in found))


def _own(resolver: "Resolver") -> list[str]:
    """References to all resources about patients that the caller reads."""
    near = [_readable(resolver, type) for type in sorted(patient_types()) if granted(resolver.caller, type, "r")]
    return resolver.executor.references(either(*near), MOST) if near else []


def _readable(resolver: "Resolver", type: str) -> Set:
    near, far = resolver.typed(type, All(type), "r")
    return Chosen(tuple(o for o, _ in resolver.executor.names(type, near, far, MOST))) if far else near


def _attached(resolver: "Resolver") -> tuple[str, ...]:
    """The ids of the Binaries that DocumentReferences are about which the caller reads."""
    type = "DocumentReference"
    if not granted(resolver.caller, type, "r"):
        return ()
    near, far = resolver.typed(type, All(type), "r")
    urls = {url for row in resolver.executor.rows(type, near, far, MOST) for url in attached(row.doc)}
    names = (local(url.removeprefix(f"{resolver.base}/")) for url in urls)
    return tuple(sorted(name.id for name in names if name and name.type == "Binary"))
