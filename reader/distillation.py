"""Learn from another reader's logits beside the expected answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from reader.network import ReaderNetwork


@dataclass(frozen=True, slots=True)
class Distillation:
    """A frozen teacher, the temperature of both networks' logits, and ``alpha``, the teacher's share of the loss.

    Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015.
    """

    teacher: ReaderNetwork
    temperature: float
    alpha: float

    def mix(self, hard: Tensor, student: Sequence[Tensor], taught: Sequence[Tensor]) -> Tensor:
        """Return ``(1 - alpha) * hard + alpha * soft``, all (3,): the losses of starts, ends and classes.

        ``student`` and ``taught`` are the start logits (batch, length), end logits (batch, length) and class logits
        (batch,) of the two.
        """
        soft = torch.stack(
            (
                soft_loss(student[0], taught[0], self.temperature),
                soft_loss(student[1], taught[1], self.temperature),
                soft_loss(_two_classes(student[2]), _two_classes(taught[2]), self.temperature),
            )
        )
        return (1 - self.alpha) * hard + self.alpha * soft


def soft_loss(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Return the mean divergence (Kullback-Leibler) of two distributions over the last axis of logits (batch, n).

    It is multiplied by the square of the temperature, so that its gradients keep their size; 0 for equal logits.
    """
    return temperature**2 * nn.functional.kl_div(
        nn.functional.log_softmax(student / temperature, dim=-1),
        nn.functional.log_softmax(teacher / temperature, dim=-1),
        reduction="batchmean",
        log_target=True,
    )


def _two_classes(logits: Tensor) -> Tensor:
    return torch.stack((torch.zeros_like(logits), logits), dim=-1)
