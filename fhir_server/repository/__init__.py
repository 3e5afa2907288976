"""The caller-bound repository: validates, resolves, checks, writes and audits; nothing else touches clinical data."""

from fhir_server.repository.bound import BoundRepository
from fhir_server.repository.services import Services

__all__ = ["BoundRepository", "Services"]
