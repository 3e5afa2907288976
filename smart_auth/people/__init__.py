"""How persons prove who they are: passwords, one-time codes, passkeys, sessions."""
