"""Files from a stranger: nothing in them runs code, hangs or takes unbounded memory."""

from __future__ import annotations

import os
import random
import string
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pinnkit.cli import composition, targets, yaml_files
from pinnkit.cli.arguments import parse
from pinnkit.cli.check import check as checked
from pinnkit.cli.train import train
from pinnkit.cli.yaml_files import DEPTH, NODES, SIZE, check
from pinnkit.language.errors import ProblemError
from pinnkit.problem.problem import Problem
from pinnkit.runs.validation import read_and_check
from pinnkit.settings import Settings
from tests.conftest import composed, timed

ROOT = Path(__file__).resolve().parents[2]
PDE = ROOT / "conf" / "pde"
EXAMPLES = 60 * int(os.environ.get("PINNKIT_FUZZ", "1"))
"""Mutated problem files."""
SECONDS = 1.0
"""Processor time within which each is answered."""

HEAT = """\
coordinates: {x: [-1, 1], t: [0, 1]}
fields: [u]
equations: u_t = 0.1*u_xx
conditions:
  initial: {at: t = 0, equations: u = sin(pi*x)}
  ends: {at: [x = -1, x = 1], equations: u = 0}
"""


def refused(text: str | bytes, folder: Path) -> str:
    """What `check` says against a problem file, within the time; empty if it says nothing."""
    path = folder / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return timed(5 * SECONDS, _said, path)[1]


def _said(path: Path) -> str:
    try:
        check(path, f"pde/{path.name}")
    except ProblemError as error:
        return str(error)
    return ""


# Problem files

