"""The rim: what Flask serves of the authorization server, protocol endpoints and pages."""
