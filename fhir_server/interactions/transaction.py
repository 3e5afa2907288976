"""The transaction interaction: all entries or nothing, one commit.

FHIR R4 (https://hl7.org/fhir/R4/http.html#transaction).
"""

from typing import Any

from fhir_server.http.response import Response
from fhir_server.interactions.bundle_commands import command_of
from fhir_server.interactions.bundle_entries import (
    Entry,
    names_place,
    parse_entry,
    place,
    raw_entries,
    refuse_duplicates,
)
from fhir_server.interactions.bundle_response import bundle_bytes, outcome_entry
from fhir_server.interactions.exchange import Exchange
from resources.errors import FhirError, Invalid, Issue
from resources.repository import Command, Outcome


def transaction(exchange: Exchange, bundle: dict[str, Any]) -> Response:
    """Do ``bundle`` in one commit. Raises FhirError naming ``Bundle.entry[n]``; nothing is stored then."""
    entries, commands = _planned(exchange, bundle)
    outcomes = _committed(exchange, commands)
    returning, base = exchange.prefer.returning, exchange.service.base
    done = [outcome_entry(entry, outcome, base, returning) for entry, outcome in zip(entries, outcomes, strict=True)]
    return Response(200, bundle_bytes("transaction-response", done))


def _committed(exchange: Exchange, commands: list[Command]) -> list[Outcome]:
    try:
        return exchange.repository.commit(commands, bundled=True)
    except FhirError as error:
        # A commit of one command has no reason to name a place; a Bundle of one entry has.
        raise error.within(place(0)) if len(commands) == 1 and not names_place(error, 0) else error from None


def _planned(exchange: Exchange, bundle: dict[str, Any]) -> tuple[list[Entry], list[Command]]:
    entries: list[Entry] = []
    commands: list[Command] = []
    errors: list[FhirError] = []
    for index, raw in enumerate(raw_entries(bundle)):
        try:
            entry = parse_entry(index, raw, exchange.service.base)
            commands.append(command_of(entry, exchange.lenient) or _refuse(entry))
            entries.append(entry)
        except FhirError as error:
            errors.append(error)
    try:
        refuse_duplicates(entries)
    except FhirError as error:
        errors.append(error)
    if errors:
        raise _all_of(errors)
    return entries, commands


def _refuse(entry: Entry) -> Command:
    text = f"{entry.method} {entry.url[:200]} cannot be part of a transaction; send it alone or in a batch."
    raise Invalid(issues=[Issue("not-supported", f"{place(entry.index)}: {text}", place(entry.index))])


def _all_of(errors: list[FhirError]) -> FhirError:
    """The first error with the issues of all: the client mends them in one go."""
    return errors[0].telling(issue for error in errors for issue in error.issues)
