"""Every mistake is answered at once: exit code 2, the key, the place, the rule, what would have been right."""

from __future__ import annotations

import json
import math
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from pinnkit.cli import checks
from pinnkit.cli.check import check
from pinnkit.cli.compare import compare
from pinnkit.cli.train import train
from pinnkit.reporting.compare import Comparison

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 10.0
"""Seconds of processor time; an answer takes about one."""

HEAT = """\
description: A rod that cools.
coordinates: {x: [-1, 1], t: [0, 1]}
fields: [u]
parameters: {alpha: 0.1}
equations:
  heat: u_t = alpha * u_xx
conditions:
  initial: {at: t = 0, equations: u = sin(pi*x)}
  ends: {at: [x = -1, x = 1], equations: u = 0}
exact: {u: exp(-alpha*pi^2*t) * sin(pi*x)}
"""
RIGHT = "u_t = alpha * u_xx"
SAMPLES = "  samples: {data: samples.csv, equations: u = u_data}\n"
HOSTILE = "TRACE"
"""Stands for the path of a file that hostile text would create."""


def heat(old: str = "", new: str = "") -> str:
    assert old in HEAT
    return HEAT.replace(old, new)


def with_samples(rows: str | None) -> tuple[str, dict[str, str]]:
    return heat("exact:", f"{SAMPLES}exact:"), {} if rows is None else {"samples.csv": rows}


