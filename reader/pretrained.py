"""Load a checkpoint of any ``...ForQuestionAnswering`` model of transformers that has a fast tokenizer.

The class is the one that ``AutoModelForQuestionAnswering`` chooses. Every weight of it must be in the file:
transformers fills in what is missing at random, and a random head answers too. XLM has a module of its own,
``reader.xlm``.

``reader.json`` beside ``config.json`` may record settings that differ from those derived here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from encoder.compute import choose_compute
from encoder.libraries import first_line, quiet_transformers
from encoder.tokenization import TOKENIZER_FILE, load_tokenizer
from reader.checkpoint import file_sha256
from reader.errors import ReaderError
from reader.reading import FastPieces, XlmReader
from reader.settings import SETTINGS_FILE, ReaderSettings, default_limits, recorded_settings
from reader.weight_files import read_weights, weights_path
from reader.windows import PairFormat
from reader.xlm_settings import CONFIG_FILE, TOKENIZER_CONFIG_FILE, read_json

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedConfig, PreTrainedModel

_HEAD = "qa_outputs"
# Parts of an encoder that files hold and question answering has no use for.
_UNUSED = ("pooler", "position_ids", "token_type_ids")


def load_pretrained_reader(directory: Path, *, device: str = "auto", allow_pickle: bool = False) -> XlmReader:
    """Load a checkpoint directory whose ``config.json`` names another model than XLM.

    Raise ReaderError for a model without a question answering class or with another head than ``qa_outputs``, weights
    that are missing, damaged or a pickle that is not allowed, and a tokenizer that is not fast or builds no pairs.
    """
    from reader.engine import Engine
    from reader.network import PretrainedNetwork

    compute = choose_compute(device)
    source = weights_path(directory, allow_pickle=allow_pickle)
    model = load_model(source, _read_config(directory))
    tokenizer = _load_tokenizer(directory)
    _check_vocabulary(directory, tokenizer, model)
    settings = _settings(directory, model, tokenizer)
    engine = Engine(PretrainedNetwork(model), compute, pad=settings.pair.pad, beams=settings.beams)
    return XlmReader(settings, FastPieces(tokenizer), engine, revision=file_sha256(source)[:12])


def _read_config(directory: Path) -> PreTrainedConfig:
    from transformers import CONFIG_MAPPING, MODEL_FOR_QUESTION_ANSWERING_MAPPING

    raw = read_json(directory / CONFIG_FILE)
    kind = raw.get("model_type")
    if (
        not isinstance(kind, str)
        or kind not in CONFIG_MAPPING
        or CONFIG_MAPPING[kind] not in MODEL_FOR_QUESTION_ANSWERING_MAPPING
    ):
        raise ReaderError(
            f"{directory}: model_type {kind!r} is no question answering model of transformers; "
            "give a checkpoint of one, such as 'bert' or 'xlm-roberta'"
        )
    try:
        config: PreTrainedConfig = CONFIG_MAPPING[kind].from_dict(raw)
    except Exception as error:  # its validation raises classes of its own
        reason = " ".join(str(error).split())[:200]
        raise ReaderError(
            f"{directory / CONFIG_FILE}: no configuration of {kind} ({reason}); restore the file"
        ) from error
    if getattr(config, "is_encoder_decoder", False) or getattr(config, "is_decoder", False):
        raise ReaderError(f"{directory}: a decoder cannot be read; give a bidirectional encoder")
    return config


def load_model(source: Path, config: PreTrainedConfig) -> PreTrainedModel:
    """Build the model in float32 from a weights file; a weight that the file lacks is a ReaderError that names it."""
    import torch
    from transformers import MODEL_FOR_QUESTION_ANSWERING_MAPPING

    state = read_weights(source)
    kind: Any = MODEL_FOR_QUESTION_ANSWERING_MAPPING[type(config)]
    try:
        with quiet_transformers():
            loaded, found = kind.from_pretrained(
                None, config=config, state_dict=state, output_loading_info=True, dtype=torch.float32
            )
    except Exception as error:  # whatever a library says of weights that do not fit, the cure is the same
        reason = " ".join(str(error).split())[:300]
        raise ReaderError(f"the weights in {source} do not fit their configuration: {reason}") from error
    model: PreTrainedModel = loaded
    missing = sorted(set(found["missing_keys"]) | ({f"{_HEAD}.weight", f"{_HEAD}.bias"} - set(state)))
    _check_head(source, model, missing)
    if missing:
        raise ReaderError(f"{source}: {_some(missing)} missing; restore the file")
    unread = [name for name in found["unexpected_keys"] if name.startswith(f"{model.base_model_prefix}.")]
    unread = sorted(name for name in unread if not any(part in name for part in _UNUSED))
    if unread:
        raise ReaderError(f"{source}: transformers has no place for {_some(unread)}; give a checkpoint that it can run")
    return model


def _check_head(source: Path, model: PreTrainedModel, missing: list[str]) -> None:
    from torch import nn

    head = getattr(model, _HEAD, None)
    known = (f"{model.base_model_prefix}.", f"{_HEAD}.")
    others = sorted(name for name, _ in model.named_parameters() if not name.startswith(known))
    if not isinstance(head, nn.Linear) or head.out_features != 2 or others or model.base_model is model:
        raise ReaderError(
            f"{source}: {type(model).__name__} has another head than two rows of {_HEAD} and cannot be read; "
            "give a reader such as a BertForQuestionAnswering"
        )
    lacking = [name for name in missing if name.startswith(f"{_HEAD}.")]
    if lacking:
        raise ReaderError(
            f"{source} has no whole question answering head: {', '.join(lacking)} missing; "
            "give a checkpoint that was fine-tuned for question answering"
        )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _load_tokenizer(directory: Path) -> Tokenizer:
    """Load ``tokenizer.json``, or have transformers make a fast tokenizer of the older files."""
    if (directory / TOKENIZER_FILE).is_file():
        return load_tokenizer(directory)
    from transformers import AutoTokenizer

    cure = f"give a checkpoint with a {TOKENIZER_FILE}"
    try:
        with quiet_transformers():
            made = AutoTokenizer.from_pretrained(
                str(directory), use_fast=True, local_files_only=True, trust_remote_code=False
            )
    except Exception as error:  # one class for each kind of missing file
        raise ReaderError(f"{directory} has no tokenizer that can be loaded ({first_line(error)}): {cure}") from error
    if not made.is_fast:
        raise ReaderError(f"{directory}: {type(made).__name__} is no fast tokenizer: {cure}")
    # Without its files the library makes a tokenizer that knows no word, and says nothing.
    needed = (file for role, file in made.vocab_files_names.items() if role != "tokenizer_file")
    absent = [file for file in needed if not (directory / file).is_file()]
    if absent:
        raise ReaderError(f"{directory} has neither {TOKENIZER_FILE} nor {', '.join(absent)}: {cure}")
    tokenizer: Tokenizer = made.backend_tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _check_vocabulary(directory: Path, tokenizer: Tokenizer, model: PreTrainedModel) -> None:
    # Special tokens of a text are read as unknown ones, so that a mask token without a row does no harm.
    special = {number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    embeddings: Any = model.get_input_embeddings()
    rows = embeddings.num_embeddings
    largest = max((number for number in tokenizer.get_vocab().values() if number not in special), default=0)
    if largest >= rows:
        raise ReaderError(f"{directory}: token id {largest} is beyond vocab_size {rows}; restore the files")


def _settings(directory: Path, model: PreTrainedModel, tokenizer: Tokenizer) -> ReaderSettings:
    types = getattr(model.config, "type_vocab_size", None) or 0
    pair = _pair_format(directory, tokenizer, model.config.pad_token_id or 0, typed=types > 1)
    positions = _positions(model)
    defaults = ReaderSettings(
        name=directory.resolve().name,
        pair=pair,
        limits=default_limits(positions),
        no_answer="null",
    )
    settings = recorded_settings(directory, defaults, positions)
    recorded = directory / SETTINGS_FILE
    if settings.no_answer == "class":
        raise ReaderError(f"{directory}: no_answer is 'class', but this head has no answer class; record 'null'")
    if settings.languages is not None:
        raise ReaderError(f"{recorded}: languages are recorded, but the model has no language embeddings; drop them")
    if max(settings.pair.token_types, default=-1) >= types:
        raise ReaderError(f"{recorded}: token_types are recorded, but the model has {types} token types; drop them")
    return settings


def _positions(model: PreTrainedModel) -> int | None:
    """Return how many tokens the model can tell the places of; None is any number."""
    most = getattr(model.config, "max_position_embeddings", None)
    if not isinstance(most, int) or most < 1:
        return None
    # RoBERTa counts positions from behind its padding token's id.
    table = getattr(getattr(model.base_model, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    return most if padding is None else most - padding - 1


def _pair_format(directory: Path, tokenizer: Tokenizer, pad: int, *, typed: bool) -> PairFormat:
    """Read the special tokens of a pair off one that the tokenizer builds, as it did in training."""
    pair = tokenizer.encode("a", "a")
    places: dict[int | None, list[int]] = {0: [], 1: []}
    for place, sequence in enumerate(pair.sequence_ids):
        places.setdefault(sequence, []).append(place)
    if not places[0] or not places[1] or places[0][0] == 0 or places[0][-1] + 1 == places[1][0]:
        raise ReaderError(
            f"{directory}: its tokenizer does not put a CLS token first and a separator between question and passage; "
            f"give a checkpoint whose {TOKENIZER_FILE} does"
        )
    between = tuple(pair.ids[places[0][-1] + 1 : places[1][0]])
    types = (pair.type_ids[places[0][0]], pair.type_ids[places[1][0]])
    return PairFormat(
        opening=tuple(pair.ids[: places[0][0]]),
        between=between,
        after_title=between[-1:],
        closing=tuple(pair.ids[places[1][-1] + 1 :]),
        pad=pad,
        cls_position=0,
        token_types=types if typed and any(types) and _shows_types(directory) else (),
    )


def _shows_types(directory: Path) -> bool:
    path = directory / TOKENIZER_CONFIG_FILE
    names = read_json(path).get("model_input_names") if path.is_file() else None
    return names is None or "token_type_ids" in names
