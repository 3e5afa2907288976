"""Who may: OAuth 2.0, OpenID Connect and SMART App Launch 2.2; scopes, people, consent and keys."""
