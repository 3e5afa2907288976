"""The two directions of XML: ``decode`` to the dicts of the JSON form, ``encode`` from them.

FHIR R4 XML representation (https://hl7.org/fhir/R4/xml.html).
"""

from resources.xml_reader import decode
from resources.xml_writer import encode

__all__ = ["decode", "encode"]
