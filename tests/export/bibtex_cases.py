"""Records typed by hand from the facts of HAL's own entries in ``bibtex.bib``.

Each has what the entry's fields say, in the form a record keeps it in.  The citation tails are
HAL's (``citations.txt``) where there is one, else typed after HAL's pattern for the type.  Given
names are those of the entry: HAL's Dublin Core would lack the middle names.
"""

from halmirror.record import (
    Body,
    Container,
    DocumentType,
    Head,
    Identifiers,
    Name,
    OtherIdentifier,
    Record,
    Title,
    Value,
)

REASONS = {
    "HAL_LOCAL_REFERENCE": "a laboratory's own number is not in Dublin Core",
    "EDITOR": "editors without their place in the citation cannot be told from other contributors",
    "TYPE": "the level of a lecture is not in Dublin Core",
    "INSTITUTION": "Dublin Core does not say which contributor of these types is the institution",
    "NOTE": "HAL writes an empty note",
    "VERSION": "the version of software is not in Dublin Core",
    "REPOSITORY": "the code repository of software is not in Dublin Core",
    "LICENSE": "Dublin Core has the licence's address, not its name",
}
"""Why a field of HAL's entry is left out."""

OMITTED = {
    "hal-00121202v2": {"HAL_LOCAL_REFERENCE"},
    "hal-00121202v3": {"HAL_LOCAL_REFERENCE"},
    "hal-01663013v1": {"HAL_LOCAL_REFERENCE"},
    "hal-01662980v1": {"HAL_LOCAL_REFERENCE"},
    "hal-01376739v1": {"HAL_LOCAL_REFERENCE"},
    "hal-01590779v1": {"HAL_LOCAL_REFERENCE", "EDITOR"},
    "tel-01393235v2": {"HAL_LOCAL_REFERENCE"},
    "tel-01061112v1": {"HAL_LOCAL_REFERENCE"},
    "cel-01452867v2": {"TYPE", "HAL_LOCAL_REFERENCE", "INSTITUTION"},
    "lirmm-00780894v1": {"HAL_LOCAL_REFERENCE"},
    "hal-03156769v1": {"VERSION", "REPOSITORY", "LICENSE"},
    "hal-04571962v1": {"NOTE", "INSTITUTION", "REPOSITORY", "LICENSE"},
}
"""The fields of HAL's entry that ours has not, by version."""


def people(*names: str) -> tuple[Name, ...]:
    """``Family, Given`` as Dublin Core has it."""
    parts = (name.partition(", ") for name in names)
    return tuple(Name(family=family, given=given or None) for family, _, given in parts)


def made(
    name: str, kind: str, date: str, title: str, creators: tuple[Name, ...], **body: object
) -> Record:
    """A record of ``hal-…vN`` with the fields every entry has."""
    identifier, _, version = name.rpartition("v")
    fixed = {
        "type": DocumentType(hal=kind),
        "titles": (Title(title),),
        "creators": creators,
        "date": date,
        "year": int(date[:4]),
    }
    return Record(Head(identifier, int(version), status="active"), Body(**fixed, **body))


def words(*values: str) -> tuple[Value, ...]:
    return tuple(Value(value) for value in values)


def doi(value: str) -> Identifiers:
    return Identifiers(doi=(value,))


BENNIS = people(
    "Bennis, Anne-Claire",
    "Chacon-Rebollo, Tomas",
    "Gomez Marmol, Macarena",
    "Lewandowski, Roger",
)
BENNIS_TITLE = "Stability of some turbulent vertical models for the ocean mixing boundary layer"
BENNIS_WORDS = words(
    "oceanography", "turbulence models", "stability : partial differential equations"
)
BENNIS_FILE = ("https://hal.archives-ouvertes.fr/hal-00121202/file/Note.pdf",)

