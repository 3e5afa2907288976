"""The premises of the clinic's tests are those of the chart's."""

from fhir_server.pages.visits.tests.conftest import folder, rig

__all__ = ["folder", "rig"]
