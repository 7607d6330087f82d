"""HAL's citation line: rebuilt from hand-typed parts and compared with lines HAL itself wrote."""

from pathlib import Path

import pytest

from halmirror.record import (
    Affiliation,
    Body,
    Container,
    DocumentType,
    Head,
    Identifiers,
    Name,
    Record,
    Title,
)
from halmirror.record.citation import Roles, cite, roles, tail
from halmirror.record.tails import page_range
from recorded_records import recorded_records

EXPORTS = Path(__file__).parent.parent / "data" / "hal-exports"


def read_table(name: str) -> list[list[str]]:
    text = (EXPORTS / name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines()]


CITATIONS = {
    identifier: line.replace("〈", "⟨").replace("〉", "⟩")
    for identifier, line in read_table("citations.txt")
}


def people(*names: str) -> tuple[Name, ...]:
    """``Family, Given`` as Dublin Core has it."""
    parts = (name.partition(", ") for name in names)
    return tuple(Name(family=family, given=given or None) for family, _, given in parts)


def made(
    identifier: str,
    version: int | None,
    creators: tuple[Name, ...],
    titles: tuple[Title, ...],
    citation: str | None,
    languages: tuple[str, ...] = ("en",),
) -> Record:
    body = Body(titles=titles, creators=creators, languages=languages, citation=citation)
    return Record(Head(identifier, version), body)


def english(value: str, subtitle: str | None = None) -> tuple[Title, ...]:
    return (Title(value, subtitle, "en"),)


def french(value: str, subtitle: str | None = None) -> tuple[Title, ...]:
    return (Title(value, subtitle, "fr"),)


BENNIS = people(
    "Bennis, Anne-Claire",
    "Chacon-Rebollo, Tomas",
    "Gomez Marmol, Macarena",
    "Lewandowski, Roger",
)
NOWICKI = people(
    "Nowicki, L.", "Berlanger, M.", "Borderie, B.", "Cabot, C.", "Del Marmol, P.", "El Masri, Y."
)
POSTER = people(
    "Barborini, Yannick",
    "Di Cosmo, Roberto",
    "Dumont, Antoine R.",
    "Gruenpeter, Morane",
    "Marmol, Bruno",
    "Monteil, Alain",
    "Sadowska, Jozefina",
)

