from pathlib import Path

import pytest

from encoder import base_model_directory


@pytest.fixture(scope="session")
def base_directory() -> Path:
    return base_model_directory()