ARTICLES = [
    made(
        "hal-00928857v1",
        "ART",
        "1980",
        'Contribution à l\'étude du fromage " Roncal "',
        (
            Name(family="A. ORDONEZ", given="J."),
            Name(family="A. MASSO", given="J."),
            Name(family="P. MARMOL", given="M."),
            Name(family="Ramos", given="M."),
        ),
        landing_page="https://hal.archives-ouvertes.fr/hal-00928857",
        container=Container(title="Le Lait", volume="60", issue="595_596", pages="283-294"),
        publishers=("INRA Editions",),
        citation="Le Lait, INRA Editions, 1980, 60 (595_596), pp.283-294",
        files=(
            "https://hal.archives-ouvertes.fr/hal-00928857/document",
            "https://hal.archives-ouvertes.fr/hal-00928857/file/hal-00928857.pdf",
        ),
    ),
    made(
        "in2p3-00016996v1",
        "ART",
        "1982",
        "Study of collective modes asociated to the proton induced fission of $^{209}$Bi",
        people(
            "Nowicki, L.",
            "Berlanger, M.",
            "Borderie, B.",
            "Cabot, C.",
            "Del Marmol, P.",
            "El Masri, Y.",
            "Gregoire, C.",
            "Hanappe, F.",
            "Ngo, C.",
            "Tamain, B.",
        ),
        landing_page="http://hal.in2p3.fr/in2p3-00016996",
        container=Container(title="Physical Review C", volume="26", pages="1114-"),
        publishers=("American Physical Society",),
    ),
    made(
        "hal-00121202v3",
        "ART",
        "2008",
        BENNIS_TITLE,
        BENNIS,
        landing_page="https://hal.archives-ouvertes.fr/hal-00121202",
        container=Container(
            title="Applied Mathematics Letters", volume="21", issue="2", pages="128-133"
        ),
        publishers=("Elsevier",),
        keywords=BENNIS_WORDS,
        files=BENNIS_FILE,
    ),
    made(
        "hal-00900431v1",
        "ART",
        "2003",
        "In situ intestinal digestibility of dry matter and crude protein of cereal grains and "
        "rapeseed in sheep",
        people(
            "González, Javier",
            "Faría-Mármol, Jesús",
            "Matesanz, Bárbara",
            "Rodríguez, Carlos",
            "Alvir, María",
        ),
        landing_page="https://hal.archives-ouvertes.fr/hal-00900431",
        container=Container(
            title="Reproduction Nutrition Development", volume="43", issue="1", pages="29-40"
        ),
        publishers=("EDP Sciences",),
        identifiers=doi("10.1051/rnd:2003004"),
        keywords=words("cereal", "rapeseed", "intestinal effective digestibility", "in situ"),
        files=("https://hal.archives-ouvertes.fr/hal-00900431/file/hal-00900431.pdf",),
    ),
    made(
        "hal-01663013v1",
        "ART",
        "2015-09",
        "A reduction of the saddle vertical force triggers the sit–stand transition in cycling",
        people(
            "Costes, Antony",
            "Turpin, Nicolas A",
            "Villeger, David",
            "Moretto, Pierre",
            "Watier, Bruno",
        ),
        landing_page="https://hal.laas.fr/hal-01663013",
        container=Container(
            title="Journal of Biomechanics", volume="48", issue="12", pages="pp.2998-3003"
        ),
        publishers=("Elsevier",),
        identifiers=doi("10.1016/j.jbiomech.2015.07.035"),
        files=("https://hal.laas.fr/hal-01663013/file/Saddle%20force.pdf",),
    ),
    made(
        "hal-01662980v1",
        "ART",
        "2014-11",
        "An algorithm to decompose ground reaction forces and moments from a single force "
        "platform in walking gait",
        people("Villeger, David", "Costes, Antony", "Watier, Bruno", "Moretto, Pierre"),
        landing_page="https://hal.laas.fr/hal-01662980",
        container=Container(
            title="Medical Engineering & Physics", volume="36", issue="11", pages="pp.1530-1535"
        ),
        identifiers=doi("10.1016/j.medengphy.2014.08.002"),
        keywords=words(
            "single forceplate",
            "asymmetry",
            "Double support detection",
            "double support decomposition",
            "center of pressure",
        ),
        files=(
            "https://hal.laas.fr/hal-01662980/file/Villeger%20et%20al.%20%282014%29%20-%20MEP.pdf",
        ),
    ),
    made(
        "hal-02278224v1",
        "ART",
        "2020",
        "Greedy clustering of count data through a mixture of multinomial PCA",
        people(
            "Jouvin, Nicolas",
            "Latouche, Pierre",
            "Bouveyron, Charles",
            "Bataillon, Guillaume",
            "Livartowski, Alain",
        ),
        landing_page="https://hal.archives-ouvertes.fr/hal-02278224",
        notes=("31 pages, 10 figures",),
        container=Container(title="Computational Statistics"),
        publishers=("Springer Verlag",),
        keywords=words(
            "Dimension reduction",
            "Topic modeling",
            "Count data",
            "Mixture models",
            "Clustering",
            "Variational inference",
        ),
    ),
]