LAUGHS = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{two}: &{two} [{', '.join([f'*{one}'] * 10)}]\n" for one, two in zip("abcdefgh", "bcdefghi", strict=True)
)
CHAIN = "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 500))
FILES: dict[str, tuple[str | bytes, str]] = {
    "target": (HEAT + "_target_: os.system\n", "_target_: a key such as '_target_' names code to run"),
    "target below": (
        HEAT + "exact: {u: [1, {_partial_: true}]}\n",
        "exact.u[2]._partial_: a key such as '_partial_' names code to run; a problem file holds data",
    ),
    "target by an alias": (HEAT + "name: &k _target_\nexact: {*k : os.system}\n", "exact._target_: a key such as"),
    "too large": (HEAT + "#" * SIZE, f"has {len(HEAT) + SIZE} bytes; the most is {SIZE}"),
    "laughs": (LAUGHS, f"its aliases (*name) stand for 111111 keys and values; the most is {NODES}"),
    "laughs by merging": (LAUGHS.replace("[", "{x: [").replace("]", "]}"), "its aliases (*name) stand for"),
    "chain of aliases": (CHAIN, f"its aliases (*name) stand for more than {DEPTH} levels"),
    "alias of itself": (HEAT + "exact: &a {u: *a}\n", "exact.u: is an alias of what it is part of"),
    "alias of itself as key": ("exact: &a {[*a]: 1}\n", "is an alias of what it is part of"),
    "deep lists": ("[" * 5000, f"is not YAML: nested deeper than {DEPTH}"),
    "deep mappings": ("a: " + "{a: " * 5000, f"nested deeper than {DEPTH}"),
    "deep blocks": ("? " * 5000, f"nested deeper than {DEPTH}"),
    "deep dashes": ("a:\n" + "- " * 5000, f"nested deeper than {DEPTH}"),
    "empty lines": (HEAT + "\n" * (SIZE - len(HEAT)), ""),
    "header": ("# @author Jane van Doe\n" + HEAT, "has a line '# @author'"),
    "package behind odd white space": ("\x85#\u2003@package _global_\n" + HEAT, "has a line '# @package'"),
    "merged defaults": ("<<: {defaults: [evil]}\n" + HEAT, "has a key '<<' at its top"),
    "merged defaults by tag": ("!!merge x: {defaults: [evil]}\n" + HEAT, "has a key '<<' at its top"),
    "long number": (HEAT + f"name: {'9' * 5000}\n", "name: has 5000 characters; a number has at most 400"),
    "sexagesimal number": (HEAT + f"name: 1{':59' * 9999}\n", "a number has at most 400"),
    "a number that vanishes": (HEAT + "name: 1e-400\n", "name: 1e-400 is nearer to zero than 1e-300; write 0"),
    "a float that vanishes": (HEAT + "exact: {u: -1.5e-400}\n", "exact.u: -1.5e-400 is nearer to zero than 1e-300"),
    "no int": (HEAT + "name: !!int x\n", "name: 'x' is no int"),
    "no bool": (HEAT + "name: !!bool x\n", "name: 'x' is no bool"),
    "no day": (HEAT + "name: !!timestamp 2001-13-45\n", "name: '2001-13-45' is no timestamp"),
    "tag": (HEAT + "name: !!python/object/apply:pathlib.PosixPath [a]\n", "could not determine a constructor"),
    "set": (HEAT + "name: !!set {a, b}\n", "could not determine a constructor for the tag"),
    "many references": (HEAT + f"name: '{'${' * 3000}'\n", "name: holds ${ more than 8 times"),
    "null characters": (b"a: \x00", "is not YAML"),
    "other coding": (HEAT.encode("utf-16"), "is not text in UTF-8"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_hostile_problem_file_is_refused_in_words(case, tmp_path):
    text, expected = FILES[case]
    said = refused(text, tmp_path)
    assert expected in said
    assert bool(said) == bool(expected)
    assert len(said) < 2000


def test_the_values_of_a_file_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(yaml_files, "NODES", 1000)
    assert refused("a: [" + "1," * 997 + "]", tmp_path) == ""
    assert "more than 1000 keys and values" in refused("a: [" + "1," * 998 + "]", tmp_path)


def test_every_shipped_problem_passes():
    files = sorted(PDE.glob("*.yaml"))
    assert len(files) > 10
    for path in files:
        check(path, f"pde/{path.name}")


def test_aliases_themselves_are_welcome(tmp_path):
    shared = HEAT.replace("[-1, 1]", "&range [-1, 1]").replace("t: [0, 1]", "t: *range")
    assert refused(shared, tmp_path) == ""


# Code that a configuration names

EVIL = (
    "hydra: {{callbacks: {{evil: {{_target_: pathlib.Path.touch, self: {{_target_: pathlib.Path, _args_: [{}]}}}}}}}}"
)
OWN = """\
from pathlib import Path
from hydra.experimental.callback import Callback

class Own(Callback):
    def __init__(self, path):
        Path(path).touch()
"""


def script(argv: list[str], folder: Path) -> subprocess.CompletedProcess:
    """`python scripts/train.py ...`, with the folder among those that Python imports from."""
    paths = os.pathsep.join([str(folder), *filter(None, sys.path)])
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "train.py"), *argv],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip


