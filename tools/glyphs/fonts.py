"""Which free fonts the glyph root is trained on, which characters they cover, and what is held out of the training.

Every package here is a Debian package under a free licence (its copyright file was read); packages that are plain GPL
without a font exception are left out on purpose. Names are written without the leading "fonts-".
"""

from __future__ import annotations

import subprocess
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont

PACKAGES_BY_LICENCE = {
    "OFL-1.1": """
        allerta anonymous-pro apropal arapey averia-gwf averia-sans-gwf averia-serif-gwf b612 bajaderka bebas-neue
        blankenburg breip bwht cabin cabinsketch cantarell cardo cherrybomb cmu comfortaa comic-neue compagnon
        courier-prime crosextra-caladea crosextra-carlito dancingscript dkg-handwriting dosis dotgothic16 dzongkha
        ebgaramond ecolier-court eeyek elstob essays1743 eurofurence evertype-conakry fantasque-sans ferrite-core
        firacode gamaliel gemunu-libre georgewilliams gfs-artemisia gfs-baskerville gfs-bodoni-classic gfs-complutum
        gfs-didot gfs-didot-classic gfs-gazis gfs-neohellenic gfs-olga gfs-porson gfs-solomos gfs-theokritos havana
        hosny-amiri hosny-thabit humor-sans inconsolata inter joscelyn junction junicode jura kalapi karla karmilla
        kaushanscript klaudia-berenika klee kristi lato ldco le-murmure league-mono league-spartan leckerli-one lemonada
        levien-museum levien-typoscript linuxlibertine lobster lobstertwo lohit-beng-assamese lohit-beng-bengali
        lohit-deva lohit-deva-marathi lohit-gujr lohit-guru lohit-knda lohit-mlym lohit-orya lohit-taml
        lohit-taml-classical lohit-telu lxgw-wenkai manrope meera-inimai millimetre monofur monoid mononoki
        morisawa-bizud-gothic morisawa-bizud-mincho mplus nanum national-park navilu noto-cjk noto-core noto-extra
        noto-mono okolaks oldstandard opendin play quattrocento quicksand radisnoir rampart reggae ricty-diminished
        rit-sundar rocknroll routed-gothic sawarabi-mincho senamirmir-washra seto sil-abyssinica sil-akatab sil-alkalami
        sil-andika sil-annapurna sil-awami-nastaliq sil-charis sil-dai-banna sil-doulos sil-ezra sil-galatia sil-gentium
        sil-gentium-basic sil-gentiumplus sil-harmattan sil-lateef sil-mondulkiri sil-mondulkiri-extra sil-nuosusil
        sil-padauk sil-scheherazade sil-shimenkan sil-sophia-nubian sil-tagmukay sil-taiheritagepro smc-anjalioldlipi
        smc-chilanka smc-dyuthi smc-gayathri smc-karumbi smc-keraleeyam smc-manjari smc-meera smc-rachana smc-uroob
        solide-mirage sora stick stix teluguvijayam tomsontalks train triod-postnaja ubuntu-title ukij-uyghur vollkorn
        yanone-kaffeesatz yozvox-yozfont-antique yozvox-yozfont-cute yozvox-yozfont-edu yozvox-yozfont-new-kana
        yozvox-yozfont-standard-kana yrsa-rasa yusei-magic
    """,
    "Public-Domain": """
        aoyagi-kouzan-t aoyagi-soseki fantasma goudybookletter kouzan-mouhitsu mph-2b-damase prociono tuffy
    """,
    "Bitstream-Vera": """
        bpg-georgian dejavu-core dejavu-extra opendyslexic ttf-bitstream-vera
    """,
    "Apache-2.0": """
        clear-sans jetbrains-mono mmcedar motoya-l-cedar motoya-l-maruberi open-sans roboto-slab roboto-unhinted
    """,
    "MIT": """
        dejima-mincho fanwood hack konatu lindenhill
    """,
    "BSD-3-Clause": """
        go kanjistrokeorders kiloji
    """,
    "GPL-with-font-exception": """
        gubbi guru-extra lg-aboriginal pagul rufscript samyak-deva samyak-gujr samyak-mlym samyak-orya samyak-taml
        sjfonts smc-suruma tlwg-garuda-ttf tlwg-kinnari-ttf tlwg-laksaman-ttf tlwg-loma-ttf tlwg-mono-ttf
        tlwg-norasi-ttf tlwg-purisa-ttf tlwg-sawasdee-ttf tlwg-typewriter-ttf tlwg-typist-ttf tlwg-typo-ttf
        tlwg-umpush-ttf tlwg-waree-ttf unikurdweb urw-base35
    """,
    "M+": """
        horai-umefont umeplus vlgothic
    """,
    "IPA-1.0": """
        ipaexfont-gothic ipaexfont-mincho migmix monapo takao-gothic takao-mincho
    """,
    "ParaType": """
        paratype
    """,
    "CC-BY-3.0": """
        sawarabi-gothic
    """,
}
PACKAGES = {
    name if name.startswith("ttf-") else f"fonts-{name}": licence
    for licence, names in PACKAGES_BY_LICENCE.items()
    for name in names.split()
}

# Scripts of the quickstart tasks: neither their characters nor the fonts made for them are seen in training. Lao goes
# with Thai, which it resembles.
HELD_OUT_SCRIPTS = ("THAI", "LAO", "GEORGIAN", "ETHIOPIC", "KHMER", "MALAYALAM")
HELD_OUT_PACKAGES = ("tlwg-", "smc-", "rit-sundar", "lohit-mlym", "samyak-mlym", "mondulkiri", "abyssinica", "washra",
                     "bpg-georgian")  # fmt: skip