CONFERENCES = [
    made(
        "hal-01438353v1",
        "COMM",
        "2016-07",
        "I Don’t Trust ICT: Research Challenges in Cyber Security",
        people("Gómez Mármol, Félix", "Gil Pérez, Manuel", "Martínez Pérez, Gregorio"),
        landing_page="https://hal.inria.fr/hal-01438353",
        notes=("Part 3: Short Papers",),
        container=Container(
            title="IFIP Advances in Information and Communication Technology",
            conference="10th IFIP International Conference on Trust Management (TM)",
            series="Trust Management X",
            volume="AICT-473",
            pages="129-136",
        ),
        contributors=(
            "Sheikh Mahbub Habib",
            "Julita Vassileva",
            "Sjouke Mauw",
            "Max Mühlhäuser",
        ),
        citation="Sheikh Mahbub Habib; Julita Vassileva; Sjouke Mauw; Max Mühlhäuser. 10th IFIP "
        "International Conference on Trust Management (TM), Jul 2016, Darmstadt, Germany. IFIP "
        "Advances in Information and Communication Technology, AICT-473, pp.129-136, 2016, Trust "
        "Management X. 〈10.1007/978-3-319-41354-9_9〉",
        coverage=("Darmstadt, Germany",),
        identifiers=doi("10.1007/978-3-319-41354-9_9"),
        keywords=words("Trustworthy ICT", "Cyber security", "Research challenges"),
        files=("https://hal.inria.fr/hal-01438353/file/428098_1_En_9_Chapter.pdf",),
    ),
    made(
        "hal-00419826v1",
        "COMM",
        "2008-06",
        "3D Shape Matching by Geodesic Eccentricity",
        people(
            "Ion, Adrian",
            "Artner, Nicole M.",
            "Peyré, Gabriel",
            "Marmol, Salvador B. Lopez",
            "Kropatsch, Walter G.",
            "Cohen, Laurent D.",
        ),
        landing_page="https://hal.archives-ouvertes.fr/hal-00419826",
        container=Container(title="Search in 3D 2008", pages="1-8"),
        publishers=("IEEE",),
        coverage=("Anchorage, Alaska, United States",),
        citation="Search in 3D 2008, Jun 2008, Anchorage, Alaska, United States. IEEE, pp.1-8, "
        "2008, 〈10.1109/CVPRW.2008.4563032〉",
        identifiers=doi("10.1109/cvprw.2008.4563032"),
        keywords=words("Shape matching", "eccentricity", "geodesic", "Fast Marching"),
        files=("https://hal.archives-ouvertes.fr/hal-00419826/file/08-S3D-ShapeMatching.pdf",),
    ),
    made(
        "hal-02498602v1",
        "COMM",
        "2020-06",
        "Cyber-harassment and social networks : the CyberNeTic research project",
        people("Dulaurans, Marlène", "Fedherbe, Jean-Christophe"),
        landing_page="https://hal.archives-ouvertes.fr/hal-02498602",
        container=Container(
            title="SUNBELT 2020, Session Recent advances in Social Network Analysis"
        ),
        coverage=("Paris, France",),
        keywords=words("Cyberharcèlement", "Réseaux sociaux (Internet)"),
    ),
    made(
        "hal-03655311v1",
        "COMM",
        "2022-05",
        "Cyberharcèlement et communautés en ligne : les résiliences organisationnelles en jeu !",
        people("Dulaurans, Marlène", "Fedherbe, Jean Christophe"),
        landing_page="https://hal.science/hal-03655311",
        container=Container(
            title="Un monde de crises au prisme des communications organisationnelles"
        ),
        contributors=("Université Catholique de Louvain = Catholic University of Louvain [UCL]",),
        citation="Un monde de crises au prisme des communications organisationnelles, Université "
        "Catholique de Louvain = Catholic University of Louvain [UCL], May 2022, Mons, Belgique",
        coverage=("Mons, Belgium",),
        keywords=words("cyberharcèlement", "recherche action", "flaming", "communauté"),
        files=("https://hal.science/hal-03655311/file/404615.pdf",),
    ),
]

