"""Real clients on the secured server: the SMART JavaScript client in Chromium, fhirclient, fhirpy, smart-fetch.

SMART App Launch 2.2 (https://hl7.org/fhir/smart-app-launch/) as others read it. Nothing here knows the server's code.
"""
