import pytest

from resources.errors import BadSearch
from resources.search_param import compile_param, extract
from resources.search_param.tests.naive import finds

VALUE_SET = {"resourceType": "ValueSet", "url": "http://x.org/fhir/vs/a", "meta": {"profile": ["http://x.org/p|1.0"]}}


@pytest.mark.parametrize(
    ("parameter", "value", "found"),
    [
        ("url", "http://x.org/fhir/vs/a", True),
        ("url", "http://x.org/fhir/vs", False),
        ("url", "http://X.org/fhir/vs/a", False),
        ("url:below", "http://x.org/fhir", True),
        ("url:below", "http://x.org/fh", False),
        ("url:below", "http://x.org/fhir/", True),
        ("url:above", "http://x.org/fhir/vs/a/b/c", True),
        ("url:above", "http://x.org/fhir/vs", False),
        ("url:below", "http://x.org/fhir/vs/a", True),
        ("_profile", "http://x.org/p", True),
        ("_profile", "http://x.org/p|1.0", True),
        ("_profile", "http://x.org/p|2", False),
        ("_profile:below", "http://x.org", True),
    ],
)
def test_uris(parameter, value, found):
    assert finds(VALUE_SET, parameter, value) == found


@pytest.mark.parametrize(("modifier", "value"), [("", "a b"), ("contains", "x")])
def test_refused(modifier, value):
    with pytest.raises(BadSearch, match="url"):
        compile_param("ValueSet", "url", modifier, value)


def test_a_source_is_found_with_and_without_its_fragment():
    resource = {"resourceType": "Basic", "meta": {"source": "http://a.org/feed#42"}}
    values = {key.value for key in extract(resource).posts if key.branch.endswith(".meta.source") and key.form == "uri"}
    assert values == {"http://a.org/feed#42", "http://a.org/feed", "#42"}