def foreign(folder: Path, where: str, text: str) -> list[str]:
    """A foreign configuration folder whose experiment or train.yaml holds a text; the words that choose it."""
    path = folder / "config" / ("experiment/evil.yaml" if where == "experiment" else "train.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    if where == "experiment":
        path.write_text(f"# @package _global_\n{text}\n")
        return ["--config-dir", str(folder / "config"), "experiment=evil"]
    shipped = (ROOT / "conf" / "train.yaml").read_text()
    path.write_text(f"{shipped[: shipped.index('hydra:')]}\n{text}\n")
    return ["--config-dir", str(folder / "config")]


@pytest.mark.parametrize(("where", "flags"), [("experiment", []), ("train", ["-m"]), ("experiment", ["--run"])])
def test_a_foreign_file_runs_no_code(where, flags, tmp_path):
    done = script([*foreign(tmp_path, where, EVIL.format(tmp_path / "trace")), *flags], tmp_path)
    assert done.returncode == 2
    assert not (tmp_path / "trace").exists()
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith(
        "pinnkit: hydra.callbacks.evil._target_: names 'pathlib.Path.touch' as code to run: if you trust it, add "
        "--allow-target pathlib.Path.touch\n"
    )


def test_a_class_of_ones_own_is_allowed_by_the_command_line(tmp_path):
    (tmp_path / "mine.py").write_text(OWN)
    text = f"hydra: {{callbacks: {{own: {{_target_: mine.Own, path: {tmp_path / 'trace'}}}}}}}"
    argv = [*foreign(tmp_path, "experiment", text), "--run"]  # --run: Hydra alone, with callbacks and without training
    assert script(argv, tmp_path).returncode == 2
    assert not (tmp_path / "trace").exists()
    done = script([*argv, targets.FLAG, "mine.Own"], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "trace").exists()


def test_the_flag_is_handed_on_and_stands_in_no_file():
    given = parse(["pde=heat", targets.FLAG, "a.B", f"{targets.FLAG}=c.D", "--config-name", "other"])
    assert given.targets == ("a.B", "c.D")
    assert not given.plain
    assert parse(given.flags()).targets == given.targets
    assert parse(given.flags()).config_name == "other"


HYDRA: dict[str, tuple[str, str]] = {
    "an attribute of an allowed module": (
        "callbacks: {evil: {_target_: pinnkit.cli.train.os.system}}", "'pinnkit.cli.train.os.system'"),
    "a function of Hydra's": ("callbacks: {evil: {_target_: hydra.core.utils.configure_log}}", "configure_log"),
    "a target below": (
        "callbacks: {evil: {_target_: pinnkit.cli.multirun_summary.Summary, a: [{_target_: b.C}]}}", "a.0"
    ),
    "a launcher": ("launcher: {_target_: evil.Launcher}", "hydra.launcher._target_: names 'evil.Launcher'"),
    "a factory of logging": ("job_logging: {formatters: {a: {(): os.system}}, root: {}}", "formatters.a.(): names"),
    "a handler of logging": ("hydra_logging: {handlers: {a: {class: logging.os.system}}}", "a.class: names"),
    "an object of logging": ("job_logging: {handlers: {a: {stream: ext://os.system}}}", "a.stream: names 'ext://os"),
    "a mapping out of text": (
        "callbacks: {evil: '${oc.create:\"{_target_: os.system}\"}'}", "hydra.callbacks.evil: calls ${oc.create:...}"),
    "a default out of text": (
        "callbacks: {evil: '${oc.select:no,{_target_:os.system}}'}", "hydra.callbacks.evil: calls ${oc.select:...}"),
    "a resolver that is computed": ("callbacks: {evil: {a: '${${dtype}:b}'}}", "hydra.callbacks.evil.a: calls ${${"),
    "a target that is computed": ("callbacks: {evil: {_target_: '${dtype}'}}", "names '${dtype}' as code"),
    "the environment": ("job: {env_set: {LD_PRELOAD: evil.so}}", "hydra.job.env_set: has no place in a file"),
    "a sweep that -m does not ask for": ("mode: MULTIRUN", "hydra.mode: MULTIRUN: a sweep is asked for by -m"),
    "another working folder": ("job: {chdir: true}", "hydra.job.chdir: true: paths of the command line"),
    "a variable that is not there": ("job: {env_copy: [NOPE]}", "hydra.job.env_copy: there is no environment variable"),
    "a variable of the shell": ("job: {env_copy: [HOME]}", "hydra.job.env_copy: has no place in a file"),
    "words for the log": ("verbose: 5", "hydra.verbose: 5: true, false, or names of loggers are needed"),
    "another log": ("job_logging: {version: 7}", "hydra.job_logging: is not one of none, disabled, stdout as Hydra"),
    "another log of Hydra's": ("hydra_logging: {root: {handlers: [x]}}", "hydra.hydra_logging: is not one of none"),
    "a list of callbacks": ("callbacks: [5]", "experiment/evil.yaml: Cannot merge DictConfig with ListConfig"),
    "values of a sweep": ("sweeper: {params: {experiment: worse}}", "hydra.sweeper.params: has no place in a file"),
}  # fmt: skip


ANSWERED = [
    ["--hydra-help"],
    ["--cfg", "job"],
    ["--info"],
    ["-r"],
    ["--multi"],
    ["-m", "seed=1,2"],
]


@pytest.mark.parametrize("folder", ["../stolen", "/tmp/stolen", "..", "''", "'${oc.env:HOME}'", "[a]"])
def test_hydras_records_stay_in_the_run_folder(folder, tmp_path, conf, capsys):
    assert checked(foreign(tmp_path, "train", f"hydra: {{output_subdir: {folder}}}"), conf) == 2
    assert "hydra.output_subdir: " in capsys.readouterr().err


def test_a_run_folder_that_refers_to_nothing_is_told(tmp_path, conf, capsys):
    assert checked(foreign(tmp_path, "train", "hydra: {run: {dir: '${nothing}'}}"), conf) == 2
    assert "hydra.run.dir: Interpolation key 'nothing' not found" in capsys.readouterr().err


@pytest.mark.parametrize(("case", "flags"), [(case, []) for case in HYDRA] + [("a launcher", one) for one in ANSWERED])
def test_what_hydra_would_call_is_refused_before_it_runs(case, flags, tmp_path, conf, capsys, nothing_starts):
    text, expected = HYDRA[case]
    assert train([*foreign(tmp_path, "experiment", f"hydra: {{{text}}}"), *flags], conf) == 2
    assert expected in capsys.readouterr().err


def test_folders_and_records_that_would_not_be_checked_are_refused(conf, capsys):
    for flag in ("--config-path", "--experimental-rerun"):
        with pytest.raises(SystemExit) as caught:
            train([flag, "/tmp"], conf)
        assert caught.value.code == 2
        assert "are not taken: name a folder by --config-dir" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("+hydra.sweeper.params.seed=1", "hydra.sweeper.params.seed: cannot be set: give the values of a sweep on the"),
        ("hydra.sweeper.params={seed:1}", "hydra.sweeper.params: cannot be set: give the values of a sweep on the"),
        ("+hydra.job.env_set.FOO=1", "hydra.job.env_set.FOO: cannot be set: set the variables in the shell"),
        ("hydra.job.env_copy=[HOME]", "hydra.job.env_copy: cannot be set: set the variables in the shell"),
    ],
)
def test_what_has_no_place_on_the_command_line_is_refused(word, told, conf, capsys):
    for flags in ([], ["-m"]):
        assert train(["pde=heat", word, *flags], conf) == 2
        assert f"pinnkit: {told}" in capsys.readouterr().err


