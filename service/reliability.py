"""How far probabilities can be trusted: pure figures over (n,) probabilities and whether each answer was right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """One equal-width bin of probabilities: how many fell into it, their mean, and the share that was right."""

    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskCoverage:
    """The share of wrong answers (``risk``) among the surest answers, by the share that is given (``coverage``).

    Both are (n,), for 1 to n answers given; ``area`` is the mean risk. Geifman and El-Yaniv, "Selective classification
    for deep neural networks", 2017.
    """

    coverage: Floats
    risk: Floats
    area: float


def reliability_bins(p: Floats, right: Booleans, bins: int = 10) -> list[Reliability]:
    """Return the bins that are not empty, lowest first; no probabilities give no bins."""
    places = np.minimum((p * bins).astype(int), bins - 1)
    return [
        Reliability(
            count=int((places == place).sum()),
            confidence=float(p[places == place].mean()),
            accuracy=float(right[places == place].mean()),
        )
        for place in sorted(set(places.tolist()))
    ]


def expected_calibration_error(p: Floats, right: Booleans, bins: int = 10) -> float:
    """Return the mean gap of confidence and accuracy over equal-width bins, weighted by size (Guo et al., 2017)."""
    gaps = [abs(bin.confidence - bin.accuracy) * bin.count for bin in reliability_bins(p, right, bins)]
    return sum(gaps) / len(p) if len(p) else 0.0


def area_under_roc(positive: Floats, negative: Floats) -> float:
    """Return the probability that a positive score is above a negative one, ties counting half (Mann and Whitney).

    Without scores of one of the two kinds it is NaN.
    """
    if not len(positive) or not len(negative):
        return float("nan")
    difference = positive[:, None] - negative[None, :]
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())


def risk_coverage(p: Floats, right: Booleans) -> RiskCoverage:
    """Return the risk at every coverage, the surest answer first, equal ones in their order; nothing gives area 0."""
    wrong = ~right[np.argsort(-p, kind="stable")]
    given = np.arange(1, len(p) + 1)
    risk = np.cumsum(wrong) / given
    return RiskCoverage(coverage=given / max(1, len(p)), risk=risk, area=float(risk.mean()) if len(p) else 0.0)
