"""The rim: what Flask serves of the authorization server, protocol endpoints and pages."""

from flask import Blueprint, request

from smart_auth.endpoints import pages, protocol
from smart_auth.service import ADDRESS, AuthService

LARGEST_BODY = 262_144
"""Bytes of any request: a consent form with all its boxes is the longest, at about a tenth of that."""


def blueprint(service: AuthService) -> Blueprint:
    """Everything below the issuer that the authorization server answers."""
    made = Blueprint("smart_auth", __name__)
    made.before_request(_remember_address)
    made.before_request(_bound_body)
    protocol.register(made, service)
    pages.register(made, service)
    return made


def _remember_address() -> None:
    """The host has put the client's own address in the place of its proxies'."""
    ADDRESS.set(request.remote_addr or "")


def _bound_body() -> None:
    """Whatever reads the body stops here, also one without a length or with files in it."""
    request.max_content_length = LARGEST_BODY
