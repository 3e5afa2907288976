"""The links of a transaction: full URLs of its entries, and conditional references that a search resolves.

FHIR R4 http.html#trules and #2.8.5 (conditional references): each must select exactly one resource.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fhir_server.repository.references import Addressed, Swap, conditional, rewritten_quickly, swap_by
from fhir_server.store import Stored, Write
from resources import json_codec
from resources.errors import BusinessRule, FhirError, Forbidden, Issue, MultipleMatches
from resources.literal_reference import ID
from resources.repository import Delete, Patch, Put
from resources.search_param import placed_references

Find = Callable[[str, str], Stored | None]

_BASE = re.compile(rf"(https?://.+/)[A-Z][A-Za-z]+/{ID}")


class Links:
    """``identities`` maps full URLs to ``Type/id``; ``find`` looks one resource up by type and criteria."""

    error = BusinessRule

    def __init__(self, identities: dict[str, str], find: Find) -> None:
        self._swap, self._is_addressed = swap_by(identities), Addressed(identities)
        self._find = find
        self._found: dict[str, str | None] = {}
        self._why: dict[str, str] = {}

    def follow(self, resource: dict[str, Any], full_url: str) -> dict[str, Any]:
        """``resource``, known as ``full_url``, with every link that can be resolved replaced by the reference it
        stands for."""
        swap = self._swap_of(full_url)
        return rewritten_quickly(resource, swap, self._resolved, self._is_addressed, is_based=swap is not self._swap)

    def _swap_of(self, full_url: str) -> Swap:
        """bundle.html#references: a relative link is read against the base of its entry's full URL."""
        match = _BASE.fullmatch(full_url)
        if match is None:
            return self._swap
        base, swap = match[1], self._swap
        return lambda text: swap(text) or swap(base + text)

    def followed(self, command: Put | Patch | Delete) -> Put | Patch | Delete:
        """``command`` with the links of what it writes resolved."""
        if isinstance(command, Put):
            resource = self.follow(command.resource, command.full_url)
            return command if resource is command.resource else replace(command, resource=resource)
        if isinstance(command, Patch):
            apply = command.apply
            return replace(command, apply=lambda resource: self.follow(apply(resource), command.full_url))
        return command

    def refuse_unresolved(self, write: Write, *, strict: bool) -> None:
        """Raise ``error`` naming each conditional reference of ``write`` that selects no single resource, and with
        ``strict`` each ``urn:`` that no entry of the transaction is known by."""
        texts = write.entries.references if write.entries else ()
        if any(self._issue("", text, strict) for text in texts):
            placed = placed_references(json_codec.decode_stored(write.doc))
            raise self.error(issues=[issue for each in placed if (issue := self._issue(*each, strict))])

    def _resolved(self, text: str) -> str | None:
        if "?" not in text:
            return None
        if text not in self._found:
            self._found[text] = self._search(text)
        return self._found[text]

    def _search(self, text: str) -> str | None:
        parts = conditional(text)
        if parts is None:
            return None
        try:
            found = self._find(*parts)
        except MultipleMatches:
            self._why[text] = "more than one resource meets it"
            return None
        except Forbidden:
            raise
        except FhirError as error:
            self._why[text] = str(error)
            return None
        if found is None:
            self._why[text] = "no resource meets it"
        return f"{found.type}/{found.id}" if found else None

    def _issue(self, place: str, text: str, strict: bool) -> Issue | None:
        if text in self._why:
            return Issue(
                "not-found",
                f"{place} is the conditional reference {text!r}, but {self._why[text]}; exactly one is expected.",
                place,
            )
        if strict and text.startswith("urn:"):
            return Issue("not-found", f"{place} is {text!r}, but no entry of the transaction has this fullUrl.", place)
        return None
