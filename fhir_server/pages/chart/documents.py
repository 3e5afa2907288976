"""Documents of a patient: letters, reports and notes, each to be taken along as the file it is.

FHIR R4 DocumentReference, DiagnosticReport.presentedForm, Attachment; OWASP ASVS 5.0 V5.4 (downloads): a file is never
shown in a page of ours, and of no type that a browser runs.
"""

import hashlib
import re
from base64 import b64decode
from binascii import Error
from datetime import tzinfo
from typing import Any, NamedTuple
from unicodedata import normalize
from urllib.parse import quote

from flask import Response

from fhir_server.pages.chart.found import Found, find
from fhir_server.pages.chart.words import concept, concepts, name, when
from fhir_server.pages.rendering import Policy, guard
from resources.errors import Gone, NotFound
from resources.json_codec import decode_stored
from resources.literal_reference import local
from resources.repository import Repository

Json = dict[str, Any]

_MOST = 100
"""Of each kind: each may hold a file of megabytes."""
_INERT = {
    "application/pdf": ".pdf",
    "text/plain": ".txt",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/tiff": ".tif",
    "text/csv": ".csv",
    "application/dicom": ".dcm",
    "audio/mpeg": ".mp3",
    "video/mp4": ".mp4",
}
"""Types as which a file is given, and how its name ends. All others are given as bytes that nothing opens by itself."""
_SAFE_NAME = {
    "text/html": ".html.txt",
    "application/xhtml+xml": ".html.txt",
    "image/svg+xml": ".svg.txt",
    "text/xml": ".xml",
    "application/xml": ".xml",
    "text/rtf": ".rtf",
    "application/rtf": ".rtf",
    "application/msword": ".doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/zip": ".zip",
}
_STATES = {"preliminary": "Not final yet", "superseded": "Replaced by a newer one", "amended": "Amended",
           "corrected": "Corrected", "appended": "Added to", "registered": "Not there yet",
           "partial": "Not complete yet", "cancelled": "Cancelled"}  # fmt: skip
_NOTHING = Policy(forms="'none'")


class File(NamedTuple):
    """``link`` is '' where the file is not here: ``where`` says where."""

    text: str
    link: str
    where: str


class Document(NamedTuple):
    title: str
    date: str
    sort: str
    facts: list[str]
    tags: list[str]
    files: list[File]


class Listing(NamedTuple):
    """``documents`` the newest first; ``wrong`` were entered in error and are left out; ``more`` there are that were
    not read; ``refused`` as of Found."""

    documents: list[Document]
    wrong: int
    more: int
    refused: str


def listing(repository: Repository, patient: str, zone: tzinfo, below: str) -> Listing:
    """All of ``patient`` (Patient/1); ``below`` is the path under which files are given."""
    references = find(repository, "DocumentReference", ("patient", patient),
                      ("_include", "DocumentReference:author"), most=_MOST)  # fmt: skip
    reports = find(repository, "DiagnosticReport", ("patient", patient),
                   ("_include", "DiagnosticReport:performer"), most=_MOST)  # fmt: skip
    found = [*references.matches, *(one for one in reports.matches if one.get("presentedForm"))]
    kept = [one for one in found if _status(one) != "entered-in-error"]
    names = references.included | reports.included
    shown = sorted((_document(one, names, zone, below) for one in kept), key=lambda one: one.sort, reverse=True)
    return Listing(shown, len(found) - len(kept), references.more + reports.more, _refused(references, reports))


def _refused(*found: Found) -> str:
    return next((one.refused for one in found if one.refused), "")


def _status(one: Json) -> str:
    """The worse of the two that a DocumentReference has."""
    known = (one.get("status", ""), one.get("docStatus", ""))
    return next((text for text in known if text == "entered-in-error"), "") or _told(known)


def _told(known: tuple[str, str]) -> str:
    return next((text for text in known if text in _STATES), "")


