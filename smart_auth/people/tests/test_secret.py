"""Secrets are long, different and kept as a hash."""

from smart_auth.people.secret import digest, fresh


def test_secrets_have_256_bits_and_differ() -> None:
    made = {fresh() for _ in range(100)}
    assert len(made) == 100 and all(len(one) == 43 for one in made)


def test_the_digest_is_sha_256_in_hexadecimal() -> None:
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
