"""Names for new sources, and the sections that are written for them."""

import tomllib

import pytest

from halmirror.config import SourceSettings
from halmirror.config.writing import free_name, section
from halmirror.harvesting.adding import _name
from halmirror.harvesting.probing import Probe


@pytest.mark.parametrize(
    ("base_url", "profile", "identifier", "name"),
    [
        ("https://api.archives-ouvertes.fr/oai/tel/", "hal", "hal.archives-ouvertes.fr", "tel"),
        ("https://api.archives-ouvertes.fr/oai/hal/", "hal", "", "hal"),
        ("https://zenodo.org/oai2d", "generic", "oai.zenodo.org", "zenodo"),
        ("https://purr.purdue.edu/oaipmh", "generic", "", "purr-purdue"),
        ("https://www.example.org:8080/oai", "generic", "", "example"),
        ("http://127.0.0.1:8080/oai", "generic", "", "127-0-0-1"),
        ("http://localhost/oai", "generic", "", "localhost"),
        ("http://h.org/oai", "generic", "\N{SNOWMAN}", "h"),
        (f"http://{'a' * 60}.org/oai", "generic", "", "a" * 40),
    ],
)
def test_a_source_is_named_by_what_tells_it_apart(
    base_url: str, profile: str, identifier: str, name: str
) -> None:
    source = SourceSettings("draft", base_url, profile=profile)
    assert _name(Probe(source, (), repository_identifier=identifier)) == name


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert free_name("tel", ["hal"]) == "tel"
    assert free_name("a-b", ["A_B", "a-b-2"]) == "a-b-3"


def test_a_section_gives_its_settings_again() -> None:
    source = SourceSettings(
        name="x",
        base_url="https://h/oai?a=1&b=%22",
        profile="generic",
        sets=("a:b", "c"),
        from_="2020-01-31",
        delay=1.5,
        tls_verify=False,
        contact='"quoted" \\ mail',
        headers_env=(("X-Key", "KEY"),),
    )
    text = section(source, ["first\nline", "\x1b[31m"])
    assert text.splitlines()[:3] == ["[[source]]", "# first line", "# \\u001b[31m"]
    assert tomllib.loads(text) == {
        "source": [
            {
                "name": "x",
                "base_url": "https://h/oai?a=1&b=%22",
                "metadata_prefix": "oai_dc",
                "profile": "generic",
                "sets": ["a:b", "c"],
                "from": "2020-01-31",
                "delay": "1.5s",
                "tls_verify": False,
                "contact": '"quoted" \\ mail',
                "headers_env": {"X-Key": "KEY"},
            }
        ]
    }