def _document(one: Json, names: dict[str, Json], zone: tzinfo, below: str) -> Document:
    report = one["resourceType"] == "DiagnosticReport"
    kind = concept(one.get("code" if report else "type")) or concepts(one.get("category", ()))
    attachments = _attachments(one)
    title = one.get("description") or next((row["title"] for row in attachments if row.get("title")), "") or kind
    at = (one.get("issued") or one.get("effectiveDateTime", "")) if report else one.get("date", "")
    authors = one.get("performer" if report else "author", ())
    who = ", ".join(
        filter(None, (name(names.get(row.get("reference", ""))) or row.get("display", "") for row in authors))
    )
    facts = [text for text in (kind if kind != title else "", who) if text]
    state = _STATES.get(_status(one), "")
    place = f"{below}/{one['resourceType']}/{one['id']}"
    files = [_file(place, n, row, len(attachments)) for n, row in enumerate(attachments)]
    shown = when(at, zone) if at else "No date"
    return Document(title or "Document", shown, at, facts, [state] if state else [], files)


def _attachments(one: Json) -> list[Json]:
    if one["resourceType"] == "DiagnosticReport":
        return list(one.get("presentedForm", ()))
    return [row.get("attachment", {}) for row in one.get("content", ())]


def _file(place: str, n: int, attachment: Json, count: int) -> File:
    kind = _in_words(_kind(attachment))
    text = f"Download ({kind})" if count == 1 else f"Download part {n + 1} ({kind})"
    if "data" in attachment or _binary(attachment):
        return File(text, f"{place}/{n}", "")
    return File(
        "", "", "It is kept elsewhere; the clinic can give it to you." if "url" in attachment else "It is empty."
    )


def _in_words(kind: str) -> str:
    """A media type as people know it: by how the names of such files end."""
    ending = (_INERT.get(kind) or _SAFE_NAME.get(kind, ".file")).split(".")[1]
    return {"txt": "text", "file": "file"}.get(ending, ending.upper())


def _kind(attachment: Json) -> str:
    return str(attachment.get("contentType", "")).partition(";")[0].strip().lower()


def _binary(attachment: Json) -> str:
    """The id of the Binary of this server that holds it."""
    found = local(attachment.get("url", ""))
    return found.id if found is not None and found.type == "Binary" else ""


# --- one file


def given(repository: Repository, type: str, id: str, n: str, patient: str = "") -> Response:
    """Part ``n`` of a document, to be saved; of ``patient`` alone where one is named. Raises NotFound, Gone."""
    one = _one(repository, type, id, patient)
    attachments = _attachments(one)
    if not (n.isascii() and n.isdigit()) or len(n) > 3 or int(n) >= len(attachments):
        raise NotFound("There is no such document.")
    attachment = attachments[int(n)]
    body, kind = _content(repository, attachment), _kind(attachment)
    title = attachment.get("title") or one.get("description") or concept(one.get("type")) or "document"
    headers = {"Content-Disposition": _disposition(title, _INERT.get(kind) or _SAFE_NAME.get(kind, ".bin"))}
    made = Response(body, content_type=kind if kind in _INERT else "application/octet-stream", headers=headers)
    guard(made, _NOTHING)
    made.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return made


def _one(repository: Repository, type: str, id: str, patient: str) -> Json:
    if type not in ("DocumentReference", "DiagnosticReport"):
        raise NotFound("There is no such document.")
    one = decode_stored(repository.read(type, id[:64] or "-").doc)
    others = bool(patient) and one.get("subject", {}).get("reference") != patient
    if others or _status(one) == "entered-in-error":
        raise NotFound("There is no such document.")
    return one


def _content(repository: Repository, attachment: Json) -> bytes:
    """Raises NotFound, Gone when what is stored is not what was signed for."""
    data = attachment.get("data")
    if data is None and (binary := _binary(attachment)):
        data = decode_stored(repository.read("Binary", binary).doc).get("data", "")
    if data is None:
        raise NotFound("This document is kept elsewhere; the clinic can give it to you.")
    try:
        body = b64decode("".join(data.split()), validate=True)
        told = b64decode(attachment.get("hash", ""), validate=True)
    except Error:
        raise Gone("This document is damaged; please tell the clinic.") from None
    if told and hashlib.sha1(body, usedforsecurity=False).digest() != told:
        raise Gone("This document is damaged; please tell the clinic.")
    return body


def _disposition(title: str, ending: str) -> str:
    """RFC 6266: a plain name for all, and the true one in UTF-8."""
    stem = re.sub(r"[^\w \-().,]", "_", title, flags=re.UNICODE).strip(" .")[:80] or "document"
    full = stem if stem.lower().endswith(ending) else f"{stem}{ending}"
    plain = normalize("NFKD", full).encode("ascii", "ignore").decode() or f"document{ending}"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(full, safe='')}"
