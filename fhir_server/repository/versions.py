"""The making of a version: from a resource as sent to the write that the store takes.

FHIR R4 http.html#create and #update: validated, identified, its index entries extracted.
"""

from typing import Any

from fhir_server.repository.references import conditional, rewritten
from fhir_server.repository.stamp import document, now_ms, stamped
from fhir_server.store import Stored, Write
from resources import json_codec
from resources.logical_id import new_id
from resources.search_param import extract
from resources.search_param.terms import Entries


def written(resource: dict[str, Any], op: str, id: str, previous: Stored | None, base: str, tenant: int) -> Write:
    """The next version of ``resource`` (already validated) as a Write; ``id`` '' gives it a fresh one."""
    id = id or new_id()
    version = previous.version + 1 if previous else 1
    updated = max(now_ms(), previous.updated if previous else 0)
    final = stamped(resource, id, version, updated)
    doc = document(final)
    entries = extract(final, doc)
    if any(text.startswith(base) for text in entries.references):
        final = _relative(final, base)
        doc = document(final)
        entries = extract(final, doc)
    return Write(
        resource["resourceType"],
        id,
        op,
        version,
        updated,
        doc,
        entries,
        previous,
        entries_of(previous),
        tenant,
    )


def deletion(previous: Stored, tenant: int) -> Write:
    """The deletion of ``previous`` as a Write."""
    updated = max(now_ms(), previous.updated)
    return Write(
        previous.type,
        previous.id,
        "DELETE",
        previous.version + 1,
        updated,
        b"",
        None,
        previous,
        entries_of(previous),
        tenant,
    )


def entries_of(stored: Stored | None) -> Entries | None:
    """The index entries the stored version has now."""
    return extract(json_codec.decode_stored(stored.doc), stored.doc) if stored and stored.doc else None


def _relative(resource: dict[str, Any], base: str) -> dict[str, Any]:
    """``resource`` with absolute references to this server made relative, so that chains and includes follow them."""
    prefix = base + "/"
    return rewritten(resource, lambda text: text.removeprefix(prefix) if text.startswith(prefix) else None)


def has_conditional_references(write: Write) -> bool:
    """Whether something in it must be looked up first (``Patient?identifier=...``)."""
    return any("?" in text and conditional(text) for text in (write.entries.references if write.entries else ()))
