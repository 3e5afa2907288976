"""The interactions this server does: one row each. Dispatch and CapabilityStatement both read these rows.

FHIR R4 (https://hl7.org/fhir/R4/http.html#summary), value sets type-restful-interaction and system-restful-interaction.
"""

from capability.rows import Interaction
from fhir_server.interactions.bundle import bundle
from fhir_server.interactions.capabilities import capabilities
from fhir_server.interactions.create import create
from fhir_server.interactions.delete import conditional_delete, delete
from fhir_server.interactions.history import history
from fhir_server.interactions.patch import conditional_patch, patch
from fhir_server.interactions.read import read
from fhir_server.interactions.search import search, search_by_post
from fhir_server.interactions.update import conditional_update, update
from fhir_server.interactions.vread import vread

# Audit events are written by the server alone, and once: there is nothing to change and no older version.
RESTRICTED: dict[str, frozenset[str]] = {"AuditEvent": frozenset({"read", "search-type", "$validate"})}
"""Types that take only some interactions and operations, by code and $name; every other type takes all."""

INTERACTIONS: tuple[Interaction, ...] = (
    Interaction("read", "instance", "GET", "{type}/{id}", read, "The current version of a resource."),
    Interaction("vread", "instance", "GET", "{type}/{id}/_history/{vid}", vread, "One version of a resource."),
    Interaction("update", "instance", "PUT", "{type}/{id}", update, "Replaces a resource, or creates it with this id."),
    Interaction(
        "update", "type", "PUT", "{type}", conditional_update, "Replaces the one resource that matches, or creates it."
    ),
    Interaction(
        "patch",
        "instance",
        "PATCH",
        "{type}/{id}",
        patch,
        "Changes parts of a resource by JSON, XML or FHIRPath Patch.",
    ),
    Interaction(
        "patch", "type", "PATCH", "{type}", conditional_patch, "Changes parts of the one resource that matches."
    ),
    Interaction("delete", "instance", "DELETE", "{type}/{id}", delete, "Deletes a resource; its history stays."),
    Interaction("delete", "type", "DELETE", "{type}", conditional_delete, "Deletes the one resource that matches."),
    Interaction(
        "history-instance",
        "instance",
        "GET",
        "{type}/{id}/_history",
        history,
        "The versions of a resource, newest first.",
    ),
    Interaction(
        "history-type",
        "type",
        "GET",
        "{type}/_history",
        history,
        "The versions of all resources of a type, newest first.",
    ),
    Interaction(
        "create", "type", "POST", "{type}", create, "Creates a resource; with If-None-Exist only when none matches."
    ),
    Interaction("search-type", "type", "GET", "{type}", search, "Searches resources of a type."),
    Interaction(
        "search-type",
        "type",
        "POST",
        "{type}/_search",
        search_by_post,
        "Searches resources of a type, parameters in a form.",
    ),
    Interaction(
        "search-type",
        "instance",
        "GET",
        "{type}/{id}/{other}",
        search,
        "Searches resources of a type in a compartment.",
    ),
    Interaction(
        "search-type",
        "instance",
        "POST",
        "{type}/{id}/{other}/_search",
        search_by_post,
        "Searches a compartment, parameters in a form.",
    ),
    Interaction(
        "search-system", "instance", "GET", "{type}/{id}/*", search, "Searches all resources in a compartment."
    ),
    Interaction(
        "search-system",
        "instance",
        "POST",
        "{type}/{id}/_search",
        search_by_post,
        "Searches all resources in a compartment, parameters in a form.",
    ),
    Interaction("search-system", "system", "GET", "", search, "Searches resources of all types."),
    Interaction(
        "search-system",
        "system",
        "POST",
        "_search",
        search_by_post,
        "Searches resources of all types, parameters in a form.",
    ),
    Interaction("history-system", "system", "GET", "_history", history, "The versions of all resources, newest first."),
    Interaction("transaction", "system", "POST", "", bundle, "All entries of a Bundle, or none."),
    Interaction("batch", "system", "POST", "", bundle, "The entries of a Bundle, each alone."),
    Interaction("capabilities", "system", "GET", "metadata", capabilities, "What this server does."),
)
