"""From raw scores to the probability that an answer is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A logistic regression on span score, no-answer score and retrieval margin.

    p = 1 / (1 + exp(-(bias + span * span_score - no_answer * no_answer_score + retrieval * retrieval_margin))).
    The margin is how far a passage's retrieval score stands above the mean of those found with it, in their standard
    deviations. ``given`` is the margin that a passage counts with which was given and not retrieved. ``threshold`` is
    the probability from which on an answer is given. Platt, "Probabilistic outputs for support vector machines", 1999.
    """

    bias: float
    span: float
    no_answer: float
    retrieval: float
    given: float
    threshold: float

    def probability(
        self,
        span_score: npt.ArrayLike,
        no_answer_score: npt.ArrayLike,
        retrieval_margin: npt.ArrayLike,
    ) -> Floats:
        """Return the probability that an answer is right, elementwise; empty input gives empty output.

        A margin that is NaN stands for a passage that was given and not retrieved.
        """
        margin = np.asarray(retrieval_margin, dtype=np.float64)
        logit: Floats = (
            self.bias
            + self.span * np.asarray(span_score, dtype=np.float64)
            - self.no_answer * np.asarray(no_answer_score, dtype=np.float64)
            + self.retrieval * np.where(np.isnan(margin), self.given, margin)
        )
        # Beyond +-60 the value is 0 or 1 to double precision, and exp would overflow.
        return 1.0 / (1.0 + np.exp(-np.clip(logit, -60.0, 60.0)))

    def as_dict(self) -> dict[str, float]:
        """Return the settings as they are kept in the reader's JSON file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Calibration:
        """Read what ``as_dict`` wrote; raise TypeError or ValueError for anything else."""
        return cls(**{name: float(value) for name, value in settings.items()})


UNFITTED = Calibration(bias=0.0, span=0.5, no_answer=0.5, retrieval=0.0, given=0.0, threshold=0.5)
"""For checkpoints that bring no calibration: the order is that of the scores, the values mean nothing more."""


def fit_calibration(
    features: Floats, right: npt.NDArray[np.bool_], *, threshold: float, ridge: float = 1.0
) -> Calibration:
    """Fit by maximum likelihood on (n, 3) span scores, no-answer scores and margins, and whether each answer was right.

    ``given`` becomes the mean margin of the right answers. Newton's method on standardised features with an
    L2 penalty ``ridge`` on the weights (not on the bias).
    """
    mean, deviation = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-9)
    design = np.column_stack((np.ones(len(features)), (features - mean) / deviation))
    penalty = ridge * np.diag([0.0, 1.0, 1.0, 1.0])
    weights = np.zeros(4)
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -60.0, 60.0)))
        gradient = design.T @ (p - right) + penalty @ weights
        hessian = (design * (p * (1 - p))[:, None]).T @ design + penalty + 1e-9 * np.eye(4)
        step = np.linalg.solve(hessian, gradient)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    slopes = weights[1:] / deviation
    return Calibration(
        bias=float(weights[0] - slopes @ mean),
        span=float(slopes[0]),
        no_answer=float(-slopes[1]),
        retrieval=float(slopes[2]),
        given=float(features[right, 2].mean()) if right.any() else float(mean[2]),
        threshold=threshold,
    )
