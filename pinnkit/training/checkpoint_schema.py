"""The schema of a checkpoint: which parts it has, of which kinds, and checks of each before it is used.

Its content is written by `on_save_checkpoint` in module.py and checkpoint_writer.py, and by the `state_dict` of
counters, weights, data module and callbacks.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from packaging.version import InvalidVersion, Version
from torch import Tensor

from pinnkit.operators.engine_choice import EngineChoice
from pinnkit.operators.settings import ENGINES
from pinnkit.optimizers.state_check import InvalidStateError, NonFiniteStateError, check_state, number, short, whole
from pinnkit.problem.groups import equation_groups, region_of
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.points import complete, condition_points
from pinnkit.sampling.sequences.sobol import Sobol
from pinnkit.training.counters import LATER
from pinnkit.training.feature_state import KEY as FEATURES
from pinnkit.training.feature_state import WINDOWS, check_features, check_windows
from pinnkit.training.module import PINN
from pinnkit.training.restarts import check_guards
from pinnkit.training.trained import trained
from pinnkit.training.window_state import check_window_state

FORMAT = 6
"""The version of what a checkpoint holds; another number is not read."""
DEPTH, ENTRIES = 12, 2_000_000
"""How deep a checkpoint may be nested, and how many entries it may have."""
KINDS = {
    "pinnkit": Mapping,
    "state_dict": Mapping,
    "optimizer_states": list,
    "progress": Mapping,
    "weights": Mapping,
    "callbacks": Mapping,
    "CollocationData": Mapping,
    "lr_schedulers": list,
    "epoch": int,
    "global_step": int,
    "pytorch-lightning_version": str,
}
"""The parts that are needed; the last ones by Lightning."""
OPTIONAL = ("settling",)
"""What a run may have no value of, as it goes on."""
OTHER = "holds other networks or parameters than this problem and these settings make"


def check_parts(content: Mapping[str, Any]) -> None:
    """Make sure that the parts are of the right kinds, and that no tensor claims more than the file holds.

    Raises:
        InvalidStateError: one is not; the message begins with its key.
    """
    left = [ENTRIES]
    for key, value in content.items():
        _plain(str(key), value, left, DEPTH)
    for key, kind in KINDS.items():
        if not isinstance(content[key], kind) or isinstance(content[key], bool):
            raise InvalidStateError(f"{key}: {short(content[key])} is no {kind.__name__.lower()}")
    try:
        if Version(content["pytorch-lightning_version"]) < Version("2"):
            raise InvalidStateError(f"pytorch-lightning_version: {content['pytorch-lightning_version']} is too old")
    except InvalidVersion:
        raise InvalidStateError(f"pytorch-lightning_version: {short(content['pytorch-lightning_version'])}") from None
    about = content["pinnkit"]
    if not isinstance(about.get("config"), str):
        raise InvalidStateError("pinnkit.config: is no text")
    for key in ("data", "versions"):
        texts = about.get(key)
        if not isinstance(texts, Mapping) or not all(isinstance(one, str) for one in texts.values()):
            raise InvalidStateError(f"pinnkit.{key}: is no mapping of texts")
    for key in ("step", "rollbacks"):
        _count(f"progress.{key}", content["progress"].get(key))


def check_contents(content: Mapping[str, Any], module: PINN) -> None:
    """Make sure that a module, its optimizers, callbacks and data can go on from parts of the right kinds.

    Raises:
        InvalidStateError: they cannot. NonFiniteStateError: a number that must be finite is not.
    """
    _check_weights(content["state_dict"], module)
    check_features(content.get(FEATURES), module.model)
    check_windows(content.get(WINDOWS), module.model)
    _check_progress(content["progress"], module)
    _check_term_weights(content["weights"], module)
    check_guards(content, module.state_dict())
    _check_choice(content.get("operators"))
    _check_callbacks(content["callbacks"], content["progress"]["step"], module)
    _check_points(content["CollocationData"], module, content["progress"]["step"])
    states = content["optimizer_states"]
    if len(states) != len(module.stages):
        raise InvalidStateError(f"optimizer_states: {len(states)} are there, and {len(module.stages)} stages")
    same = content["pinnkit"]["versions"].get("torch") == version("torch")
    for place, (stage, state) in enumerate(zip(module.stages, states, strict=True)):
        try:
            check_state(stage.optimizer(trained(module, stage.level)), state, same)
        except InvalidStateError as error:
            raise type(error)(f"optimizer_states[{place}]{error}") from None


def _plain(where: str, value: Any, left: list[int], depth: int) -> None:
    """Nothing but numbers, texts and whole tensors, in mappings and lists."""
    left[0] -= 1
    if left[0] < 0 or depth < 0:
        raise InvalidStateError(f"{where}: has too many entries, or is nested too deeply")
    if isinstance(value, Tensor):
        held = value.device.type == "cpu" and value.layout == torch.strided and not value.is_quantized
        if not held or value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise InvalidStateError(f"{where}: is a tensor without all of its numbers")
    elif isinstance(value, Mapping):
        for key, one in value.items():
            _plain(f"{where}.{key}", one, left, depth - 1)
    elif isinstance(value, list | tuple):
        for place, one in enumerate(value):
            _plain(f"{where}[{place}]", one, left, depth - 1)
    elif not isinstance(value, int | float | str | None):
        raise InvalidStateError(f"{where}: is a {type(value).__name__}")


def _check_weights(kept: Any, module: PINN) -> None:
    if not isinstance(kept, Mapping):
        raise InvalidStateError(OTHER)
    here = {name: (one.shape, one.dtype) for name, one in module.state_dict().items()}
    if {name: (getattr(one, "shape", None), getattr(one, "dtype", None)) for name, one in kept.items()} != here:
        raise InvalidStateError(OTHER)
    parameters = dict(module.named_parameters())
    for name, usual in module.state_dict().items():
        trained = name in parameters or bool(torch.isfinite(usual).all())  # a user's buffer may hold infinity
        if trained and not bool(torch.isfinite(kept[name]).all()):
            raise NonFiniteStateError(f"state_dict.{name}: holds NaN or infinity")


def _check_progress(kept: Mapping[str, Any], module: PINN) -> None:
    for key, usual in module.progress.state_dict().items():
        where = f"progress.{key}"
        if key in LATER and key not in kept:
            continue
        if key not in kept:
            raise InvalidStateError(f"{where}: is missing")
        value = kept[key]
        if key == "draw":
            if not (isinstance(value, int) and value == -1):
                _count(where, value)
        elif value is None and (usual is None or key in OPTIONAL):
            continue
        elif isinstance(usual, int) or usual is None:
            _count(where, value)
        elif isinstance(value, float) and value == math.inf and key in ("least_objective", *LATER):
            continue  # it is not known yet
        elif key == "first_objective" and kept["stage_step"] == 0 and isinstance(value, float) and math.isnan(value):
            continue  # nothing was computed of the present terms
        elif isinstance(usual, float) and number(where, value) < 0.0:
            raise InvalidStateError(f"{where}: is {value}")
    if not kept["stage"] < len(module.stages):
        raise InvalidStateError(f"progress.stage: is {kept['stage']}, and there are {len(module.stages)} stages")
    if kept["stage_step"] > kept["step"]:
        raise InvalidStateError(f"progress.stage_step: is {kept['stage_step']}, and progress.step {kept['step']}")


def _check_term_weights(kept: Mapping[str, Any], module: PINN) -> None:
    terms = kept.get("terms")
    if not isinstance(terms, Mapping) or set(terms) != set(module.terms):
        raise InvalidStateError(f"weights.terms: {', '.join(module.terms)} are needed")
    for term, weight in terms.items():
        if number(f"weights.terms.{term}", weight) < 0.0:
            raise InvalidStateError(f"weights.terms.{term}: is {weight}")
    points = kept.get("points")
    if not isinstance(points, Mapping) or not set(points) <= set(module.groups):
        raise InvalidStateError(f"weights.points: {short(points)}")
    for group, factors in points.items():
        if not isinstance(factors, Tensor) or factors.dtype != torch.float64 or factors.shape[1:] != (1,):
            raise InvalidStateError(f"weights.points.{group}: is {short(factors)}")
        if not bool(torch.isfinite(factors).all()):
            raise NonFiniteStateError(f"weights.points.{group}: holds NaN or infinity")
        if bool((factors < 0).any()):
            raise InvalidStateError(f"weights.points.{group}: some are below 0")
    for key in ("updated", "pending"):
        _count(f"weights.{key}", kept.get(key))
    memory = kept.get("memory", {})  # a checkpoint of an earlier version has none
    if not isinstance(memory, Mapping):
        raise InvalidStateError(f"weights.memory: {short(memory)}")
    for name, values in memory.items():
        if not isinstance(values, Tensor) or values.dtype != torch.float64:
            raise InvalidStateError(f"weights.memory.{name}: is {short(values)}")
        if not bool(torch.isfinite(values).all()):
            raise NonFiniteStateError(f"weights.memory.{name}: holds NaN or infinity")


def _check_choice(config: Any) -> None:
    if config is None:
        return
    known = {one.name for one in dataclasses.fields(EngineChoice)}
    if not isinstance(config, Mapping) or not {"engine"} <= set(config) <= known:
        raise InvalidStateError(f"operators: {short(config)}")
    chunk, threads = config.get("chunk"), config.get("threads", 1)
    if config["engine"] not in ENGINES[1:]:
        raise InvalidStateError(f"operators.engine: there is no {short(config['engine'])}")
    if not (chunk is None or (isinstance(chunk, int) and chunk >= 1)):
        raise InvalidStateError(f"operators.chunk: is {short(chunk)}")
    if not (isinstance(threads, int) and 1 <= threads <= 4096):
        raise InvalidStateError(f"operators.threads: is {short(threads)}")
    if not isinstance(config.get("milliseconds", {}), Mapping) or not isinstance(config.get("reason", ""), str):
        raise InvalidStateError("operators: is not what an engine was chosen by")


def _check_callbacks(kept: Mapping[str, Any], step: int, module: PINN) -> None:
    for name, keys in {"Record": ("rows", "next"), "Checkpoints": ("next", "least", "terms")}.items():
        if not isinstance(kept.get(name), Mapping) or not set(keys) <= set(kept[name]):
            raise InvalidStateError(f"callbacks.{name}: is missing, or not whole")
        _count(f"callbacks.{name}.next", kept[name]["next"])
    least = kept["Checkpoints"]["least"]
    if not isinstance(least, float) or math.isnan(least):
        raise NonFiniteStateError(f"callbacks.Checkpoints.least: is {short(least)}")
    terms = kept["Checkpoints"]["terms"]
    if not isinstance(terms, list) or not all(isinstance(one, str) for one in terms):
        raise InvalidStateError(f"callbacks.Checkpoints.terms: is {short(terms)}")
    rows, before = kept["Record"]["rows"], 0
    if not isinstance(rows, list):
        raise InvalidStateError("callbacks.Record.rows: is no list")
    for place, row in enumerate(rows):
        where = f"callbacks.Record.rows[{place}]"
        if not isinstance(row, Mapping) or not {"step", "time_s", "phase", "losses", "errors", "learned"} <= set(row):
            raise InvalidStateError(f"{where}: is not whole")
        _count(f"{where}.step", row["step"])
        _count(f"{where}.phase", row["phase"])
        number(f"{where}.time_s", row["time_s"])
        for part in ("losses", "errors", "learned"):
            values = row[part]
            if not isinstance(values, Mapping) or not all(isinstance(one, float) for one in values.values()):
                raise InvalidStateError(f"{where}.{part}: is no mapping of numbers")
        if row["step"] < before or row["phase"] >= len(module.stages):
            raise InvalidStateError(f"{where}: is of step {row['step']} and phase {row['phase']}")
        before = row["step"]
    if before != step:
        raise InvalidStateError(f"callbacks.Record.rows: end at step {before}, and progress.step is {step}")


def _check_points(kept: Mapping[str, Any], module: PINN, step: int) -> None:
    problem = module.problem
    for key in ("drawn", "stage", "began"):
        _count(f"CollocationData.{key}", kept.get(key))
    if module.state.windows is not None:
        check_window_state(kept, module.network)
    if kept["began"] > step:
        raise InvalidStateError(f"CollocationData.began: is {kept['began']}, and progress.step {step}")
    if kept["stage"] >= len(module.stages):
        raise InvalidStateError(f"CollocationData.stage: is {kept['stage']}, of {len(module.stages)} stages")
    groups, points = kept.get("by_residual"), kept.get("points")
    here = set(module.stages[kept["stage"]].group_names(problem))
    conditions = {one.name: one for one in problem.soft_conditions}
    equations = set(equation_groups(problem))
    if not isinstance(groups, list) or not all(one in {*conditions, *equations} for one in groups):
        raise InvalidStateError(f"CollocationData.by_residual: is {short(groups)}")
    if not isinstance(points, Mapping) or set(points) != (equations | set(groups)) & here:
        raise InvalidStateError("CollocationData.points: are of other equations or conditions")
    for name, part in points.items():
        where = f"CollocationData.points.{name}"
        coordinates = part.get("coordinates") if isinstance(part, Mapping) else None
        if not isinstance(coordinates, Tensor) or coordinates.dtype != torch.float64 or coordinates.ndim != 2:
            raise InvalidStateError(f"{where}: has no coordinates")
        if coordinates.shape[1] != len(problem.coordinates) or not len(coordinates):
            raise InvalidStateError(f"{where}.coordinates: are {tuple(coordinates.shape)}")
        solid = problem.solid(region_of(name)) if name in equations else problem.domain
        inside, slack = coordinates.numpy(), 1e-9 * (problem.domain.upper - problem.domain.lower)
        if not np.isfinite(inside).all():
            raise NonFiniteStateError(f"{where}.coordinates: hold NaN or infinity")
        if not solid.contains(inside, slack).all():
            raise InvalidStateError(f"{where}.coordinates: lie outside the {'region' if region_of(name) else 'domain'}")
        usual = complete(problem, PointSet(problem.domain.lower[None])).arrays()
        if name not in equations:
            usual = condition_points(problem, conditions[name], Sobol(), 0, 0).arrays()
        if set(part) - {"weights"} != set(usual):
            raise InvalidStateError(f"{where}: holds {', '.join(map(short, part))}; {', '.join(usual)} are needed")
        for array, values in part.items():
            width = usual[array].shape[1] if array in usual else 1
            if not isinstance(values, Tensor) or tuple(values.shape) != (len(coordinates), width):
                raise InvalidStateError(f"{where}.{array}: is {short(values)}")
            if not bool(torch.isfinite(values).all()):
                raise NonFiniteStateError(f"{where}.{array}: holds NaN or infinity")
        if "weights" in part and bool((part["weights"] < 0).any()):
            raise InvalidStateError(f"{where}.weights: some are below 0")


def _count(where: str, value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise NonFiniteStateError(f"{where}: is {value}")
    if not whole(value):
        raise InvalidStateError(f"{where}: {short(value)} is no count")