CASES: dict[str, tuple[str, list[str], tuple[str, ...]]] = {
    # the text of the problem file, further words of the command line, what the message holds
    "unknown name": (
        heat(RIGHT, "u_t = alhpa * u_xx"),
        [],
        ("equations.heat: unknown name 'alhpa'; did you mean 'alpha'?", "\n    u_t = alhpa * u_xx\n          ^"),
    ),
    "unbalanced parenthesis": (
        heat(RIGHT, "u_t = alpha * (u_xx"),
        [],
        ("equations.heat: this '(' is never closed", "\n    u_t = alpha * (u_xx\n                  ^"),
    ),
    "no such coordinate": (
        heat(RIGHT, "u_t = alpha * u_yy"),
        [],
        ("equations.heat: 'u_yy': there is no coordinate y; coordinates are x, t", "\n                  ^"),
    ),
    "no equations": (
        heat(f"equations:\n  heat: {RIGHT}\n"),
        [],
        ("equations: are missing: they may be left out only where a condition has data",),
    ),
    "exact misses the equation": (
        heat("exp(-alpha*pi^2*t)", "exp(-t)"),
        [],
        ("exact: does not satisfy the equation 'heat': the residual is 0.01", "(equations.heat)"),
    ),
    "exact misses a condition": (
        heat("exp(-alpha*pi^2*t) *", "exp(-alpha*pi^2*t) * 1.5 *"),
        [],
        ("exact: does not satisfy the condition 'initial': the residual is 0.", "t = 0"),
    ),
    "place outside the domain": (
        heat("x = 1]", "x = 5]"),
        [],
        ("conditions.ends.at: x = 5 lies outside the domain [-1, 1]",),
    ),
    "range upside down": (
        heat("x: [-1, 1]", "x: [1, 0]"),
        [],
        ("coordinates.x: the range [1, 0] is empty: the lower end comes first",),
    ),
    "misspelt word": (
        heat("conditions:", "condition:"),
        [],
        ("condition: unknown key 'condition'; did you mean 'conditions'?",),
    ),
    "misspelt setting": (HEAT, ["network.wdith=20"], ("network.wdith: unknown key 'wdith'; did you mean 'width'?",)),
    "misspelt group": (HEAT, ["netwrk=mlp"], ("netwrk: unknown key 'netwrk'; did you mean 'network'?",)),
    "misspelt optimizer": (HEAT, ["optimizer=adm"], ("optimizer: there is no 'adm'; did you mean 'adam'?",)),
    "misspelt problem": (HEAT, ["pde=haet"], ("pde: there is no 'haet'; did you mean 'heat'?",)),
    "misspelt own problem": (HEAT, ["pde=mien"], ("pde: there is no 'mien'; did you mean 'mine'?",)),
    "misspelt term": (
        HEAT,
        ["weighting.weights.endds=10"],
        ("weighting.weights.endds: there is no term 'endds'; did you mean 'ends'?",),
    ),
    "misspelt reference": (HEAT, ["reference=exct"], ("reference: 'exct' is neither", "did you mean 'exact'?")),
    "missing reference": (HEAT, ["reference=none.npz"], ("reference: there is no file '", "none.npz'")),
    "setting of auto": (
        HEAT,
        ["optimizer.learning_rate=0.1"],
        ("optimizer.learning_rate: optimizer=auto chooses its settings itself", "such as optimizer=adam"),
    ),
    "negative width": (HEAT, ["network.width=-3"], ("network.width: -3: at least 1 is needed",)),
    "text for a number": (HEAT, ["network.width=wide"], ("network.width: 'wide': a whole number is needed",)),
    "two wrong settings": (
        HEAT,
        ["network.width=0", "sampling.pool=1"],
        ("network.width: 0: at least 1", "sampling.pool: 1: at least 2"),
    ),
    "setting that refers to nothing": (HEAT, ["network.width=${nothing}"], ("network.width: ", "'nothing' not found")),
    "setting of a group": (
        HEAT,
        ["max_time=3"],
        ("max_time: unknown key 'max_time'; did you mean 'trainer.max_time'?",),
    ),
    "setting of a group, added": (HEAT, ["+width=3"], ("width: unknown key 'width'; did you mean 'network.width'?",)),
    "setting of an optimizer": (
        HEAT,
        ["learning_rate=1"],
        ("learning_rate: unknown key", "did you mean 'optimizer=adam optimizer.learning_rate'?"),
    ),
    "no group": (HEAT, ["network=null"], ("network: null names no file; valid are fourier, mlp",)),
    "no problem": (HEAT, ["pde=null"], ("pde: null names no file; valid are ",)),
    "an empty problem": (HEAT, ["pde="], ("pde: an empty text names no file; valid are ",)),
    "a number for a group": (HEAT, ["logger=5"], ("logger: 5 names no file; valid are none, tensorboard",)),
    "a list of numbers for a group": (HEAT, ["logger=[5]"], ("logger: [5] names no file",)),
    "a number without end": (HEAT, [f"seed={'9' * 5000}"], ("seed: holds a number of 5000 digits; the most is 400",)),
    "a long number": (
        HEAT,
        [f"seed={'9' * 300}", f"trainer.max_time=1{'0' * 320}"],
        ("seed: 99999999999999999999... (300 characters): at most", "(321 characters): a finite number is needed"),
    ),
    "a seed beyond torch's": (HEAT, [f"seed={2**63}"], (f"seed: {2**63}: at most {2**63 - 1} is possible",)),
    "more steps than there are": (
        HEAT,
        ["sampling.redraw_every=10000000000000"],
        ("sampling.redraw_every: 10000000000000: at most 1000000000000 is possible",),
    ),
    "nothing to go on from": (HEAT, ["resume="], ("resume: is empty: name the folder of a run, or leave it out",)),
    "two problems": (HEAT, ["pde=[mine,heat]"], ("pde: one problem is solved in a run",)),
    "all of Hydra": (HEAT, ["hydra=null"], ("hydra: one key of it can be set, such as hydra.run.dir=",)),
    "an empty folder": (HEAT, ["hydra.run.dir="], ("hydra.run.dir: is empty: name a folder",)),
    "an empty reference": (HEAT, ["reference="], ("reference: '': a text is needed, or null",)),
    "no GPU": (HEAT, ["trainer=gpu"], ("trainer.accelerator: gpu: no CUDA device is at hand; choose trainer=cpu",)),
    "machines for a process alone": (
        HEAT,
        ["trainer.nodes=2"],
        ("trainer.nodes: 2, but this process was started alone",),
    ),
    "shards that do not divide": (
        HEAT,
        ["trainer.devices=3", "trainer.shards=4"],
        ("trainer.shards: 4: a number of processes that divides them is needed, not 3",),
    ),
    "no value": (
        HEAT,
        ["seed"],
        ("command line: 'seed': write KEY=VALUE, such as pde=heat",),
    ),
    "list without brackets": (HEAT, ["network.width=1,2"], ("command line: Ambiguous value", "--multirun")),
    "no such folder": (HEAT, ["--config-dir", "/nowhere"], ("--config-dir: there is no folder '/nowhere'",)),
    "no such run": (HEAT, ["resume=/nowhere"], ("resume: ", "/nowhere")),
    "a number as run": (HEAT, ["resume=5"], ("resume: ", "5")),
    "rough activation": (
        HEAT,
        ["network.activation=relu"],
        ("equations.heat: needs u_xx, but a network with activation relu", "choose network.activation=tanh"),
    ),
    "code in an equation": (
        heat(RIGHT, f"u_t = __import__('os').system('touch {HOSTILE}')"),
        [],
        ("equations.heat: strings are not allowed inside an expression", "^"),
    ),
    "code in a parameter": (
        heat("{alpha: 0.1}", f"\n  alpha: open('{HOSTILE}', 'w').close()"),
        [],
        ("parameters.alpha: ",),
    ),
    "code in a YAML tag": (
        HEAT + f"name: !!python/object/apply:os.system ['touch {HOSTILE}']\n",
        [],
        ("could not determine a constructor for the tag 'tag:yaml.org,2002:python/object/apply:os.system'",),
    ),
    "code that Hydra would call": (
        "# @package _global_\npde:\n"
        + "".join(f"  {line}\n" for line in HEAT.splitlines())
        + f"hydra: {{callbacks: {{mine: {{_target_: pathlib.Path.write_text, _args_: [{HOSTILE}, a]}}}}}}\n",
        [],
        ("pde/mine.yaml: has a line '# @package': a problem file describes one problem and changes nothing else",),
    ),
    "files that Hydra would add": (
        "defaults: [heat, {override /hydra/job_logging: default}, _self_]\n",
        [],
        ("pde/mine.yaml: has a key 'defaults': a problem file stands alone",),
    ),
    "attribute": (
        heat(RIGHT, "u_t = u.__class__"),
        [],
        ("equations.heat: attributes are not allowed", "\n    u_t = u.__class__\n           ^"),
    ),
    "huge power": (
        heat(RIGHT, "u_t = 9**9**9**9"),
        [],
        ("equations.heat: this constant is beyond 1e+300 in magnitude", "^"),
    ),
    "reference to the environment": (
        heat(RIGHT, "u_t = ${oc.env:HOME} * u_xx"),
        [],
        ("equations.heat: '$' is not an operator here", "\n    u_t = ${oc.env:HOME} * u_xx\n          ^"),
    ),
    "open reference": (heat(RIGHT, "u_t = ${oc.env:HOME * u_xx"), [], ("equations.heat: missing BRACE_CLOSE",)),
    "comma in braces, broken": (
        heat("u = 0}", "u = max(x: 0, u)}"),
        [],
        ("pde/mine.yaml: is not YAML:", 'in "mine.yaml", line 9', "YAML takes a comma for a separator: quote"),
    ),
    "comma in braces, a wrong key": (
        heat("u = 0}", "u = max(u, 0)}"),
        [],
        ("conditions.ends.0): unknown key '0)': inside {...} and [...] YAML takes a comma for a separator; quote",),
    ),
    "comma in braces, a number as key": (
        heat("u = 0}", "u = max(u, 0}"),
        [],
        ("conditions.ends.0: unknown key '0'", "quote"),
    ),
    "number as a word": (HEAT + "5: 6\n", [], ("5: unknown key '5'",)),
    "nothing as a word": (HEAT + "~: 6\n", [], ("configuration: Incompatible key type 'NoneType'",)),
    "folder as a word": (HEAT + "folder: /etc\n", [], ("folder: unknown key 'folder'",)),
    "same word twice": (HEAT + "fields: [v]\n", [], ("found duplicate key fields", "line 11")),
    "YAML that is a list": ("- u_t = u_xx\n", [], ("pde/mine.yaml: is no mapping: write key: value",)),
    "YAML that is a text": ("heat\n", [], ("pde/mine.yaml: is no mapping",)),
    "YAML that is a number": ("5\n", [], ("pde/mine.yaml: is no mapping",)),
    "empty file": ("# later\n", [], ("pde/mine.yaml: is empty",)),
    "tab": (heat("  heat", "\theat"), [], ("pde/mine.yaml: is not YAML:", "line 6", "cannot start any token")),
    "several mistakes": (
        heat(RIGHT, "u_t = alhpa * u_xx + u_y")
        .replace("t = 0", "t = 7")
        .replace("u = 0}", "w = 0}")
        .replace("fields:", "feilds: 5\nfields:"),
        ["network.width=0"],
        (
            "network.width: 0",
            "feilds: unknown key 'feilds'; did you mean 'fields'?",
            "equations.heat: unknown name 'alhpa'",
            "conditions.initial.at: t = 7 lies outside the domain [0, 1]",
            "conditions.ends.equations: unknown name 'w'",
        ),
    ),
}
DATA: dict[str, tuple[str | None, str]] = {
    "missing file": (None, "conditions.samples.data: there is no file '"),
    "missing column": ("x,u\n0,1\n", "conditions.samples.data: there is no column t; columns are x, u"),
    "NaN": ("x,t,u\n0,0,1\n0,0.5,nan\n", "conditions.samples.data: 'samples.csv': column u, entry 2 is nan"),
    "row outside": ("x,t,u\n0,3,1\n", "conditions.samples.data: row 1 has t = 3, outside the domain [0, 1]"),
    "text": ("x,t,u\n0,3,one\n", "conditions.samples.data: 'samples.csv', row 1, column u: 'one' is not a number"),
}


