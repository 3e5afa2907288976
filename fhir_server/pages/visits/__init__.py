"""The clinicians' pages of video visits: who waits today, the way in, the chart beside the picture, notes.

Ours; docs/video.md. For practitioners, or for this machine while there is no log-in.
"""

from fhir_server.pages.visits.clinic import CLIENT, Clinic
from fhir_server.pages.visits.routes import blueprint

__all__ = ["CLIENT", "Clinic", "blueprint"]