REBUILT = [
    made(
        "hal-00020624",
        1,
        people(
            "Bernardi, Christine",
            "Gomez Marmol, M.",
            "Chacon-Rebollo, Tomas",
            "Lewandowski, R.",
            "Murat, François",
        ),
        english("A model for two coupled turbulent fluids"),
        "Numer. Math. 98, 2004, 1, pp.33-66",
    ),
    made(
        "hal-01438353",
        1,
        people("Gómez Mármol, Félix", "Gil Pérez, Manuel", "Martínez Pérez, Gregorio"),
        english("I Don’t Trust ICT", "Research Challenges in Cyber Security"),
        "Sheikh Mahbub Habib; Julita Vassileva; Sjouke Mauw; Max Mühlhäuser. 10th IFIP "
        "International Conference on Trust Management (TM), Jul 2016, Darmstadt, Germany. IFIP "
        "Advances in Information and Communication Technology, AICT-473, pp.129-136, 2016, Trust "
        "Management X. 〈10.1007/978-3-319-41354-9_9〉",
    ),
    made(
        "in2p3-00008439",
        1,
        NOWICKI,
        english(
            "Collective modes associated with the proton-induced fission of $^{209}$Bi",
        ),
        "Physical Review C, American Physical Society, 1982, 26, pp.1114-1122",
    ),
    made(
        "inria-00073353",
        1,
        people("Eisenbeis, Christine", "Lelait, Sylvain", "Marmol, Bruno"),
        english("Circular-arc Graph Coloring and Unrolling"),
        "RR-3336, INRIA. 1998",
    ),
    made(
        "inria-00073934",
        1,
        people("Eisenbeis, Christine", "Lelait, Sylvain", "Marmol, Bruno"),
        english("The Meeting Graph : a New Framework for Loop Register Allocation"),
        "[Research Report] RR-2758, INRIA. 1995",
    ),
    made(
        "hal-01727975",
        1,
        people("Gutiérrez Garcia-Moreno, Anna", "Rodà, Isabel"),
        (Title("El mármol de Luni-Carrara en la fachada Mediterránea de Hispania", lang="es"),),
        "Keay, Simon. Rome, Portus and the Mediterranean, British school at Rome, pp.293--312, "
        "2012, Archaeological monographs of the British School at Rome, 978-0-904152-65-4",
        ("es",),
    ),
    made(
        "hal-00419826",
        1,
        people(
            "Ion, Adrian",
            "Artner, Nicole M.",
            "Peyré, Gabriel",
            "Lopez Marmol, Salvador B.",
            "Kropatsch, Walter G.",
            "Cohen, Laurent D.",
        ),
        english("3D Shape Matching by Geodesic Eccentricity"),
        "Search in 3D 2008, Jun 2008, Anchorage, Alaska, United States. IEEE, pp.1-8, 2008, "
        "〈10.1109/CVPRW.2008.4563032〉",
    ),
    made(
        "hal-00684976",
        1,
        people("Bernardi, Christine", "Chacon-Rebollo, Tomas", "Gómez Marmol, Macarena"),
        english(
            "Error analysis of a subgrid eddy viscosity multi-scale discretization of the "
            "Navier-Stokes equations"
        ),
        "2012",
    ),
    made(
        "hal-00121202",
        2,
        BENNIS,
        english("Stability of some turbulent vertical models for the ocean mixing boundary layer"),
        "2006-51. 2006",
    ),
    made(
        "hal-00121202",
        3,
        BENNIS,
        english("Stability of some turbulent vertical models for the ocean mixing boundary layer"),
        "Applied Mathematics Letters, Elsevier, 2008, 21 (2), pp.128-133",
    ),
    made(
        "hal-01738741",
        1,
        POSTER,
        english("The creation of a new type of scientific deposit", "Software"),
        "RDA Eleventh Plenary Meeting, Berlin, Germany, Mar 2018, Berlin, Germany. 2018, "
        "〈https://www.rd-alliance.org/rda-11th-plenary-poster-session〉",
    ),
    made(
        "tel-00005806",
        1,
        people("Marmol, Bruno"),
        (
            Title(
                "Contribution to Attribute grammar evaluation and to memory optimization on "
                "multiprocessor architectures",
                lang="en",
            ),
            Title(
                "Contribution à l'évaluation d'attributs et l'optimisation mémoire sur machines "
                "multiprocesseurs",
                lang="fr",
            ),
        ),
        "Réseaux et télécommunications [cs.NI]. Université d'Orléans, 1995. Français",
        ("fr",),
    ),
    made(
        "hal-00900431",
        1,
        people(
            "González, Javier",
            "Faría-Mármol, Jesús",
            "Matesanz, Bárbara",
            "Rodríguez, Carlos",
            "Alvir, María",
        ),
        english(
            "In situ intestinal digestibility of dry matter and crude protein of cereal grains "
            "and rapeseed in sheep"
        ),
        "Reproduction Nutrition Development, EDP Sciences, 2003, 43 (1), pp.29-40. "
        "<10.1051/rnd:2003004>",
    ),
    made(
        "hal-02455811",
        1,
        people("Dulaurans, Marlène", "Marczak, Raphael"),
        french(
            "Quand le jeu vidéo devient affaire de clan",
            "un Clash Royale entre incitation et inhibition",
        ),
        "Revue française des sciences de l'information et de la communication, 2018, Religions "
        "et médias, 13, ⟨10.4000/rfsic.3610⟩",
        ("fr",),
    ),
    made(
        "hal-02455845",
        1,
        people("Dulaurans, Marlène", "Fedherbe, Jean-Christophe"),
        french(
            '"J\'aurais préféré que personne ne le sache !", Comment se reconstruire après le '
            "cyberharcèlement ?"
        ),
        "88ème Congrès de l'ACFAS, Université de Sherbrooke, May 2020, Sherbrooke, Canada",
        ("fr",),
    ),
    made(
        "hal-02455808",
        1,
        people("Dulaurans, Marlène"),
        french("Crowdfunding et médias sociaux", "vers un digital plus solidaire"),
        "Gino Gramaccia. Les laboratoires du lien social : L'expérience aquitaine de la "
        "solidarité, Presses universitaires de Bordeaux, 2014, 978-2-86781-962-9",
        ("fr",),
    ),
    made(
        "tel-02448496",
        1,
        people("Dulaurans, Marlène"),
        french(
            "Communication et coopération décentralisée",
            "le cas de la région aquitaine",
        ),
        "Sciences de l'Homme et Société. Université Bordeaux MONTAIGNE, 2012. Français. ⟨NNT : ⟩",
        ("fr",),
    ),
    made(
        "hal-04128090",
        1,
        people("Michel, Franck"),
        english("Morph-xR2RML: MongoDB-to-RDF translation"),
        "2015, 〈swh:1:dir:8ea716c0d9e69527a5f50378bf135c5952b1a229〉",
        (),
    ),
    made(
        "hal-01848370",
        3,
        people("Benamou, Jean-David", "Carlier, Guillaume", "Marino, Simone", "Nenna, Luca"),
        english("An entropy minimization approach to second-order variational mean-field games"),
        "2019",
    ),
    made(
        "hal-03770492",
        2,
        people("Delavergne, Marie", "Antony, Geo Johns", "Lebre, Adrien"),
        english("Cheops, a service to blow away Cloud applications to the Edge"),
        "[Research Report] RR-9486, Inria Rennes - Bretagne Atlantique. 2022, pp.1-16",
    ),
    made(
        "tel-04081084",
        1,
        people("Delavergne, Marie"),
        english("Cheops, a service-mesh to geo-distribute micro-service applications at the Edge"),
        "Distributed, Parallel, and Cluster Computing [cs.DC]. Ecole nationale supérieure "
        "Mines-Télécom Atlantique, 2023. English. 〈NNT : 2023IMTA0347〉",
    ),
    made(
        "hal-03781578",
        1,
        people("Merigoux, Denis"),
        french("Observations sur le calcul des aides au logement"),
        "[Rapport de recherche] RR-9485, Inria Paris. 2022, pp.27",
        ("fr",),
    ),
    made(
        "dumas-01243546",
        1,
        people("Lepoittevin, Maryse"),
        french(
            "Intérêt comparé de l’imagerie et de l’électrorétinographie multifocale dans le suivi "
            "des patients traités par Chloroquine ou Hydroxychloroquine"
        ),
        "Médecine humaine et pathologie. 2015",
        ("fr",),
    ),
    made(
        "hal-03165515",
        1,
        people(
            "Meriglier, E.",
            "Rivoisy, C.",
            "Hessamfar, Mojgan",
            "Bernard, N.",
            "Aureau, I.",
            "Lapoirie, J.",
            "Contis, A.",
        ),
        english("Safety of hydroxychloroquine and darunavir or lopinavir in COVID-19 infection"),
        "Journal of Antimicrobial Chemotherapy, Oxford University Press (OUP), 2021, 76 (2), "
        "pp.482-486. 〈10.1093/jac/dkaa441〉",
    ),
]