BOOKS = [
    made(
        "hal-01674512v1",
        "COUV",
        "2018-06",
        "SLAM and Vision-based Humanoid Navigation",
        people("Stasse, Olivier"),
        landing_page="https://hal.archives-ouvertes.fr/hal-01674512",
        container=Container(title="Humanoid Robotics: A Reference"),
        files=("https://hal.archives-ouvertes.fr/hal-01674512/file/hrr-slam.pdf",),
    ),
    made(
        "hal-01376739v1",
        "COUV",
        "2016",
        "Robotics: Hephaestus Does It Again",
        people("Laumond, Jean-Paul"),
        landing_page="https://hal.archives-ouvertes.fr/hal-01376739",
        container=Container(
            title="Robots and Art: Exploring an Unlikely Symbiosis", pages="67 - 86"
        ),
        publishers=("Springer Singapore",),
        identifiers=doi("10.1007/978-981-10-0321-9_5"),
        files=("https://hal.archives-ouvertes.fr/hal-01376739/file/book_lau.pdf",),
    ),
    made(
        "hal-01590779v1",
        "OUV",
        "2017",
        "Geometric and Numerical Foundations of Movements",
        people("Laumond, Jean-Paul", "Mansard, Nicolas", "Lasserre, Jean-Bernard Bernard"),
        landing_page="https://hal.laas.fr/hal-01590779",
        container=Container(series="Springer Tracts in Advanced Robotics", volume="117"),
        publishers=("Springer International Publishing",),
        identifiers=doi("10.1007/978-3-319-51547-2"),
    ),
    made(
        "halshs-00924546v1",
        "OUV",
        "2012",
        "(Xe)LaTeX appliqué aux sciences humaines",
        people("Rouquette, Maïeul"),
        landing_page="https://halshs.archives-ouvertes.fr/halshs-00924546",
        container=Container(pages="268"),
        publishers=("Atramenta",),
        keywords=words("informatique", "bibliographique", "latex"),
        files=(
            "https://halshs.archives-ouvertes.fr/halshs-00924546/file/latex-sciences-humaines.pdf",
        ),
    ),
]

THESES = [
    made(
        "tel-01393235v2",
        "THESE",
        "2016-09-19",
        "Advanced human inspired walking strategies for humanoid robots",
        people("Naveau, Maximilien"),
        landing_page="https://tel.archives-ouvertes.fr/tel-01393235",
        contributors=("Université Paul Sabatier - Toulouse III", "Philippe Souères"),
        citation="Automatique / Robotique. Université Paul Sabatier - Toulouse III, 2016. "
        "English. ⟨NNT : 2016TOU30188⟩",
        identifiers=Identifiers(nnt=("2016TOU30188",)),
        keywords=words(
            "Humanoid and bipedal locomotion",
            "Humanoid robots",
            "Nonlinear model predictive control",
            "Locomotion bipède et humanoïdes",
            "Robots humanoïdes",
            "Commande prédictive non linéaire",
        ),
        files=("https://tel.archives-ouvertes.fr/tel-01393235/file/2016TOU30188B.pdf",),
    ),
    made(
        "tel-01061112v1",
        "HDR",
        "2013-07",
        "Semiotics of Motion: Toward a Robotics Programing Language",
        people("Mansard, Nicolas"),
        landing_page="https://tel.archives-ouvertes.fr/tel-01061112",
        contributors=("Université Paul Sabatier - Toulouse III",),
        citation="Robotics [cs.RO]. Université Paul Sabatier - Toulouse III, 2013",
        keywords=words(
            "Robotic",
            "redundant systems",
            "anthropomorphic mouvement",
            "sensor-based control",
            "task sequencing",
            "obstacle avoidance",
        ),
        files=("https://tel.archives-ouvertes.fr/tel-01061112/file/these.pdf",),
    ),
]

REPORTS = [
    made(
        "inria-00073934v1",
        "REPORT",
        "1995",
        "The Meeting Graph : a New Framework for Loop Register Allocation",
        people("Eisenbeis, Christine", "Lelait, Sylvain", "Marmol, Bruno P"),
        landing_page="https://hal.inria.fr/inria-00073934",
        notes=("Projet CHARME",),
        contributors=("INRIA",),
        citation="[Research Report] RR-2758, INRIA. 1995",
        identifiers=Identifiers(report=("RR-2758",)),
        keywords=words(
            "GRAPH COLORING",
            "GRAPH DECOMPOSITION",
            "INSTRUCTION-LEVEL PARALLELISM",
            "REGISTER ALLOCATION",
            "LOOP OPTIMIZATION",
        ),
        files=("https://hal.inria.fr/inria-00073934/file/RR-2758.pdf",),
    ),
    made(
        "hal-01133395v3",
        "REPORT",
        "2015-03",
        "Closed-forms of Kirchhoff elastic rods shape and sensitivity in the planar case",
        people("Roussel, Olivier", "Renaud, Marc", "Taïx, Michel"),
        landing_page="https://hal.archives-ouvertes.fr/hal-01133395",
        notes=("Rapport LAAS n° 15083",),
        contributors=("LAAS-CNRS",),
        citation="[Research Report] LAAS-CNRS. 2015",
        files=("https://hal.archives-ouvertes.fr/hal-01133395/file/TechRep_analytic_2015.pdf",),
    ),
]

