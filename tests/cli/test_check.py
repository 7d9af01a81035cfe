from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pinnkit.cli.check import check
from pinnkit.runs.shipped import problems

CONF = Path(__file__).resolve().parents[2] / "conf"
SHIPPED = (
    "burgers_inverse",
    "gradient_matching",
    "heat_family",
    "kovasznay",
    "oscillator",
    "poisson_l_shape",
    "volterra",
)


def config_of(name: str) -> dict:
    return yaml.safe_load(problems()[name].read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_problem_is_told_in_mathematics_and_passes(name, conf, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = check([f"pde={name}"], conf)
    out, err = capsys.readouterr()
    words = config_of(name)
    assert (code, err) == (0, "")
    assert out.startswith(f"{name}: {words['description']}\n")
    assert out.endswith("every check passed; nothing was trained\n")
    lines = [line.split() for line in out.splitlines()]
    for field in words["fields"]:
        assert any(line[0] == "field" and line[1].startswith(f"{field}(") for line in lines)
    for parameter in words.get("parameters", {}):
        assert ["parameter", parameter] in [line[:2] for line in lines]
    for equation in words.get("equations", {}):
        assert [equation, "0", "="] in [line[:3] for line in lines]
    assert sum("exact" in line[:1] for line in lines) == len(words.get("exact", {}))
    assert not list(tmp_path.iterdir())


def test_the_mathematics_is_told_as_understood(conf, capsys):
    assert check(["pde=heat", "sampling.equations=777"], conf) == 0
    assert capsys.readouterr().out.splitlines() == [
        "heat: A rod that cools with its ends kept at zero.",
        "  domain      x in [-1, 1], t in [0, 1]",
        "  field       u(x, t)",
        "  parameter   alpha = 0.1",
        "  heat        0 = -alpha*u_xx + u_t   at 777 points inside",
        "  initial     0 = u - sin(pi*x)   at x in [-1, 1], t = 0, weight 10",
        "  ends        0 = u   at x = -1, t in [0, 1] and x = 1, t in [0, 1], weight 10",
        "  exact       u = exp(-pi**2*alpha*t)*sin(pi*x)",
        "every check passed; nothing was trained",
    ]


def test_warnings_are_counted_behind_the_checks(write, conf, capsys):
    text = "coordinates: {x: [0, 1]}\nfields: [u]\nequations: u_xx = 1\n"
    assert check(write(text + "conditions: {left: {at: x = 0, equations: u = 0}}\n"), conf) == 0
    out, err = capsys.readouterr()
    assert (
        err == "warning: conditions: u has order 2 in x but 1 condition at the ends of x: the solution is not unique\n"
    )
    assert out.splitlines()[-1] == "every check passed, with 1 warning; nothing was trained"


def test_parameters_have_their_units(write, conf, capsys):
    text = "coordinates: {t: [0, 1]}\nfields: [u]\nparameters: {k: 2}\nequations: u_t = -k*u\nunits: {k: 1/s}\n"
    assert check(write(text + "conditions: {start: {at: t = 0, equations: u = 1}}\n"), conf) == 0
    assert "  parameter   k = 2 1/s" in capsys.readouterr().out.splitlines()


def test_the_scale_of_a_field_is_told_where_it_is_not_one(write, conf, capsys):
    text = "coordinates: {t: [0, 1]}\nfields: [u, v]\nequations: [u_t = -u, v_t = u]\n"
    text += "conditions: {start: {at: t = 0, equations: [u = 1000, v = 1]}}\n"
    assert check(write(text), conf) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  field       u(t), network output scaled by 1024" in lines
    assert "  field       v(t)" in lines


def test_data_learned_parameters_periods_and_inequalities_are_told(write, conf, capsys):
    text = """\
coordinates: {x: [0, 1], t: [0, 1]}
fields: {u: [x, t], k: {coordinates: [x], min: 0.1, max: 10}}
parameters: {c: {learn: 2, positive: true}, d: {learn: 1, max: 3}}
equations: {advection: u_t + c*u_x = 0, other: k*u_x = d}
conditions:
  start: {at: t = 0, where: x > 0.5, equations: u = 1, weight: 5}
  samples: {data: rows.csv, weight: 2.5}
  alike: {at: t = 1, equations: {equation: u = 1, weight: 1.0 + x}, weight: 1.0}
  plain: {at: t = 1, equations: u = 1, weight: 1.0}
periodic: [x]
transform: {u: softplus}
reference: rows.csv
"""
    assert check(write(text, **{"rows.csv": "x,t,u\n0,0,1\n1,1,1\n"}), conf) == 0
    out = capsys.readouterr().out
    for part in (
        "mine\n",
        "x in [0, 1], t in [0, 1], periodic in x",
        ", through softplus\n",
        "k(x), kept between 0.1 and 10",
        "c learned, from 2, kept positive",
        "d learned, from 1, kept below 3",
        "at x in [0, 1], t = 0 where x > 0.5, weight 5",
        "at the 2 rows of rows.csv, weight 2.5\n",
        "t = 1, weight x + 1.0\n",
        "t = 1\n",
        "reference   rows.csv",
    ):
        assert part in out


def test_mistakes_are_answered_as_by_train(write, conf, capsys):
    assert check(["pde=heat", "network.activation=relu", "network.width=0"], conf) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "network.width: 0: at least 1 is needed" in err
    assert "equations.heat: needs u_xx" in err


def test_a_flag_that_means_nothing_here_is_refused(conf, capsys):
    for flag in ("--info", "--cfg", "-m"):
        assert check([flag, "pde=heat"], conf) == 2
        assert "write pde=NAME and settings" in capsys.readouterr().err


DRIVER = """
import contextlib, io, json, sys
from pathlib import Path
from pinnkit.cli.check import check
with contextlib.redirect_stdout(io.StringIO()):
    codes = [check([f"pde={name}"], Path(sys.argv[1])) for name in sys.argv[2:]]
print(json.dumps([codes, [name for name in ("torch", "lightning", "matplotlib") if name in sys.modules]]))
"""


def test_checking_trains_nothing_and_loads_no_torch(conf, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(conf), "heat", "heat_inverse", "helmholtz_2d", "lotka_volterra"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == [[0] * 4, []]
    assert not list(tmp_path.iterdir())


def test_the_script(tmp_path):
    root = CONF.parent
    done = subprocess.run(
        [sys.executable, str(root / "scripts" / "check.py"), "pde=wave"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 = -c**2*u_xx + u_tt" in done.stdout


def test_a_domain_of_shapes_is_told_by_its_expression_and_measures(tmp_path, conf, capsys):
    path = tmp_path / "plate.yaml"
    path.write_text(
        "coordinates: {x: [-1, 1], y: [-1, 1]}\n"
        "shapes: {hole: {box: {lower: [0, -1], upper: [1, 0]}}, part: {disk: {center: [-0.5, 0], radius: 0.25}}}\n"
        "domain: box - hole\nfields: [u]\nequations: laplacian(u) = 1\n"
        "conditions: {edge: {at: boundary, equations: u = 0}, ring: {at: part, equations: u = 0.1}}\n"
    )
    assert check([str(path)], conf) == 0
    told = capsys.readouterr().out
    assert "domain      (x, y) in box - hole, of measure 3\n" in told
    assert "region      part: (x, y) in part & (box - hole), of measure 0.19635\n" in told
    assert "at x = -1, y in [-1, 1] and x = 1, y in [0, 1] and x in [-1, 0], y = -1 and" in told
    assert "(x, y) on the circle of radius 0.25 about (-0.5, 0)\n" in told


def test_hard_conditions_are_told(write, conf, capsys):
    text = """\
coordinates: {x: [0, 1], t: [0, 1]}
fields: [u]
equations: {heat: u_t = u_xx}
conditions:
  start: {at: t = 0, equations: u = x, hard: true}
  left: {at: x = 0, equations: u = 0, hard: true}
  right: {at: x = 1, equations: u = 1}
"""
    assert check(write(text), conf) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines["start"].endswith(", exact by construction")
    assert lines["left"].endswith(", exact by construction")
    assert "exact by construction" not in lines["right"]
    assert check(write(text.replace("u = x", "u = 1 + x")), conf) == 2
    told = capsys.readouterr().err
    assert "conditions.left.hard: gives u = 0 at x = 0, t = 0, where the hard condition 'start' gives 1" in told