@pytest.mark.parametrize("record", REBUILT, ids=lambda record: record.versioned_id)
def test_the_line_is_hals_to_the_character(record: Record) -> None:
    number = record.head.version or 1
    known = record.versioned_id if number > 1 else record.id
    assert cite(record) == CITATIONS[known]


def test_the_recorded_notice() -> None:
    record = made(
        "hal-04493396",
        1,
        people(
            "Alix, Jean-Sébastien", "Autès, Michel", "Coutinet, Nathalie", "Garrigue, Gabrielle"
        ),
        french("Les contrats à impact social : une menace pour la solidarité ?"),
        "La vie des idées, 2018",
        ("fr",),
    )
    assert cite(record) == (
        "Jean-Sébastien Alix, Michel Autès, Nathalie Coutinet, Gabrielle Garrigue. Les contrats à "
        "impact social : une menace pour la solidarité ?. La vie des idées, 2018. ⟨hal-04493396⟩"
    )


def test_a_first_version_is_named_once_a_later_one_is_known() -> None:
    record = made("hal-00125966", 1, (), english("A comparison"), "2007")
    assert cite(record) == "A comparison. 2007. ⟨hal-00125966⟩"
    assert cite(record, later_versions=True) == "A comparison. 2007. ⟨hal-00125966v1⟩"


def test_a_record_without_version_keeps_its_bare_id() -> None:
    record = made("hal-00830421", None, (), english("Wavelets"), "2013")
    assert cite(record, later_versions=True) == "Wavelets. 2013. ⟨hal-00830421⟩"


