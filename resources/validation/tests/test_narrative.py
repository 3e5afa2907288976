"""Which narratives are safe to show."""

import pytest

from resources.validation.narrative import narrative_flaw

_OPEN = '<div xmlns="http://www.w3.org/1999/xhtml">'


def _key(inner: str) -> str:
    return narrative_flaw(f"{_OPEN}{inner}</div>")[0]


@pytest.mark.parametrize(
    "inner",
    [
        "text",
        "<p>a <b>b</b></p>",
        '<a href="https://x.org/?a=1">x</a>',
        '<a href="#a">x</a><a name="a">y</a>',
        '<img src="data:image/png;base64,AAAA" alt="x"/>',
        '<table border="1"><tr><td colspan="2" style="color:red">x</td></tr></table>',
        "a &lt; b &#160;",
        "<!-- a comment -->x",
    ],
)
def test_safe(inner: str) -> None:
    assert _key(inner) == ""


@pytest.mark.parametrize(
    "inner",
    [
        "<script>x</script>",
        "<iframe src='http://x'/>x",
        "<object/>x",
        "<form>x</form>",
        "<style>x</style>",
        "<svg>x</svg>",
        '<p onclick="x">x</p>',
        '<a href="javascript:alert(1)">x</a>',
        '<a href=" java&#10;script:alert(1)">x</a>',
        '<a href="java&#9;script&#13;:alert(1)">x</a>',
        '<a href=" \tjava&#115;cript:alert(1)">x</a>',
        '<a href="vbscript:x">x</a>',
        '<a href="data:text/html,x">x</a>',
        '<img src="data:image/svg+xml,x"/>',
        '<img src="file:///etc/passwd"/>',
        '<p style="background:URL (http://x)">x</p>',
        '<p style="width:expression(x)">x</p>',
        '<p style="b\\65havior:x">x</p>',
        '<p xmlns="http://www.w3.org/2000/svg">x</p>',
        '<x:p xmlns:x="http://www.w3.org/1999/xhtml">x</x:p>',
        "<p>open",
        "a & b",
        "&nbsp;",
        "<?php x ?>x",
        "a ]]> b",
        "a\u0001b",
    ],
)
def test_unsafe(inner: str) -> None:
    assert _key(inner) == "txt-1"


@pytest.mark.parametrize("inner", ["", " \n", "<p> </p>", "<br/>", '<a href="https://x"> </a>'])
def test_nothing_to_read(inner: str) -> None:
    assert _key(inner) == "txt-2"


def test_the_outermost_element_is_a_div() -> None:
    assert narrative_flaw("<div>x</div>")[0] == "txt-1"
    assert narrative_flaw("<p>x</p>")[0] == "txt-1"
    assert narrative_flaw(f"{_OPEN}x</div>{_OPEN}y</div>")[0] == "txt-1"
    assert narrative_flaw("")[0] == "txt-1"


def test_entities_are_refused() -> None:
    bomb = '<!DOCTYPE div [<!ENTITY a "xxxxxxxx">]>'
    assert narrative_flaw(f"{bomb}{_OPEN}&a;</div>")[0] == "txt-1"


def test_deep_and_long_narratives_end() -> None:
    assert _key("<b>" * 10_000 + "x" + "</b>" * 10_000) == "txt-1"
    assert _key("x<b>y</b>" * 50_000) == ""
    assert _key(" " * 500_000) == "txt-2"
