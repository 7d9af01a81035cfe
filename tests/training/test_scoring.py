"""Sizes of residuals at points."""

import pytest
import torch

from tests.conftest import assembled


@pytest.mark.parametrize(("scored", "chunk"), [(7, None), (7, 100), (8192, 7)])
def test_the_score_of_a_group_is_the_root_of_its_weighted_squares(scored, chunk, heat_words, monkeypatch):
    heat_words["conditions"]["ends"] |= {"equations": ["u_n = 1", "u = 0"], "weight": 4}
    settings = {"sampling": {"equations": 100, "conditions": 30}, "operators": {"chunk": chunk}}
    module, batches = assembled(heat_words, settings)
    monkeypatch.setattr("pinnkit.training.diagnostics.SCORED", scored)
    residuals = module.values.residuals
    for name, batch in batches.items():
        weights = {"heat": 1.0, "initial": 1.0, "ends_1": 4.0, "ends_2": 4.0}
        squares = [weights[term] * r.square() for term, r in residuals(name, batch).items()]
        sizes = []

        def watched(group, part, sizes=sizes):
            sizes.append(len(part))
            return residuals(group, part)

        monkeypatch.setattr(module.values, "residuals", watched)
        torch.testing.assert_close(module.score(name, batch), sum(squares).sqrt()[:, 0])
        assert max(sizes) == 7