UNPUBLISHED = [
    made(
        "hal-00121202v2",
        "UNDEFINED",
        "2006-12",
        BENNIS_TITLE,
        BENNIS,
        landing_page="https://hal.archives-ouvertes.fr/hal-00121202",
        citation="2006-51. 2006",
        keywords=BENNIS_WORDS,
        files=BENNIS_FILE,
    ),
    made(
        "cel-01452867v2",
        "LECTURE",
        "2017-02",
        'Formation Doctorale "Éthique de la recherche et intégrité scientifique"',
        people(
            "Tessier, Catherine",
            "Viallet, Fabienne",
            "Mary, Arthur",
            "Tondu, Bertrand",
            "Baudouin, Lucie",
            "Ducournau, Pascal",
            "Queinnec, Isabelle",
            "Mochel, Gaylord",
            "Varenne, Clément",
            "Dessens, Nathalie",
        ),
        landing_page="https://hal.archives-ouvertes.fr/cel-01452867",
        coverage=("Toulouse, France",),
        container=Container(pages="56p."),
        keywords=words("intégrité scientifique", "éthique", "Formation doctorale"),
        files=("https://hal.archives-ouvertes.fr/cel-01452867/file/EthIS.pdf",),
    ),
]

OTHERS = [
    made(
        "in2p3-00716787v1",
        "POSTER",
        "2012-07",
        "Comparison of hybrid and SIDECAR ASIC measurements",
        people("Marmol, F.", "Cerna, C.", "Castera, A.", "Ealet, A."),
        landing_page="http://hal.in2p3.fr/in2p3-00716787",
        container=Container(
            title="High Energy, Optical, and Infrared Detectors for Astronomy V",
            volume="8453",
            pages="845330",
        ),
        coverage=("Amsterdam, Netherlands",),
        identifiers=doi("10.1117/12.926995"),
    ),
    made(
        "lirmm-00780894v1",
        "POSTER",
        "2009-09",
        "From Discrete Mission Schedule to Continuous Implicit Trajectory using Optimal Time "
        "Warping",
        people("Keith, François", "Mansard, Nicolas", "Miossec, Sylvain", "Kheddar, Abderrahmane"),
        landing_page="https://hal-lirmm.ccsd.cnrs.fr/lirmm-00780894",
        container=Container(
            title="ICAPS'09: 19th International Conference on Automated Planning and Scheduling",
            volume="1",
            pages="366-369",
        ),
        files=(
            (
                "https://hal-lirmm.ccsd.cnrs.fr/lirmm-00780894/file/2009_icaps_keith-From_Discrete_"
                "Mission_Schedule_to_Continuous_Implicit_Trajectory_using_Optimal_Time_Warping.pdf"
            ),
        ),
    ),
    made(
        "hal-03156769v1",
        "SOFTWARE",
        "2021-03",
        "ClaViTranscr: clavier virtuel d'aide à la transcription de caractère spéciaux.",
        people("Gille Levenson, Matthias"),
        landing_page="https://hal.archives-ouvertes.fr/hal-03156769",
        keywords=words(
            "écriture manuscrite",
            "imprimés modernes",
            "caractères typographiques",
            "caractères spéciaux",
            "transcription",
            "écriture manuscrite",
        ),
        files=(
            (
                "https://hal.archives-ouvertes.fr/hal-03156769/file/"
                "clavier_virtuel_transcription-v1.0.1.zip"
            ),
        ),
    ),
    made(
        "hal-04571962v1",
        "SOFTWARE",
        "2024-04",
        "EasyFEA: a user-friendly Python library that simplifies finite element analysis",
        people("Noel, Matthieu"),
        landing_page="https://hal.science/hal-04571962",
        identifiers=Identifiers(
            other=(
                OtherIdentifier(
                    value="swh:1:dir:ffb0e56fe2ce8a344ed27df7baf8f5f1b58700b5;"
                    "origin=https://github.com/matnoel/EasyFEA;"
                    "visit=swh:1:snp:88527adbdb363d97ebaee858943a02d98fc5c23c;"
                    "anchor=swh:1:rev:ee2a09258bfd7fd60886ad9334b0893f4989cf35",
                    scheme="SWH",
                ),
            )
        ),
        keywords=words(
            "Finite element analyses",
            "Computational Mechanics",
            "Numerical Simulation",
            "Phase field modeling of brittle fracture",
            "Linear elasticity",
            "Euler-Bernoulli beam",
            "DIC - Digital Image Correlation",
            "User friendly",
            "Object oriented programming",
            "Mesh Generation",
        ),
    ),
]

CASES = [*ARTICLES, *CONFERENCES, *BOOKS, *THESES, *REPORTS, *UNPUBLISHED, *OTHERS]
"""Every record, by kind."""
