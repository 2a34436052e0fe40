import numpy as np
import pytest

from reader.calibration import Calibration, fit_calibration

BY_HAND = Calibration(bias=-1.0, span=0.5, no_answer=0.25, retrieval=2.0, given=0.75, threshold=0.5)


def test_the_probability_by_hand() -> None:
    # -1 + 0.5 * 4 - 0.25 * 2 + 2 * 0.75 = 2, and 1 / (1 + exp(-2)) = 0.880797
    assert BY_HAND.probability(4.0, 2.0, 0.75) == pytest.approx(0.880797, abs=1e-6)


def test_a_given_passage_counts_with_its_own_score() -> None:
    assert BY_HAND.probability(4.0, 2.0, float("nan")) == pytest.approx(0.880797, abs=1e-6)


def test_arrays_keep_their_shape_and_nothing_stays_nothing() -> None:
    assert BY_HAND.probability([4.0, -100.0], [2.0, 0.0], [0.75, 0.0]).shape == (2,)
    assert BY_HAND.probability([], [], []).shape == (0,)


def test_extreme_scores_end_at_0_and_1_without_a_warning() -> None:
    assert BY_HAND.probability([1e6, -1e6], 0.0, 0.0).tolist() == pytest.approx([1.0, 0.0], abs=1e-12)


def test_the_fit_finds_the_weights_that_made_the_data() -> None:
    drawn = np.random.default_rng(3)
    features = drawn.normal(size=(20_000, 3)) * [4.0, 2.0, 0.1] + [5.0, 0.0, 0.8]
    right = drawn.random(20_000) < BY_HAND.probability(*features.T)
    fitted = fit_calibration(features, right, threshold=0.4)
    assert fitted.span == pytest.approx(0.5, abs=0.03)
    assert fitted.no_answer == pytest.approx(0.25, abs=0.03)
    assert fitted.retrieval == pytest.approx(2.0, abs=0.5)
    assert fitted.threshold == 0.4
    assert fitted.given == pytest.approx(features[right, 2].mean())
    assert fitted.probability(*features.T).mean() == pytest.approx(right.mean(), abs=1e-3)


def test_perfectly_separable_data_give_finite_weights() -> None:
    features = np.array([[10.0, 0.0, 0.9], [9.0, 0.0, 0.9], [-9.0, 0.0, 0.9], [-10.0, 0.0, 0.9]])
    fitted = fit_calibration(features, np.array([True, True, False, False]), threshold=0.5)
    assert np.isfinite(list(fitted.as_dict().values())).all()
    assert fitted.probability(*features.T).round().tolist() == [1, 1, 0, 0]


def test_settings_survive_their_json_form() -> None:
    assert Calibration.from_dict(BY_HAND.as_dict()) == BY_HAND
    with pytest.raises(TypeError):
        Calibration.from_dict({"bias": 1.0, "slope": 2.0})
