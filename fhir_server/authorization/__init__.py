"""What the authorization server stands on in this host: keyring, audit trail, clinical record; and who a request is."""
