"""Language codes and names: from ISO 639-2 (three letters) to the shortest code, as BCP 47 asks.

RFC 5646, section 2.2.1: where a language has a two-letter code, that one is used.  Both the
bibliographic and the terminological codes of ISO 639-2 are known (``fre`` and ``fra``).
"""

from __future__ import annotations

import re

from halmirror.remembered import remembered

_TAG = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{2,8})*", re.ASCII | re.IGNORECASE)
_TABLE = (
    "aar aa abk ab afr af aka ak amh am ara ar arg an asm as ava av ave ae aym ay aze az bak ba "
    "bam bm bel be ben bn bis bi bod bo tib bo bos bs bre br bul bg cat ca ces cs cze cs cha ch "
    "che ce chu cu chv cv cor kw cos co cre cr cym cy wel cy dan da deu de ger de div dv dzo dz "
    "ell el gre el eng en epo eo est et eus eu baq eu ewe ee fao fo fas fa per fa fij fj fin fi "
    "fra fr fre fr fry fy ful ff gla gd gle ga glg gl glv gv grn gn guj gu hat ht hau ha heb he "
    "her hz hin hi hmo ho hrv hr hun hu hye hy arm hy ibo ig ido io iii ii iku iu ile ie ina ia "
    "ind id ipk ik isl is ice is ita it jav jv jpn ja kal kl kan kn kas ks kat ka geo ka kau kr "
    "kaz kk khm km kik ki kin rw kir ky kom kv kon kg kor ko kua kj kur ku lao lo lat la lav lv "
    "lim li lin ln lit lt ltz lb lub lu lug lg mah mh mal ml mar mr mkd mk mac mk mlg mg mlt mt "
    "mon mn mri mi mao mi msa ms may ms mya my bur my nau na nav nv nbl nr nde nd ndo ng nep ne "
    "nld nl dut nl nno nn nob nb nor no nya ny oci oc oji oj ori or orm om oss os pan pa pli pi "
    "pol pl por pt pus ps que qu roh rm ron ro rum ro run rn rus ru sag sg san sa sin si slk sk "
    "slo sk slv sl sme se smo sm sna sn snd sd som so sot st spa es sqi sq alb sq srd sc srp sr "
    "ssw ss sun su swa sw swe sv tah ty tam ta tat tt tel te tgk tg tgl tl tha th tir ti ton to "
    "tsn tn tso ts tuk tk tur tr twi tw uig ug ukr uk urd ur uzb uz ven ve vie vi vol vo wln wa "
    "wol wo xho xh yid yi yor yo zha za zho zh chi zh zul zu"
)
_NAMES = (
    "English en Anglais en Inglés en Inglês en Englisch en French fr Français fr Francés fr "
    "Francês fr Französisch fr German de Allemand de Deutsch de Alemán de Spanish es Espagnol es "
    "Español es Castellano es Spanisch es Portuguese pt Portugais pt Português pt Italian it "
    "Italien it Italiano it Dutch nl Néerlandais nl Nederlands nl Russian ru Russe ru Русский ru "
    "Chinese zh Chinois zh 中文 zh Japanese ja Japonais ja 日本語 ja Korean ko Coréen ko Arabic ar "
    "Arabe ar العربية ar Turkish tr Turc tr Türkçe tr Polish pl Polonais pl Polski pl Czech cs "
    "Tchèque cs Čeština cs Swedish sv Suédois sv Svenska sv Norwegian no Norvégien no Norsk no "
    "Danish da Danois da Dansk da Finnish fi Finnois fi Suomi fi Hungarian hu Hongrois hu "
    "Magyar hu Romanian ro Roumain ro Română ro Bulgarian bg Bulgare bg Ukrainian uk Ukrainien uk "
    "Українська uk Greek el Grec el Ελληνικά el Hebrew he Hébreu he Persian fa Persan fa Hindi hi "
    "Vietnamese vi Vietnamien vi Indonesian id Indonésien id Catalan ca Català ca Basque eu "
    "Euskara eu Galician gl Galego gl Breton br Occitan oc Latin la Croatian hr Croate hr "
    "Hrvatski hr Serbian sr Serbe sr Slovak sk Slovaque sk Slovenian sl Slovène sl"
)
_PAIRS = _TABLE.split()
_SHORTEST = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))
_NAMED = _NAMES.split()
_BY_NAME = {name.casefold(): tag for name, tag in zip(_NAMED[::2], _NAMED[1::2], strict=True)}
_TWO_LETTERS = frozenset(_SHORTEST.values()) | {"sh", "iw", "in", "ji"}
"""Those of ISO 639-1, and the withdrawn ones that BCP 47 still knows."""


@remembered(1024)
def language(text: str) -> str | None:
    """A language tag by BCP 47 (``fr``, ``pt-BR``); None where the text is no tag.

    Case by RFC 5646, section 2.1.1; no registry is asked, so a well-formed unknown tag passes.
    """
    if not _TAG.fullmatch(text):
        return None
    first, *rest = text.replace("_", "-").split("-")
    parts = [_SHORTEST.get(first.lower(), first.lower()), *map(_subtag, rest)]
    return "-".join(parts)


@remembered(1024)
def known_language(text: str) -> str | None:
    """A language tag or a language's name, as BCP 47; None for two letters ISO 639-1 lacks.

    Names are English, French and their own, case aside (``English``, ``Français``).
    """
    tag = language(text)
    if tag is None:
        return _BY_NAME.get(text.casefold())
    first = tag.partition("-")[0]
    return tag if len(first) > 2 or first in _TWO_LETTERS else None


def _subtag(part: str) -> str:
    if len(part) == 2:
        return part.upper()
    return part.title() if len(part) == 4 and part.isalpha() else part.lower()