def test_only_a_variable_of_the_shell_is_reported_as_one(monkeypatch):
    monkeypatch.setattr(composition.Hydra, "compose_config", lambda *_, **__: {}["column"])
    with pytest.raises(KeyError, match="column"):
        composed([])


# Where files come from, and how large they may be


def test_a_file_that_chooses_itself_is_refused(tmp_path, conf, capsys):
    (tmp_path / "network").mkdir()
    (tmp_path / "network" / "mine.yaml").write_text("defaults: [mine]\n")
    assert checked(["--config-dir", str(tmp_path), "network=mine"], conf) == 2
    assert capsys.readouterr().err == "pinnkit: defaults: files choose each other, or themselves, without an end\n"


def test_what_is_no_file_is_not_offered(tmp_path, conf, capsys):
    (tmp_path / "pde" / "mine.yaml").mkdir(parents=True)
    (tmp_path / "pde" / "circle.yaml").symlink_to("circle.yaml")
    os.mkfifo(tmp_path / "pde" / "pipe.yaml")
    for name in ("mine", "circle", "pipe"):
        assert checked(["--config-dir", str(tmp_path), f"pde={name}"], conf) == 2
        err = capsys.readouterr().err
        assert f"pde: there is no '{name}'; " in err
        assert f"did you mean '{name}'" not in err


@pytest.fixture
def module(tmp_path, monkeypatch) -> Path:
    """A package that leaves a trace when it is imported; the trace."""
    (tmp_path / "evilmod").mkdir()
    (tmp_path / "evilmod" / "__init__.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'w').close()")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "trace"


