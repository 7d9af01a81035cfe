"""Mistakes in problem files and on the command line, and their answers."""

from __future__ import annotations

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
    "misspelt weighting": (HEAT, ["weighting=causl"], ("weighting: there is no 'causl'; did you mean 'causal'?",)),
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
    "no group": (HEAT, ["network=null"], ("network: null names no file; valid are fbpinn, fourier, gabor",)),
    "no problem": (HEAT, ["pde=null"], ("pde: null names no file; valid are ",)),
    "an empty problem": (HEAT, ["pde="], ("pde: an empty text names no file; valid are ",)),
    "a number for a group": (
        HEAT,
        ["logger=5"],
        ("logger: 5 names no file; valid are mlflow, none, tensorboard, wandb",),
    ),
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
        ("equations.heat: attributes are not allowed", "\n    u_t = u.__class__\n          ^"),
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
        ("conditions.ends.equations: inside {...} and [...] YAML takes a comma for a separator;", '"u = max(u, 0)"'),
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
