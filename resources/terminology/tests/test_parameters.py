"""The shape of answers."""

from resources.terminology.parameters import parameter, parameters, parts


def test_what_is_none_is_left_out() -> None:
    assert parameters(None, parts("match", [parameter("code", "Code", "a")])) == {
        "resourceType": "Parameters",
        "parameter": [{"name": "match", "part": [{"name": "code", "valueCode": "a"}]}],
    }
