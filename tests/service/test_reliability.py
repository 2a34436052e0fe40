"""The figures of a calibration, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from service.reliability import (
    Reliability,
    area_under_roc,
    expected_calibration_error,
    reliability_bins,
    risk_coverage,
)

NOTHING = np.array([]), np.array([], dtype=bool)


def test_the_calibration_error_by_hand() -> None:
    # Bin 0.2 to 0.3 holds two answers, one right: |0.25 - 0.5|; bin 0.9 to 1 two right ones: |0.95 - 1|.
    p = np.array([0.2, 0.3 - 1e-9, 0.9, 1.0])
    right = np.array([True, False, True, True])
    assert expected_calibration_error(p, right) == pytest.approx((2 * 0.25 + 2 * 0.05) / 4)
    assert expected_calibration_error(np.array([]), np.array([], dtype=bool)) == 0.0


def test_the_area_under_the_curve_by_hand() -> None:
    # Of six pairs 0.9 beats three, 0.4 beats one and ties with one.
    assert area_under_roc(np.array([0.9, 0.4]), np.array([0.1, 0.4, 0.6])) == pytest.approx(4.5 / 6)
    assert math.isnan(area_under_roc(np.array([]), np.array([0.5])))


def test_bins_hold_what_falls_into_them() -> None:
    bins = reliability_bins(np.array([0.25, 0.05, 0.27, 1.0]), np.array([True, False, False, True]))
    assert bins == [
        Reliability(count=1, confidence=0.05, accuracy=0.0),
        Reliability(count=2, confidence=0.26, accuracy=0.5),
        Reliability(count=1, confidence=1.0, accuracy=1.0),
    ]
    assert reliability_bins(*NOTHING) == []


def test_the_risk_of_the_surest_answers_by_hand() -> None:
    # By falling probability: right, wrong, right, wrong.
    curve = risk_coverage(np.array([0.2, 0.9, 0.5, 0.7]), np.array([False, True, True, False]))
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.risk.tolist() == pytest.approx([0.0, 1 / 2, 1 / 3, 2 / 4])
    assert curve.area == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4) / 4)
    assert risk_coverage(*NOTHING).area == 0.0