def test_six_authors_are_five_and_others() -> None:
    five = people("A, A.", "B, B.", "C, C.", "D, D.", "E, E.")
    assert cite(made("hal-1", 1, five, english("T"), "2020")).startswith(
        "A. A, B. B, C. C, D. D, E. E. T."
    )
    six = (*five, Name(literal="The ATLAS Collaboration"))
    assert cite(made("hal-1", 1, six, english("T"), "2020")).startswith(
        "A. A, B. B, C. C, D. D, E. E, et al.. T. 2020"
    )


def test_a_collective_author_is_written_whole() -> None:
    record = made("hal-1", 1, (Name(literal="LHCb, CERN"),), english("T"), "2020")
    assert cite(record) == "LHCb, CERN. T. 2020. ⟨hal-1⟩"


@pytest.mark.parametrize(
    ("languages", "shown"),
    [
        (("fr",), "Titre"),
        (("fr-CA",), "Titre"),
        (("de",), "Title"),
        ((), "Title"),
        (("es",), "Título: subtítulo"),
    ],
)
def test_the_title_is_in_the_documents_language_else_english(
    languages: tuple[str, ...], shown: str
) -> None:
    titles = (
        Title("Título", "subtítulo", "es"),
        Title("Titre", lang="fr"),
        Title("Title", lang="en"),
    )
    assert cite(made("hal-1", 1, (), titles, "2020", languages)) == f"{shown}. 2020. ⟨hal-1⟩"


def test_without_a_fitting_language_the_first_title_stands() -> None:
    titles = (Title("Titel", lang="de"), Title("Título", lang="es"))
    assert cite(made("hal-1", 1, (), titles, "2020", ("it",))) == "Titel. 2020. ⟨hal-1⟩"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (
            "FEBS Letters. <10.1016/j.febslet.2014.11.046>",
            "FEBS Letters. ⟨10.1016/j.febslet.2014.11.046⟩",
        ),
        ("2011. 〈10.1080/02664763.2010.529878〉", "2011. ⟨10.1080/02664763.2010.529878⟩"),
        ("2018, 〈swh:1:rev:f202〉", "2018, ⟨swh:1:rev:f202⟩"),
        ("2014, 〈doi:10.1016/j.matcom〉", "2014, ⟨doi:10.1016/j.matcom⟩"),
        ("Inria, 2012. <NNT : 2012PA01>", "Inria, 2012. ⟨NNT : 2012PA01⟩"),
        ("论〈红楼梦〉, 2012, p<0.05 and q>1", "论〈红楼梦〉, 2012, p<0.05 and q>1"),
        ("Actes, 2012.", "Actes, 2012"),
    ],
)
def test_brackets_become_todays_only_around_identifiers(given: str, shown: str) -> None:
    assert tail(Body(citation=given)) == shown


def test_without_hals_tail_one_is_built_from_the_parts() -> None:
    body = Body(
        titles=english("A Study"),
        creators=people("Roe, Jane"),
        year=2011,
        date="2011-05-02",
        container=Container(title="Journal of Studies", volume="7", issue="2", pages="11-20"),
        publishers=("Some Press", "Another"),
        identifiers=Identifiers(doi=("10.1000/xyz",)),
    )
    assert cite(Record(Head("oai:example.org:1"), body)) == (
        "Jane Roe. A Study. Journal of Studies, Some Press, 2011, 7 (2), pp.11-20. "
        "⟨10.1000/xyz⟩. ⟨oai:example.org:1⟩"
    )
    issue_only = Body(
        titles=english("T"), container=Container(title="J", issue="4"), date="c. 1900"
    )
    assert cite(Record(Head("x"), issue_only)) == "T. J, c. 1900, (4). ⟨x⟩"
    assert cite(Record(Head("oai:example.org:2"), Body())) == "⟨oai:example.org:2⟩"


def test_pages_get_their_mark_unless_they_have_one() -> None:
    assert [page_range(pages) for pages in ("1-9", "p. 210-219", "80 P.")] == [
        "pp.1-9",
        "p. 210-219",
        "80 P.",
    ]


