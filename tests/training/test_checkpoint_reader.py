"""Damaged checkpoints of every kind are refused in words, and the one before is used; nothing in them is executed."""

import math
import os
import pickle
import zipfile
from importlib.metadata import version

import pytest
import torch

import pinnkit
from pinnkit.problem.problem import Problem
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.runs.solve import solve
from pinnkit.training.checkpoint_reader import DamagedCheckpoint, newest, read
from pinnkit.training.checkpoint_schema import FORMAT
from pinnkit.training.exceptions import Diverged
from pinnkit.training.rollback import remove_later
from tests.runs.small import QUICK, solved


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The checkpoints of a short run, as bytes by name."""
    folder = tmp_path_factory.mktemp("run")
    problem = Problem(
        name="decay",
        coordinates={"t": [0, 1]},
        fields=["u"],
        equations={"decay": "u_t = -u"},
        conditions={"start": {"at": "t = 0", "equations": "u = 1"}},
    )
    pinnkit.solve(
        problem,
        folder,
        {
            "network": {"width": 5, "depth": 2},
            "phases": ["ssbroyden"],
            "trainer": {"max_steps": 30},
            "checkpoint": {"every_steps": 20},
            "callbacks": {"progress": False, "figures": False},
            "logger": {"tensorboard": False},
        },
    )
    return {path.name: path.read_bytes() for path in (folder / "checkpoints").iterdir()}


@pytest.fixture
def run(tmp_path, whole):
    run = RunFolder(tmp_path).create()
    for name, content in whole.items():
        (run.checkpoints / name).write_bytes(content)
    return run


def test_the_last_two_are_kept_and_hold_everything(run):
    last, previous = read(run.last_checkpoint), read(run.previous_checkpoint)
    assert (last["progress"]["step"], previous["progress"]["step"]) == (30, 20)
    assert sorted(path.name for path in run.checkpoints.iterdir()) == ["best.ckpt", "last.ckpt", "previous.ckpt"]
    assert last["pinnkit"]["versions"]["torch"] == version("torch")
    assert "u_t = -u" in last["pinnkit"]["config"]
    assert "inverse_hessian" in last["optimizer_states"][0]["state"][0]
    assert newest([run.last_checkpoint, run.previous_checkpoint])[0] == run.last_checkpoint


def test_a_run_keeps_its_start_and_never_the_same_step_twice(tmp_path, quick, heat_words):
    run = RunFolder(tmp_path)
    quick |= {"phases": ["adam"], "operators": {"engine": "autograd"}, "checkpoint": {"every_steps": 20}}
    steps = []
    for last in (10, 40):
        solve(Problem(**heat_words), run.path, quick | {"trainer": {"max_steps": last}}, overwrite=True)
        steps.append([read(path)["progress"]["step"] for path in (run.previous_checkpoint, run.last_checkpoint)])
    assert steps == [[0, 10], [20, 40]]


def test_a_run_that_is_resumed_at_its_end_keeps_the_checkpoint_before_it(tmp_path):
    run = RunFolder(tmp_path)
    solved(tmp_path)
    solved(tmp_path, resume=True)
    assert [read(path)["progress"]["step"] for path in (run.previous_checkpoint, run.last_checkpoint)] == [0, 10]


def test_where_the_last_is_damaged_a_run_that_is_resumed_at_its_end_writes_it_anew(tmp_path):
    run = RunFolder(tmp_path)
    solved(tmp_path, settings={**QUICK, "checkpoint": {"every_steps": 5}})
    run.last_checkpoint.write_bytes(b"")
    settings = {**QUICK, "checkpoint": {"every_steps": 5}, "trainer": {"max_steps": 5}}
    solved(tmp_path, settings=settings, resume=True)
    assert read(run.last_checkpoint)["progress"]["step"] == 5


@pytest.mark.parametrize(("step", "kept"), [(20, False), (30, True), (40, True)])
def test_the_best_is_removed_where_it_is_later_than_what_training_goes_back_to(step, kept, run):
    remove_later(run.best_checkpoint, step)
    assert run.best_checkpoint.exists() == kept


def test_a_new_run_does_not_go_on_from_what_another_has_left_in_its_folder(tmp_path, quick, heat_words):
    run = RunFolder(tmp_path)
    quick |= {"phases": ["adam"], "operators": {"engine": "autograd"}}
    solve(Problem(**heat_words), run.path, quick | {"trainer": {"max_steps": 30}})
    heat_words["equations"] = {"heat": lambda p: p.u_t * math.inf}
    del heat_words["exact"]
    with pytest.raises(Diverged):
        solve(Problem(**heat_words), run.path, quick | {"network": {"width": 5, "depth": 1}}, overwrite=True)
    assert read(run.last_checkpoint)["progress"]["step"] == 0
    assert not run.previous_checkpoint.exists()
    assert not run.best_checkpoint.exists()
    assert not run.solution.exists()
    assert run.read_metrics()["status"] == "diverged"


def rewritten(path, change):
    content = torch.load(path, weights_only=True)
    change(content)
    torch.save(content, path)


class Runs:
    """Unpickled, it would leave a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def truncated(share):
    return lambda path: path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def flipped(number):
    def damage(path):
        """A bit in the middle of one of the archive's largest parts."""
        content = bytearray(path.read_bytes())
        with zipfile.ZipFile(path) as archive:
            part = sorted(archive.infolist(), key=lambda one: -one.file_size)[number]
        name, extra = (int.from_bytes(content[part.header_offset + at :][:2], "little") for at in (26, 28))
        content[part.header_offset + 30 + name + extra + part.file_size // 2] ^= 0x10
        path.write_bytes(bytes(content))

    return damage


def deflated(path):
    with zipfile.ZipFile(path) as archive:
        parts = {one.filename: archive.read(one) for one in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


SHARES = (0.001, 0.01, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95, 0.99, 0.999)
DAMAGES = {
    **{f"truncated {share}": (truncated(share), "damaged or was cut short") for share in SHARES},
    **{f"flipped {number}": (flipped(number), "checksum") for number in (0, 1, 4, 9)},
    "empty": (lambda path: path.write_bytes(b""), "damaged or was cut short"),
    "missing": (lambda path: path.unlink(), "there is no such checkpoint"),
    "text": (lambda path: path.write_text("not a checkpoint"), "damaged or was cut short"),
    "another version": (
        lambda path: rewritten(path, lambda content: content["pinnkit"].update(format=99)),
        f"has the format 99, and this version of pinnkit reads {FORMAT}",
    ),
    "compressed": (lambda path: deflated(path), "is compressed, as no checkpoint of pinnkit is"),
    "another program": (lambda path: torch.save({"state_dict": {}}, path), "is no checkpoint of pinnkit"),
    "code": (lambda path: torch.save({"x": Runs(path.parent / "executed")}, path), "could run code, and is refused"),
    "bare pickle": (lambda path: path.write_bytes(pickle.dumps(Runs(path.parent / "executed"))), "damaged or was cut"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_checkpoint_is_refused_and_the_one_before_used(kind, run, caplog):
    damage, told = DAMAGES[kind]
    damage(run.last_checkpoint)
    with pytest.raises(DamagedCheckpoint, match=told):
        read(run.last_checkpoint)
    path, content = newest([run.last_checkpoint, run.previous_checkpoint])
    assert path == run.previous_checkpoint
    assert content["progress"]["step"] == 20
    assert told in caplog.text
    assert "the checkpoint before it is used" in caplog.text
    assert not (run.checkpoints / "executed").exists()


def test_where_none_is_whole_all_are_named(run):
    for path in (run.last_checkpoint, run.previous_checkpoint):
        path.write_bytes(b"")
    with pytest.raises(DamagedCheckpoint, match=r"no checkpoint can be used: .*last\.ckpt.*previous\.ckpt"):
        newest([run.last_checkpoint, run.previous_checkpoint])