@pytest.fixture(autouse=True)
def _no_run(nothing_starts, monkeypatch, tmp_path):
    """A mistake that slips through fails the test; it does not train."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_answered(case, write, conf, capsys, tmp_path):
    text, words, expected = CASES[case]
    trace = tmp_path / "trace"
    argv = [*write(text.replace(HOSTILE, str(trace))), *words]
    assert train(argv, conf) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pinnkit: ")
    for part in expected:
        assert part in err
    assert os.environ["HOME"] not in err.replace(str(tmp_path), "")
    assert not trace.exists()


@pytest.mark.parametrize("case", [case for case, (_, words, _) in CASES.items() if words][1::3])
def test_what_train_refuses_check_refuses_too(case, write, conf, capsys, tmp_path):
    text, words, _ = CASES[case]
    argv = [*write(text.replace(HOSTILE, str(tmp_path / "trace"))), *words]
    assert train(argv, conf) == 2
    told = capsys.readouterr().err
    assert check(argv, conf) == 2
    assert capsys.readouterr().err == told


@pytest.mark.parametrize("case", DATA)
def test_a_mistake_in_a_data_file_is_answered(case, write, conf, capsys):
    rows, expected = DATA[case]
    text, files = with_samples(rows)
    assert train(write(text, **files), conf) == 2
    err = capsys.readouterr().err
    assert expected in err
    assert len(err.splitlines()) == 1


def test_how_far_the_exact_solution_is_off(write, conf, capsys):
    """u = e^-t sin(pi x) leaves (alpha pi^2 - 1) u."""
    train(write(CASES["exact misses the equation"][0]), conf)
    size, x, t = map(float, re.search(r"is (\S+) at x = (\S+), t = (\S+) ", capsys.readouterr().err).groups())
    assert size == pytest.approx((1 - 0.1 * math.pi**2) * math.exp(-t) * abs(math.sin(math.pi * x)), rel=1e-2)


def test_several_mistakes_are_told_once_each_in_the_order_of_the_file(write, conf, capsys):
    text, words, expected = CASES["several mistakes"]
    train([*write(text), *words], conf)
    err = capsys.readouterr().err
    places = [err.index(part) for part in expected]
    assert places == sorted(places)
    keys = re.findall(r"^(?:pinnkit: )?([a-z.]+): ", err, re.MULTILINE)
    assert len(keys) == len(set(keys)) == len(expected)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["network.width=10,20,-3"], "network.width: -3: at least 1 is needed"),
        (["network.width=10,20", "seed=0,1,x"], "seed: 'x': a whole number is needed"),
        (["pde=mine,heat,haet"], "pde: there is no 'haet'; did you mean 'heat'?"),
        (["network.activation=tanh,relu"], "equations.heat: needs u_xx, but a network with activation relu"),
        (["network.depth=range(0,3)"], "network.depth: 0: at least 1 is needed"),
        (["network.wdith=1,2"], "network.wdith: unknown key 'wdith'; did you mean 'width'?"),
        (["network.width=(,3"], "command line: mismatched input"),
        (["pde=mine,glob(*)"], "command line: "),
        (["pde=glob(*nothing)"], "pde: no file matches pde=glob(*nothing)"),
        (["optimizer=adam,ssbroyden", "optimizer.learning_rate=0.1"], "optimizer.learning_rate: unknown key"),
    ],
)
def test_a_multirun_is_checked_before_its_first_run(words, expected, write, conf, capsys):
    assert train([*write(HEAT), "--multirun", *words], conf) == 2
    assert expected in capsys.readouterr().err


def test_every_value_of_a_right_multirun_is_checked_and_then_run(monkeypatch, started, write, conf):
    checked = []
    read_and_check = checks.read_and_check
    monkeypatch.setattr(checks, "read_and_check", lambda config: checked.append(config) or read_and_check(config))
    argv = [*write(HEAT), "-m", "network.width=10,20,30", "pde=glob(*ine)", "seed=1,2"]
    assert train(argv, conf) == 0
    assert len(started) == 1
    assert {(words["network"]["width"], words["seed"]) for words in checked} == {(10, 1), (20, 1), (30, 1), (10, 2)}


@pytest.mark.parametrize("words", [[], ["network.width=10"]])
def test_what_is_right_starts_a_run(started, words, write, conf):
    """So that the refusals above are about what they name."""
    assert train([*write(HEAT), *words], conf) == 0
    text, files = with_samples("x,t,u\n0,0,1\n")
    assert train([*write(text, **files), *words], conf) == 0
    assert len(started) == 2


def test_a_problem_of_ones_own_comes_before_a_shipped_one_of_the_same_name(started, write, conf):
    argv = write(heat("alpha: 0.1", "alpha: 7"), name="heat")
    assert train([*argv, "pde.parameters.alpha=8"], conf) == 0
    config = started[0][2].config
    assert config["pde"]["parameters"] == {"alpha": 8}
    assert config["pde"]["description"] == "A rod that cools."
    assert config["problem_folder"] == str(Path(argv[1], "pde").resolve())


# As a user runs it


def script(argv: list[str], folder: Path) -> tuple[int, str, float]:
    """Exit code, standard error and seconds of processor time of `python scripts/train.py ...`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "train.py"), *argv],
        cwd=folder, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.returncode, done.stderr, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(
    "case", ["unknown name", "comma in braces, broken", "code that Hydra would call", "misspelt setting"]
)
def test_the_script_answers_at_once(case, write, tmp_path):
    text, words, expected = CASES[case]
    trace = tmp_path / "trace"
    code, err, seconds = script([*write(text.replace(HOSTILE, str(trace))), *words], tmp_path)
    assert code == 2
    assert "Traceback" not in err
    for part in expected:
        assert part in err
    assert seconds < PATIENCE
    assert not trace.exists()
    assert not (tmp_path / "outputs").exists()