PLACES: dict[str, str] = {
    "[pkg://evilmod]": "'pkg://evilmod' is no folder",
    "[/, PKG://evilmod]": "'PKG://evilmod' is no folder",
    "[structured://]": "'structured://' is no folder",
    "[s3://bucket]": "'s3://bucket' is no folder",
    "['${oc.env:EVIL}']": "'${oc.env:EVIL}' is no folder",
    "[/nowhere]": "there is no folder '/nowhere'",
    "pkg://evilmod": "is no list of folders",
    "[5]": "is no list of folders",
}


@pytest.mark.parametrize("call", [train, checked])
@pytest.mark.parametrize("places", PLACES)
def test_only_folders_are_searched(places, call, tmp_path, module, conf, capsys, nothing_starts):
    words = foreign(tmp_path, "train", f"hydra: {{searchpath: {places}}}")
    on_the_line = ["hydra.searchpath=" + (places if places[0] == "[" else f"'{places}'")]
    for argv in (words, on_the_line):
        assert call(argv, conf) == 2
        err = capsys.readouterr().err
        assert PLACES[places] in err
        assert "hydra.searchpath: " in err
        assert len(err.splitlines()) == 1
    assert not module.exists()


def test_a_folder_that_is_there_is_searched(tmp_path, conf, capsys):
    (tmp_path / "more" / "network").mkdir(parents=True)
    (tmp_path / "more" / "network" / "tiny.yaml").write_text("defaults: [mlp, _self_]\nwidth: 0\n")
    assert checked([f"hydra.searchpath=[{tmp_path / 'more'}]", "network=tiny"], conf) == 2
    assert "network.width: 0: at least 1" in capsys.readouterr().err


SETTINGS: dict[str, tuple[str | bytes, str]] = {
    case: FILES[case]
    for case in ("laughs", "laughs by merging", "chain of aliases", "deep lists", "deep mappings", "deep blocks",
                 "long number", "no bool", "null characters")
} | {
    "latin 1": ("# caf\u00e9\nwidth: 5\n".encode("latin-1"), "is not text in UTF-8: byte 5 is 0xe9; save it as UTF-8"),
    "a list": ("- width\n", "is no mapping"),
    "itself": ("defaults: [mine, /network: mine]\n", ": "),
    "defaults that are a number": ("defaults: 5\n", "yaml: defaults: a list of names and of 'group: name' is needed"),
    "defaults that are a mapping": ("defaults: {a: b}\n", "yaml: defaults: a list of names"),
    "a number among the defaults": ("defaults: [mlp, 5]\n", "yaml: defaults: a list of names"),
    "a list among the defaults": ("defaults: [[mlp]]\n", "yaml: defaults: a list of names"),
    "a key twice": ("width: 5\nwidth: 6\n", "yaml: is not YAML: "),
    "a text": ("width", "is no mapping"),
    "a tag": ("width: !!python/name:os.system\n", "could not determine a constructor for the tag"),
    "too large": ("#" * (SIZE + 1), f"has {SIZE + 1} bytes; the most is {SIZE}"),
    "references": (f"width: '{'${' * 3000}'\n", "width: holds ${ more than 8 times"),
}  # fmt: skip


