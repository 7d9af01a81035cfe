"""Whole runs of problems with integrals."""

from tests.runs.small import QUICK, solved

VOLTERRA = {
    "coordinates": {"t": [0, 2]},
    "fields": ["v"],
    "equations": {"memory": "v_t + v = integral(exp(s - t)*v(t=s), s, 0, t)"},
    "conditions": {"start": {"at": "t = 0", "equations": "v = 1"}},
    "exact": {"v": "exp(-t)*cosh(t)"},
}
TEXT = "integral(v(t=s)*exp(s - t), s, 0, t)"


def test_an_integro_differential_equation_is_solved_and_its_quadrature_told(tmp_path):
    metrics = solved(tmp_path, VOLTERRA, {**QUICK, "trainer": {"max_steps": 50}}).metrics
    assert metrics["relative_l2"]["v"] < 3e-2
    assert metrics["quadrature"].keys() == {TEXT}
    assert metrics["quadrature"][TEXT] < 1e-12
    assert (
        f"quadrature: {TEXT}: 20 nodes of Gauss and Legendre's rule, at each point"
        in (tmp_path / "train.log").read_text()
    )


def test_too_few_nodes_for_the_trained_fields_are_told_after_training(tmp_path):
    words = {**VOLTERRA, "quadrature": 2, "exact": {}}
    metrics = solved(tmp_path, words, {**QUICK, "trainer": {"max_steps": 5}}).metrics
    assert metrics["quadrature"][TEXT] > 1e-6
    told = (tmp_path / "train.log").read_text()
    assert "is off by about" in told
    assert "for the trained fields" in told
