"""The canonical form can be read again, whatever namespaces are called."""

import pytest
from lxml import etree

from halmirror.oaipmh.protocol import canonical


@pytest.mark.parametrize(
    ("written", "form"),
    [
        (
            '<m:r xmlns:m="http://x/?a=1&amp;b=2"/>',
            '<m:r xmlns:m="http://x/?a=1&amp;b=2"></m:r>',
        ),
        (
            '<r xmlns="http://x/?a&amp;amp;b"><d c=" xmlns:m=&quot;a&amp;b">&lt;&amp;</d></r>',
            '<r xmlns="http://x/?a&amp;amp;b"><d c=" xmlns:m=&quot;a&amp;b">&lt;&amp;</d></r>',
        ),
        (
            '<m:r xmlns:m="http://x/?a&amp;b"> xmlns:m="a&amp;b" <n xmlns="http://y"/></m:r>',
            '<m:r xmlns:m="http://x/?a&amp;b"> xmlns:m="a&amp;b" <n xmlns="http://y"></n></m:r>',
        ),
        ('<r> xmlns:m="a&amp;b"</r>', '<r> xmlns:m="a&amp;b"</r>'),
    ],
)
def test_a_namespace_with_an_ampersand_is_escaped(written: str, form: str) -> None:
    found = canonical(etree.fromstring(written))
    assert found.decode() == form
    assert canonical(etree.fromstring(found)) == found