@pytest.mark.parametrize("place", ["network/mine.yaml", "train.yaml", "experiment/mine.yaml"])
@pytest.mark.parametrize("case", SETTINGS)
def test_a_hostile_file_of_settings_is_refused_in_words(case, place, tmp_path, conf, capsys):
    text, expected = SETTINGS[case]
    path = tmp_path / "config" / place
    path.parent.mkdir(parents=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    group, _, _ = place.rpartition("/")
    argv = ["--config-dir", str(tmp_path / "config"), *([f"{group}=mine"] if group else [])]
    assert timed(5 * SECONDS, checked, argv, conf)[1] == 2
    err = capsys.readouterr().err
    assert expected in err
    assert len(err) < 2000


# Paths

TABLE = "x,t,u\n0,0,0\n"


def samples(data: str) -> str:
    return f"{HEAT}  samples: {{data: {data}}}\n"


@pytest.fixture
def outside(tmp_path) -> Path:
    """A table that lies beside the problem's folder, and a link to it from inside."""
    (tmp_path / "config" / "pde" / "tables").mkdir(parents=True)
    path = tmp_path / "config" / "table.csv"
    path.write_text(TABLE)
    (tmp_path / "config" / "pde" / "link.csv").symlink_to(path)
    (tmp_path / "config" / "pde" / "tables" / "inside.csv").write_text(TABLE)
    return path


@pytest.mark.parametrize("name", ["../table.csv", "tables/../../table.csv", "link.csv", "ABSOLUTE"])
@pytest.mark.parametrize("key", ["conditions.samples.data", "reference"])
def test_tables_lie_below_the_problems_folder(name, key, outside, write, conf):
    name = str(outside) if name == "ABSOLUTE" else name
    text = samples(name) if key != "reference" else f"{HEAT}reference: {name}\n"
    argv = write(text)
    with pytest.raises(ProblemError) as caught:
        read_and_check(composed(argv))
    (mistake,) = caught.value.mistakes
    assert mistake.key == key
    folder = outside.parent / "pde"
    assert mistake.message.startswith(f"'{folder / name}' lies outside the problem's folder '{folder}'")
    assert "outside_files=true" in mistake.message
    problem, chosen = read_and_check(composed([*argv, "outside_files=true"]))
    assert chosen.outside_files
    assert problem.reference == name or len(problem.conditions[-1].data["u_data"]) == 1


def test_tables_inside_and_references_of_the_user_are_read(outside, write, conf):
    read_and_check(composed(write(samples("tables/inside.csv"))))
    _, chosen = read_and_check(composed([*write(HEAT), f"reference={outside}"]))
    assert chosen.reference == str(outside)


def test_a_problem_in_python_reads_any_file_unless_told_otherwise(outside):
    words = yaml.safe_load(samples(outside))
    assert len(Problem(**words, folder=outside.parent / "pde").conditions[-1].data["x"]) == 1
    with pytest.raises(ProblemError, match="lies outside the problem's folder"):
        Problem(**words, folder=outside.parent / "pde", outside_files=False)


def test_a_run_from_python_keeps_that_its_files_may_lie_anywhere(outside):
    from pinnkit.runs.configuration import as_yaml  # torch waits until it is needed

    problem = Problem(**yaml.safe_load(samples(str(outside))), folder=outside.parent / "pde")
    again, _ = read_and_check(yaml.safe_load(as_yaml(problem, Settings())))
    assert again == problem


@pytest.mark.parametrize("name", ["x" * 300 + ".csv", "a\\0.csv", "\\ud800.csv", "circle.csv"])
def test_what_is_no_path_is_refused(name, write, conf, tmp_path):
    argv = write(samples(f'"{name}"'))
    (tmp_path / "config" / "pde" / "circle.csv").symlink_to("circle.csv")
    for more in ([], ["outside_files=true"]):
        with pytest.raises(ProblemError, match=r"conditions\.samples\.data: .*(is no path of a file|there is no file)"):
            read_and_check(composed([*argv, *more]))


@pytest.mark.parametrize("key", ["self", "outside_files", "folder", "words"])
def test_names_of_the_code_are_no_words_of_a_problem(key, write, conf):
    with pytest.raises(ProblemError, match=f"{key}: unknown key '{key}'"):
        read_and_check(composed(write(f"{HEAT}{key}: 1\n")))


# Mutations of the shipped problems

SHIPPED = [path.read_text() for path in sorted(PDE.glob("*.yaml"))]
ODD = [
    "", "~", "[]", "{}", "0", "-1", "1e999", ".nan", ".inf", "1e308", "1:30", "0x7f", "yes", "2001-01-01", "'", '"',
    "[1, [2]]", "{a: b}", "{u: u}", "&a [*a]", "*a", "!!int x", "!!binary eA==", "? a", "<<", "|", ">", "- x", "$",
    "boundary", "[x = 0, t = 0]", "{x: 0}", "spectral", "x.csv", "/etc/passwd", "tables", "\u00b2", "\u202e", "${x}",
    "u_xxxxxxxx", "9**9**9", "(" * 70, "x" * 300, "__class__", "_target_: x", "u = u(x=x_y)", "max(u, 0)", "%", "@",
    "where: x > 2", "weight: -1", "learn: 1", "positive: 1", "[0, 1e-300]", "[-1e300, 1e300]", "[1, 0]", "[t, x]",
    "\U0001f600", "`",
]  # fmt: skip
KEYS = ["coordinates", "fields", "parameters", "equations", "conditions", "exact", "reference", "periodic", "transform",
        "at", "data", "where", "weight", "learn", "x", "t", "u", "self", "folder", "name"]  # fmt: skip


def mutated(seed: int) -> str:
    """A shipped problem after one to three changes of characters, lines, keys or values."""
    chance = random.Random(seed)
    text = chance.choice(SHIPPED)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        text = chance.choice((_characters, _lines, _values, _values, _values))(text, chance)
    return text


def _characters(text: str, chance: random.Random) -> str:
    place, length = chance.randrange(len(text) + 1), chance.choice((0, 0, 1, 1, 2, 8))
    new = chance.choice([*string.printable, *ODD, ""])
    return text[:place] + new + text[place + length :]


def _lines(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True) or [""]
    place = chance.randrange(len(lines))
    other = chance.choice(chance.choice(SHIPPED).splitlines(keepends=True))
    lines[place : place + 1] = chance.choice(
        ([], [lines[place]] * 2, [other], [lines[place], other], ["  " + lines[place]])
    )
    return "".join(lines)


def _values(text: str, chance: random.Random) -> str:
    """A key or a value of the mapping replaced, moved or removed; text again."""
    try:
        words = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, KeyError, IndexError, AttributeError):  # no YAML any more, or !!int x
        return text
    spots = [
        (part, key) for part in _containers(words) for key in (part if isinstance(part, dict) else range(len(part)))
    ]
    if not spots or len(spots) > 500:
        return text
    texts = [(part, key) for part, key in spots if isinstance(part[key], str)]
    part, key = chance.choice(texts if texts and chance.random() < 0.6 else spots)
    other, name = chance.choice(spots)
    try:
        odd = yaml.safe_load(chance.choice(ODD))
    except (yaml.YAMLError, ValueError):
        odd = None
    if isinstance(part, dict) and chance.random() < 0.3:
        part[chance.choice(KEYS)] = part.pop(key)
    elif isinstance(part[key], str) and chance.random() < 0.5:
        part[key] = _characters(part[key], chance)
    else:
        part[key] = chance.choice((odd, odd, chance.choice(ODD), yaml.safe_load(yaml.safe_dump(other[name]))))
    return yaml.safe_dump(words, sort_keys=False, allow_unicode=True)


