"""The transformer that indexer and reader share: base weights, tokenizer, XLM layout, device, batches."""

from encoder.base import BASE_NAME, base_model_directory
from encoder.batching import token_budget_batches
from encoder.compute import Compute, choose_compute
from encoder.errors import ModelError
from encoder.home import home_directory
from encoder.tokenization import load_tokenizer, token_offsets
from encoder.transplant import bert_to_xlm, xlm_to_bert

__all__ = [
    "BASE_NAME",
    "Compute",
    "ModelError",
    "base_model_directory",
    "bert_to_xlm",
    "choose_compute",
    "home_directory",
    "load_tokenizer",
    "token_budget_batches",
    "token_offsets",
    "xlm_to_bert",
]