# Only these two files of bpg-georgian are under the Bitstream licence; the rest is plain GPL.
BPG_FREE = ("BPG_Sans_Modern_GPL&GNU.ttf", "BPG_Serif_Modern_GPL&GNU.ttf")
# Symbols, tofu, or outlines that do not read as one character.
NOT_TEXT = ("Symbols", "SignWriting", "Music", "CabinSketch", "Rampart", "TRAIN", "Train", "KanjiStrokeOrders", "Lined")

# Too many characters for a root of 1.5 M parameters; Han is sampled below.
SKIPPED_SCRIPTS = ("HANGUL", "CJK", "YI", "TANGUT", "NUSHU", "CUNEIFORM", "EGYPTIAN", "ANATOLIAN", "MODIFIER",
                   "MATHEMATICAL", "FULLWIDTH", "HALFWIDTH", "SIGNWRITING", "DUPLOYAN")  # fmt: skip
# Fonts for these are few or matter most for handwriting: take more images of each character.
BOOSTED_SCRIPTS = ("HIRAGANA", "KATAKANA", "ARABIC")
IMAGES_PER_CHARACTER, IMAGES_BOOSTED = 60, 130
MIN_FONTS, MIN_FAMILIES = 5, 2
MIN_FAMILIES_ACCENTED = 160  # letters with accents only where many families draw them, or they outnumber all the rest
HAN_STEP = 8  # every eighth of the 2,965 Han characters of JIS X 0208 level 1
CANADIAN_STEP = 4  # 707 syllabics, most of them a turned or dotted copy of another


@dataclass(frozen=True)
class FontFile:
    path: str
    package: str
    family: str
    held_out: bool


def script_of(char: str) -> str:
    """First word of the Unicode name: LATIN, GREEK, DEVANAGARI, ... ('' where there is none)."""
    return unicodedata.name(char, "").split(" ")[0]


def _is_held_out(package: str, name: str) -> bool:
    if any(part in package for part in HELD_OUT_PACKAGES):
        return True
    stem = name.lower()
    return stem.startswith("noto") and any(script.lower() in stem for script in HELD_OUT_SCRIPTS)


def gather() -> list[FontFile]:
    """All usable font files of the installed packages, by file name, so that every machine sees one order."""
    fonts = []
    for package in PACKAGES:
        listing = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True, check=False).stdout
        for line in listing.splitlines():
            path = Path(line)
            if path.suffix.lower() not in (".ttf", ".otf", ".ttc") or path.is_symlink() or not path.is_file():
                continue
            if any(part in path.name for part in NOT_TEXT):
                continue
            if package.endswith("georgian") and path.name not in BPG_FREE:
                continue
            family = path.stem.replace("_", "-").split("-")[0]
            fonts.append(FontFile(str(path), package, family, _is_held_out(package, path.name)))
    return sorted(fonts, key=lambda font: (Path(font.path).name, font.path))


def characters_of(font: FontFile) -> set[str]:
    """Characters the font maps to a glyph; empty where fontTools cannot read it."""
    try:
        with TTFont(font.path, fontNumber=0, lazy=True) as file:
            return {chr(code) for code in (file.getBestCmap() or {})}
    except Exception:  # a broken font is left out, whatever it is broken by
        return set()


def _han_sample() -> set[str]:
    codes = [bytes((row, cell)) for row in range(0xB0, 0xD0) for cell in range(0xA1, 0xFF)]
    level_1 = [code.decode("euc_jp", "ignore") for code in codes]
    return set([char for char in level_1 if char][::HAN_STEP])


def _wanted(char: str, families: set[str]) -> bool:
    """Letters and digits of living and old scripts in their plain form."""
    if unicodedata.category(char) not in ("Lu", "Ll", "Lo", "Nd") or unicodedata.normalize("NFKC", char) != char:
        return False
    if script_of(char) in SKIPPED_SCRIPTS + HELD_OUT_SCRIPTS:
        return False
    if script_of(char) == "CANADIAN" and ord(char) % CANADIAN_STEP:
        return False
    accented = unicodedata.normalize("NFD", char) != char
    return not accented or len(families) >= MIN_FAMILIES_ACCENTED


def choose(fonts: list[FontFile], rng: np.random.Generator) -> dict[str, list[int]]:
    """For every training character the fonts (positions in `fonts`) to draw it with: one of each family first."""
    by_char: dict[str, list[int]] = defaultdict(list)
    for position, font in enumerate(fonts):
        if not font.held_out:
            for char in characters_of(font):
                by_char[char].append(position)
    han, chosen = _han_sample(), {}
    for char, positions in sorted(by_char.items()):
        families = {fonts[position].family for position in positions}
        if len(positions) < MIN_FONTS or len(families) < MIN_FAMILIES:
            continue
        if not (char in han or _wanted(char, families)):
            continue
        limit = IMAGES_BOOSTED if script_of(char) in BOOSTED_SCRIPTS else IMAGES_PER_CHARACTER
        chosen[char] = _spread_over_families(positions, fonts, rng)[:limit]
    return chosen


def _spread_over_families(positions: list[int], fonts: list[FontFile], rng: np.random.Generator) -> list[int]:
    groups: dict[str, list[int]] = defaultdict(list)
    for position in rng.permutation(positions):
        groups[fonts[position].family].append(int(position))
    ranked = [(turn, order, item) for order, group in enumerate(groups.values()) for turn, item in enumerate(group)]
    return [item for _, _, item in sorted(ranked)]
