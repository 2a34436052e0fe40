import torch

from reader.quantization import dequantize, quantize


def test_a_matrix_by_hand() -> None:
    packed = quantize({"w": torch.tensor([[1.27, -0.5, 0.014], [0.0, 0.0, 0.0]]), "b": torch.tensor([0.3])})
    assert packed["w"].tolist() == [[127, -50, 1], [0, 0, 0]]
    assert packed["w"].dtype == torch.int8
    torch.testing.assert_close(packed["w.scale"], torch.tensor([0.01, 0.0]))
    back = dequantize(packed)
    assert sorted(back) == ["b", "w"]
    torch.testing.assert_close(back["w"], torch.tensor([[1.27, -0.5, 0.01], [0.0, 0.0, 0.0]]))
    assert back["b"].tolist() == [torch.tensor(0.3).item()]


def test_no_weight_is_off_by_more_than_half_a_step() -> None:
    weights = torch.randn(64, 96, generator=torch.Generator().manual_seed(3))
    packed = quantize({"w": weights})
    off = (dequantize(packed)["w"] - weights).abs()
    assert (off <= packed["w.scale"].unsqueeze(1) * 0.5001).all()


def test_weights_that_were_never_packed_are_converted() -> None:
    back = dequantize({"w": torch.ones(2, 2, dtype=torch.bfloat16)})
    assert back["w"].dtype == torch.float32
    assert back["w"].tolist() == [[1.0, 1.0], [1.0, 1.0]]
