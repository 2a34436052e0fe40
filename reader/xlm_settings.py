"""Settings of a transformers XLM checkpoint: from its own files, from ``reader.json`` beside them, and by default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from reader.errors import ReaderError
from reader.languages import LanguageIds
from reader.settings import SETTINGS_FILE, ReaderSettings, default_limits, recorded_settings
from reader.windows import PairFormat

if TYPE_CHECKING:
    from transformers import XLMConfig

CONFIG_FILE = "config.json"
TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
PairName = Literal["current", "2020"]
_SPECIAL = {"bos_token": "<s>", "sep_token": "</s>", "cls_token": "</s>", "pad_token": "<pad>"}


def uses_languages(config: XLMConfig) -> bool:
    """Tell whether the encoder adds a language embedding to every token."""
    return bool(config.n_langs > 1 and config.use_lang_emb)


def special_token_names(directory: Path) -> dict[str, str]:
    """Return the checkpoint's bos, sep, cls and pad tokens by role; XLM's own where the tokenizer does not say."""
    told = {role: name for role, name in _tokenizer_config(directory).items() if role in _SPECIAL and name is not None}
    return _SPECIAL | {role: str(name["content"] if isinstance(name, dict) else name) for role, name in told.items()}


def xlm_settings(
    directory: Path, config: XLMConfig, special: Mapping[str, int], pair: PairName | None
) -> ReaderSettings:
    """Return the settings of a checkpoint; ``special`` are the ids of the special tokens by role."""
    formats = _pair_formats(special)
    if pair is not None and pair not in formats:
        raise ReaderError(f"pair format {pair!r} is not known: choose one of {', '.join(formats)}")
    settings = ReaderSettings(
        name=directory.resolve().name,
        pair=formats["current"],
        limits=default_limits(config.max_position_embeddings),
        no_answer="null",  # answer_class stays random where no question was unanswerable in training
        languages=_language_ids(directory, config),
    )
    settings = recorded_settings(directory, settings, config.max_position_embeddings)
    recorded = directory / SETTINGS_FILE
    if settings.pair.token_types:
        raise ReaderError(f"{recorded}: token_types are recorded, but XLM has none; drop them")
    if settings.languages is not None and not uses_languages(config):
        raise ReaderError(f"{recorded}: languages are recorded, but the model has no language embeddings; drop them")
    return settings if pair is None else replace(settings, pair=formats[pair])


def _pair_formats(special: Mapping[str, int]) -> dict[str, PairFormat]:
    """Return the two ways in which transformers has built pairs; CLS is where the squad scripts first met its id."""
    bos, sep, cls, pad = (special[f"{role}_token"] for role in ("bos", "sep", "cls", "pad"))
    current = PairFormat(
        opening=(bos,),
        between=(sep,),
        after_title=(sep,),
        closing=(sep,),
        pad=pad,
        cls_position=0 if bos == cls else None,
    )
    return {"current": current, "2020": replace(current, opening=(cls,), cls_position=0)}


def _language_ids(directory: Path, config: XLMConfig) -> LanguageIds | None:
    if not uses_languages(config):
        return None
    table = read_json(directory / CONFIG_FILE).get("lang2id")
    if table is None:
        table = _tokenizer_config(directory).get("lang2id")
    ids = {str(code).lower(): int(number) for code, number in ({} if table is None else table).items()}
    outside = sorted(code for code, number in ids.items() if not 0 <= number < config.n_langs)
    if outside:
        raise ReaderError(f"{directory}: lang2id of {', '.join(outside)} is not below n_langs {config.n_langs}")
    return LanguageIds(ids=ids, fallback=config.lang_id if 0 <= config.lang_id < config.n_langs else 0)


def _tokenizer_config(directory: Path) -> dict[str, Any]:
    path = directory / TOKENIZER_CONFIG_FILE
    return read_json(path) if path.is_file() else {}


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; anything else is a ReaderError that names the file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReaderError(f"{path} cannot be read ({error}); restore the file") from error
    if not isinstance(content, dict):
        raise ReaderError(f"{path} does not hold a JSON object; restore the file")
    return content
