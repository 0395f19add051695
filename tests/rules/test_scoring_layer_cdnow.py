"""The layer on real purchases: 23,570 customers of CDNOW."""

from __future__ import annotations

import functools

import msgspec
import numpy as np
import pytest

from chalicelib.scoring.closed_form import Layer
from chalicelib.scoring.report import build
from chalicelib.scoring.rules.history import Purchases, members_on
from chalicelib.scoring.rules.night import fits, learned
from chalicelib.scoring.rules.outcomes import Economy
from chalicelib.scoring.rules.scoring import score
from tests.scoring import cdnow_purchases

NONE = Layer()


@functools.cache
def cdnow() -> Purchases:
    return cdnow_purchases(whole=True)


def cdnow_learned(day: int, last: Layer = NONE) -> Layer:
    purchases = cdnow()
    until = int(purchases.day.min()) + day
    early, then = (members_on(purchases, until - ago) for ago in (182, 91))
    return learned("mbg-nbd", early, then, purchases, last).layers.now


def test_in_cdnows_second_year_it_is_used_for_the_chance_and_not_for_the_number() -> None:
    found = cdnow_learned(454)
    assert found.refused == ()
    assert found.brier is not None
    assert found.auc is not None
    assert (round(found.brier.model, 4), round(found.auc.model, 3)) == (0.1057, 0.796)
    assert found.brier.layer < 0.1050
    assert found.auc.layer > 0.800
    assert set(found.number_refused) == {"not_better", "errors_larger"}


def test_while_cdnows_members_have_only_just_come_the_model_stands_alone() -> None:
    found = cdnow_learned(272)
    assert found.refused == ("not_better",)
    assert found.chance == ()


def test_the_fit_and_what_nobody_can_see_are_the_models_alone() -> None:
    purchases = cdnow()
    until = int(purchases.day.min()) + 454
    rows = build.Rows(
        names=tuple(f"{place:05}" for place in range(purchases.members)),
        member=purchases.member,
        day=purchases.day,
        amount=purchases.value,
    )
    found = build.assessed(rows, until, "mbg-nbd", Economy())
    report = build.report(rows, found, source="cdnow", until=until)
    assert report.layer is not None
    assert report.layer.brier is not None
    assert report.prediction is not None
    # The prediction of 91 days ago is told with the layer that could have been used then.
    assert report.prediction.brier == pytest.approx(report.layer.brier.layer, abs=1e-12)
    assert report.model.parameters == fits("mbg-nbd", found.now.members)[0].named()
    alone = score(msgspec.structs.replace(found.now.standing, layer=NONE), found.now.members)[0]
    for name in ("active", "overdue", "value_12", "basket", "expected", "percentile"):
        assert (getattr(alone, name) == getattr(found.now.scores, name)).all(), name
    assert float(np.abs(alone.churn - found.now.scores.churn).max()) > 0.01