def test_the_script_checks_a_multirun_before_its_first_run(write, tmp_path):
    code, err, seconds = script([*write(HEAT), "-m", "network.width=10,-3"], tmp_path)
    assert code == 2
    assert err == "pinnkit: network.width: -3: at least 1 is needed\n"
    assert seconds < PATIENCE
    assert not (tmp_path / "outputs").exists()


DRIVER = """
import contextlib, io, json, sys
from pathlib import Path
from pinnkit.cli.train import train
answers = {}
for name, argv in json.load(sys.stdin).items():
    with contextlib.redirect_stderr(io.StringIO()):
        answers[name] = train(argv, Path(sys.argv[1]))
print(json.dumps([answers, [name for name in ("torch", "lightning", "matplotlib") if name in sys.modules]]))
"""


def test_no_mistake_loads_torch(write, conf, tmp_path):
    """What is slow to load stays away: every fourth of the cases above, in one process of its own."""
    cases = dict([pair for pair in CASES.items() if pair[0] != "no GPU"][::4])
    calls = {}
    for number, (case, (text, words, _)) in enumerate(cases.items()):
        argv = write(text.replace(HOSTILE, str(tmp_path / "trace")), name=f"case{number}")
        calls[case] = [*argv, *words]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(conf)],
        input=json.dumps(calls), cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    answers, loaded = json.loads(done.stdout)
    assert answers == dict.fromkeys(cases, 2)
    assert loaded == []
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize(
    ("words", "variables", "told"),
    [
        (["resume=out"], {}, "resume: goes on with one run, in its folder: run it without -m"),
        (["hydra/launcher=slurm"], {"PATH": ""}, "hydra/launcher: there is no srun on this machine"),
        ([], {"RANK": "0", "WORLD_SIZE": "2"}, "--multirun: a sweep starts the processes of each run itself"),
    ],
)
def test_what_cannot_be_a_sweep_is_refused(words, variables, told, conf, capsys, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert train(["-m", "pde=heat", "seed=0,1", *words], conf) == 2
    assert told in capsys.readouterr().err


def test_results_that_cannot_be_written_end_in_words(tmp_path, capsys, monkeypatch):
    run = tmp_path / "run"
    run.mkdir()
    (run / "metrics.json").write_text('{"status": "finished", "relative_l2": {"u": 0.1}}')

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Comparison, "write", full)
    assert compare([str(run), f"out={tmp_path / 'table'}"]) == 1
    assert capsys.readouterr().err == "pinnkit: [Errno 28] No space left on device\n"


ELLIPTIC = """\
coordinates: {x: [0, 1], t: [0, 1]}
fields: [u]
equations: u_tt = -u_xx
conditions:
  start: {at: t = 0, equations: [u = sin(pi*x), u_t = 0]}
  ends: {at: boundary, equations: u = 0}
"""


@pytest.mark.parametrize("run", [check, train])
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["pde=poisson_2d"], "its coordinates are x, y: there is no time t to integrate in"),
        (["pde=heat_inverse", "pde.exact={u: 'sin(pi*x)'}"], "the condition 'samples' is made of data"),
        ([], "it is ill-posed as an evolution"),
    ],
)
def test_a_reference_that_cannot_be_computed_is_refused_before_training(run, words, told, write, conf, capsys):
    assert run([*(words or write(ELLIPTIC)), "reference=spectral"], conf) == 2
    assert f"reference: reference=spectral cannot treat this problem: {told}" in capsys.readouterr().err
