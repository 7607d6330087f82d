import subprocess
import sys

import pytest

from halmirror.record import Body, Identifiers, OtherIdentifier, identifiers
from halmirror.record.identifiers import body_keys, lookup_keys, parse_hal_id


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hal-04493396", ("hal-04493396", None)),
        ("hal-04493396v2", ("hal-04493396", 2)),
        (" HAL-04493396V12 ", ("hal-04493396", 12)),
        ("oai:HAL:hal-00830421v1", ("hal-00830421", 1)),
        ("oai:hal.archives-ouvertes.fr:hal-00830421", ("hal-00830421", None)),
        ("oai:tel.archives-ouvertes.fr:tel-00999911v3", ("tel-00999911", 3)),
        ("sic_00000001", ("sic_00000001", None)),
        ("oai:HAL:mem_03847446v1", ("mem_03847446", 1)),
        ("in2p3-00000001v1", ("in2p3-00000001", 1)),
        ("halshs-00999961", ("halshs-00999961", None)),
        ("medihal-00000001", ("medihal-00000001", None)),
        ("ccsd-00001234", ("hal-00001234", None)),
        ("democrite-00001234v2", ("in2p3-00001234", 2)),
        ("https://hal.science/hal-04493396", ("hal-04493396", None)),
        ("https://hal.science/hal-04493396v1", ("hal-04493396", 1)),
        ("http://hal.archives-ouvertes.fr/hal-00000001/fr/", ("hal-00000001", None)),
        ("https://media.hal.science/hal-04139394/image", ("hal-04139394", None)),
        ("https://hal.inria.fr/hal-02784755v3/document", ("hal-02784755", 3)),
        ("https://hal.inrae.fr/hal-02737739/file/Li_EFM_2017%20HAL.pdf", ("hal-02737739", None)),
        ("https://hal.science/TEL/tel-00999911v1", ("tel-00999911", 1)),
        ("https://hal.science/hal-04493396/file/foo-12345678", ("hal-04493396", None)),
        ("https://hal.science/hal-04493396?format=x#top", ("hal-04493396", None)),
        ("memsic.ccsd.cnrs.fr/mem_03847446", ("mem_03847446", None)),
        ("http://shs.hal.science/ccsd-00001234", ("hal-00001234", None)),
        ("oai:arXiv.org:hal-00000001", None),
        ("oai:HAL:", None),
        ("10.1103/PhysRevE.87.033017", None),
        ("https://doi.org/10.1103/physreve.87.033017", None),
        ("2013PA010612", None),
        ("36439150", None),
        ("hal-04493396v0", None),
        ("hal-x", None),
        ("hal 04493396", None),
        ("hal-04493396 v1", None),
        ("hal-٠١٢٣", None),
        ("https://hal.science/", None),
        ("", None),
    ],
)
def test_parse_hal_id(text: str, expected: tuple[str, int | None] | None) -> None:
    assert parse_hal_id(text) == expected


CHECKED = [
    ("doi", "10.1103/PhysRevE.87.033017", "10.1103/physreve.87.033017"),
    ("doi", "https://doi.org/10.1000/A%3CB", "10.1000/a<b"),
    ("doi", "http://dx.doi.org/10.1000/1", "10.1000/1"),
    ("doi", "doi: 10.1000/1", "10.1000/1"),
    ("doi", "10.1002/ﬂD.3902", "10.1002/ﬂd.3902"),
    ("doi", "10.1000", None),
    ("doi", "10.1000/a b", None),
    ("doi", "11.1000/1", None),
    ("arxiv", "1303.0980", "1303.0980"),
    ("arxiv", "arXiv:2005.13236v2", "2005.13236v2"),
    ("arxiv", "math.GT/0309136", "math.GT/0309136"),
    ("arxiv", "hep-th/9901001", "hep-th/9901001"),
    ("arxiv", "https://arxiv.org/pdf/2005.13236.pdf", "2005.13236"),
    ("arxiv", "1313.0980", None),
    ("arxiv", "303.0980", None),
    ("pmid", "36439150", "36439150"),
    ("pmid", "PMID: 0123", "123"),
    ("pmid", "https://pubmed.ncbi.nlm.nih.gov/36439150/", "36439150"),
    ("pmid", "0", None),
    ("pmid", "PMC9682955", None),
    ("nnt", "2013pa010612", "2013PA010612"),
    ("nnt", "https://www.theses.fr/2015SACLS123", "2015SACLS123"),
    ("nnt", "2013PA01061", None),
    ("nnt", "PA2013010612", None),
    ("isbn", "978-1-78374-841-9", "9781783748419"),
    ("isbn", "978 88 222 6643 9", "9788822266439"),
    ("isbn", "ISBN 0-306-40615-2", "0306406152"),
    ("isbn", "080442957x", "080442957X"),
    ("isbn", "978-1-78374-841-8", None),
    ("isbn", "0-306-40615-3", None),
    ("isbn", "1234567890123", None),
    ("isbn", "X", None),
    ("isbn", "", None),
    ("issn", "1539-3755", "1539-3755"),
    ("issn", "15393755", "1539-3755"),
    ("issn", "issn: 0396-891x", "0396-891X"),
    ("issn", "1539-3756", None),
    ("issn", "1539", None),
    ("handle", "hdl:2268/12345", "2268/12345"),
    ("handle", "https://hdl.handle.net/20.500.12210/Ab", "20.500.12210/Ab"),
    ("handle", "10.1000/1", None),
    ("handle", "foo/bar", None),
]