def body_of(kind: str, citation: str, year: int, *contributors: str, **more: object) -> Body:
    return Body(
        type=DocumentType(hal=kind), citation=citation, year=year, contributors=contributors, **more
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            body_of(
                "COUV",
                "Bente Maegaard; Riccardo Pozzo. Stay Tuned To The Future, Leo S. Olschki, 2019",
                2019,
                "Bente Maegaard",
                "Riccardo Pozzo",
                "DARIAH",
            ),
            Roles(editors=("Bente Maegaard", "Riccardo Pozzo")),
        ),
        (
            body_of("COUV", "Digital Technology, Open Book Publishers, 2020", 2020, "DARIAH"),
            Roles(),
        ),
        (
            body_of(
                "OUV",
                "Editions de L'Herne. Editions de L'Herne, pp.220, 1992, Michel Haar",
                1992,
                "Editions de L'Herne",
                "Michel Haar",
            ),
            Roles(editors=("Editions de L'Herne",)),
        ),
        (
            body_of(
                "COMM",
                "NLDB'02, DSV, Information Technology University, Jun 2002, Stockholm, Sweden",
                2002,
                "DSV, Information Technology University",
                container=Container(title="NLDB'02"),
            ),
            Roles(organizers=("DSV, Information Technology University",)),
        ),
        (
            body_of(
                "COMM",
                "LREC, European Language Resources Association (ELRA), May 2002, Las Palmas, Spain",
                2002,
                affiliations=(Affiliation("European Language Resources Association", "ELRA"),),
                container=Container(title="Proceedings", conference="LREC"),
            ),
            Roles(organizers=("European Language Resources Association (ELRA)",)),
        ),
        (
            body_of(
                "THESE",
                "Histoire. Université Panthéon-Sorbonne - Paris I, 2013. Français. "
                "⟨NNT : 2013PA010612⟩",
                2013,
                "Université Panthéon-Sorbonne - Paris I",
                "Sabine Barles",
            ),
            Roles(authorities=("Université Panthéon-Sorbonne - Paris I",)),
        ),
        (
            body_of(
                "THESE",
                "Autre. Université A; Université B, 2013. Français",
                2013,
                "Sabine Barles",
                "Université",
                "Université A",
                "Université B",
            ),
            Roles(authorities=("Université A", "Université B")),
        ),
        (
            body_of(
                "REPORT", "[Research Report] D 2.1, Inria. 2015", 2015, "H2020, GA 654028", "Inria"
            ),
            Roles(authorities=("Inria",)),
        ),
        (
            body_of("OUV", "Lab; A. B; A. Press, 2015", 2015, "Lab", "Lab; A. B", "A"),
            Roles(editors=("Lab; A. B", "A")),
        ),
        (
            body_of("THESE", "A; B, 2014. A; B, 2015", 2015, "A", "B"),
            Roles(authorities=("A", "B")),
        ),
        (body_of("REPORT", "[Research Report] RR-1. 2015", 2015, "Inria"), Roles()),
        (body_of("ART", "Inria, 2015", 2015, "Inria"), Roles()),
        (Body(contributors=("Inria",), citation="Inria. 2015"), Roles()),
    ],
)
def test_a_role_is_known_where_the_tail_names_the_contributor_in_its_place(
    body: Body, expected: Roles
) -> None:
    assert roles(body) == expected


def test_the_tails_of_72_recorded_records_are_hals() -> None:
    recorded = recorded_records()
    rows = read_table("citation-tails.tsv")[1:]
    assert len(rows) == 72
    for identifier, version, _, _, expected, _ in rows:
        today = expected.replace("〈", "⟨").replace("〉", "⟩")
        today = today.replace("<10.1016/j.febslet.2014.11.046>", "⟨10.1016/j.febslet.2014.11.046⟩")
        record = recorded[identifier + version]
        assert tail(record.body) == today
        assert cite(record).endswith(
            f". {today}. ⟨{identifier}{'' if version == 'v1' else version}⟩"
        )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hal-02094713v1", Roles(editors=("Bente Maegaard", "Riccardo Pozzo"))),
        ("inria-00433433v1", Roles(organizers=("University of Michigan",))),
        (
            "inria-00100763v1",
            Roles(organizers=("European Language Resources Association (ELRA)",)),
        ),
        ("tel-00999911v1", Roles(authorities=("Université Panthéon-Sorbonne - Paris I",))),
        ("hal-02139658v1", Roles(authorities=("Inria",))),
        ("hal-04493396v1", Roles()),
    ],
)
def test_roles_in_recorded_records(name: str, expected: Roles) -> None:
    assert roles(recorded_records()[name].body) == expected