def _containers(words: object, depth: int = 0) -> list:
    parts = list(words.values()) if isinstance(words, dict) else words if isinstance(words, list) else []
    inner = [one for part in parts if depth < 12 for one in _containers(part, depth + 1)]
    return ([words] if isinstance(words, dict | list) else []) + inner


def answered(text: str, folder: Path) -> str:
    """The refusal of a problem file as the commands would give it, or an empty text."""
    path = folder / "mine.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        check(path, f"pde/{path.name}")
        pde = OmegaConf.to_container(OmegaConf.load(path), resolve=False)  # as Hydra reads it
        read_and_check({"pde": pde, "problem_folder": str(PDE)})
    except (
        ProblemError,
        OmegaConfBaseException,
        yaml.YAMLError,
    ) as error:  # `configuration` puts the last two in words
        return str(error) or repr(error)
    return ""


def test_a_mutated_problem_file_is_accepted_or_refused_in_words():
    counts: Counter[str] = Counter()
    slowest = (0.0, "")

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.integers(0, 2**62))
    def answer(seed: int) -> None:
        nonlocal slowest
        text = mutated(seed)
        taken, said = timed(SECONDS, answered, text, Path(folder))
        slowest = max(slowest, (taken, text))
        counts["refused" if said else "accepted"] += 1

    with tempfile.TemporaryDirectory() as folder:
        answer()
    print(f"\n{dict(counts)}, slowest {slowest[0]:.2f} s")
    assert counts["refused"] > counts["accepted"] > 0
