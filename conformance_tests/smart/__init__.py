"""Proof of SMART App Launch 2.2, OAuth 2.0 and OpenID Connect on a secured server, by plain HTTP.

Requirement ids: ``inferno:`` a test of Inferno's SMART App Launch 2.2 or (g)(10) kit; ``smart:`` a number of the SMART
2.2 requirements that Inferno leaves untested; ``attack:`` a row of the list in ``conformance_tests/README.md``.
"""
