"""``hearth token``: an access token for who holds the data folder, alone on the last line.

SMART App Launch 2.2 (scopes); smart_auth.development says what such a token is.
"""

from fhir_server.commands.authority import authority, show_secret
from fhir_server.settings import Settings
from smart_auth.development import development_token


def run(settings: Settings, scope: str, patient: str) -> int:
    """Mint it and tell the audit trail. Raises CommandError for scopes that no token could say."""
    with authority(settings) as service:
        token = development_token(service, scope, patient.removeprefix("Patient/"))
        show_secret(f"for {service.base}", token)
    return 0