@pytest.mark.parametrize(("scheme", "text", "expected"), CHECKED)
def test_checkers(scheme: str, text: str, expected: str | None) -> None:
    assert getattr(identifiers, scheme)(text) == expected


@pytest.mark.parametrize(("scheme", "_text", "normal"), [one for one in CHECKED if one[2]])
def test_a_normal_form_is_its_own_normal_form(scheme: str, _text: str, normal: str) -> None:
    assert getattr(identifiers, scheme)(normal) == normal


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("https://doi.org/10.1103/PhysRevE.87.033017", (("doi", "10.1103/physreve.87.033017"),)),
        ("DOI: 10.1103/PhysRevE.87.033017", (("doi", "10.1103/physreve.87.033017"),)),
        ("arXiv:1303.0980v2", (("arxiv", "1303.0980"),)),
        ("math.GT/0309136", (("arxiv", "math/0309136"),)),
        ("36439150", (("pmid", "36439150"),)),
        ("2013pa010612", (("nnt", "2013PA010612"),)),
        ("978-1-78374-841-9", (("isbn", "9781783748419"),)),
        ("0-306-40615-2", (("isbn", "9780306406157"),)),
        ("https://hdl.handle.net/2268/AB", (("hdl", "2268/ab"),)),
        ("hal-04493396", ()),
        ("oai:HAL:hal-00830421v1", ()),
        ("https://hal.science/hal-04493396", ()),
        ("no identifier", ()),
        ("", ()),
    ],
)
def test_lookup_keys(text: str, keys: tuple[tuple[str, str], ...]) -> None:
    assert lookup_keys(text) == keys


def test_body_keys_are_those_that_look_up_asks_for() -> None:
    body = Body(
        identifiers=Identifiers(
            doi=("10.1103/physreve.87.033017",),
            arxiv=("1303.0980v1", "1303.0980", "math.GT/0309136"),
            pmid=("36439150",),
            nnt=("2013PA010612",),
            isbn=("0306406152", "9780306406157"),
            hdl=("2268/AB",),
            report=("D 2.1",),
            other=(OtherIdentifier(value="x", scheme="WOS"),),
        )
    )
    assert body_keys(body) == (
        ("doi", "10.1103/physreve.87.033017"),
        ("arxiv", "1303.0980"),
        ("arxiv", "math/0309136"),
        ("pmid", "36439150"),
        ("nnt", "2013PA010612"),
        ("isbn", "9780306406157"),
        ("hdl", "2268/ab"),
    )
    assert body_keys(Body()) == ()


def test_the_module_imports_neither_lxml_nor_the_network() -> None:
    script = (
        "import sys, halmirror.record.identifiers; "
        "print(sorted({'lxml', 'httpx', 'sickle', 'sqlite3', 'msgspec'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert ran.stdout.strip() in ("[]", "['msgspec']")


def test_the_crosswalks_import_neither_lxml_nor_the_store() -> None:
    script = (
        "import sys, halmirror.crosswalks; "
        "print(sorted({'lxml', 'httpx', 'sickle', 'sqlite3'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert ran.stdout.strip() == "[]"
