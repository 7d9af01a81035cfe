"""Layout of the run folder: paths, reading and writing of its files.

Every file is written under a temporary name and then renamed: a run killed while writing leaves the former file.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pinnkit.reporting.atomic import atomic, write_text
from pinnkit.reporting.json_values import parse_json, to_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure  # a second of import that reading a run need not pay

FIGURE_FORMATS = ("png", "pdf", "svg")
FIGURE_DPI = 150


UNDATED = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
"""Metadata by format: a run that is repeated gives the same files."""


class RunFolderError(ValueError):
    """A run folder or a file of it is missing or damaged; the message names path and expectation."""


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays in NumPy's npz format (compressed). Raises ValueError for an array of Python objects."""
    # np.savez_compressed takes names as keyword arguments, so a field called `file` would break it.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():
            array = np.asarray(values)
            if array.dtype.hasobject:
                raise ValueError(f"array {name!r} has dtype {array.dtype}: expected numbers")
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


@dataclass(frozen=True)
class RunFolder:
    """The files of one run.

    Writing raises RunFolderError where the folder does not exist yet (see `create`), reading where a file is
    missing or damaged.
    """

    path: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))

    @property
    def config(self) -> Path:
        """The resolved configuration: running it again repeats the run."""
        return self.path / "config.yaml"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.json"

    @property
    def solution(self) -> Path:
        """One array for each coordinate and each field by their names; a reference as `u_reference`."""
        return self.path / "solution.npz"

    @property
    def figures(self) -> Path:
        return self.path / "figures"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def last_checkpoint(self) -> Path:
        return self.checkpoints / "last.ckpt"

    @property
    def previous_checkpoint(self) -> Path:
        """The checkpoint before the last."""
        return self.checkpoints / "previous.ckpt"

    @property
    def best_checkpoint(self) -> Path:
        return self.checkpoints / "best.ckpt"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    @property
    def tracker_runs(self) -> Path:
        """The identities of the run in Weights & Biases and in MLflow, by which it goes on there."""
        return self.path / "loggers.json"

    @property
    def history(self) -> Path:
        """One JSON object a line, as training goes on: step, time_s, objective, and errors by field."""
        return self.path / "history.jsonl"

    @property
    def report(self) -> Path:
        """The run on one page, to read and to send."""
        return self.path / "report.html"

    @property
    def log(self) -> Path:
        return self.path / "train.log"

    @property
    def resumable(self) -> bool:
        """Whether there is a checkpoint to resume from."""
        return self.last_checkpoint.is_file() or self.previous_checkpoint.is_file()

    def create(self) -> RunFolder:
        """Make the folder with its subfolders for figures and checkpoints; nothing that exists is touched."""
        for folder in (self.path, self.figures, self.checkpoints):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError) as error:
                raise RunFolderError(
                    f"run folder {self.path}: {error.filename} is a file; expected a folder"
                ) from error
        return self

    def write_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Write metrics.json: `status` first, then the other keys in the order given.

        `status` is required. NaN and +-inf are written as null, and the key `not_finite` lists their dotted names.
        Raises RunFolderError without a status and TypeError for a value that JSON cannot hold.
        """
        if not isinstance(metrics.get("status"), str):
            raise RunFolderError(
                f"{self.metrics}: status = {metrics.get('status')!r}; expected a text such as 'finished'"
            )
        content, not_finite = to_json({"status": metrics["status"], **metrics})
        if not_finite:
            content["not_finite"] = not_finite
        self._require_folder()
        write_text(self.metrics, json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n")

    def read_metrics(self) -> dict[str, Any]:
        text = self._read_text(self.metrics)
        try:
            content = parse_json(text)
        except ValueError as error:
            raise RunFolderError(f"{self.metrics}: damaged, expected JSON: {error}") from error
        if not isinstance(content, dict) or not isinstance(content.get("status"), str):
            raise RunFolderError(f"{self.metrics}: damaged, expected a JSON object with the key 'status'")
        return content

    def has_own_metrics(self) -> bool:
        """Whether metrics.json is of a run that began: otherwise it has no versions."""
        try:
            return "versions" in self.read_metrics()
        except RunFolderError:
            return self.metrics.exists()

    def write_config(self, text: str) -> None:
        self._require_folder()
        write_text(self.config, text)

    def read_config(self) -> str:
        return self._read_text(self.config)

    def append_history(self, row: Mapping[str, Any]) -> None:
        """Add a line to history.jsonl; a number that is not finite is null."""
        content, _ = to_json(row)
        with self.history.open("a", encoding="utf-8") as file:
            file.write(json.dumps(content, allow_nan=False) + "\n")

    def write_solution(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Write solution.npz (compressed). Raises ValueError for an array of Python objects."""
        self._require_folder()
        with atomic(self.solution) as temporary:
            save_arrays(temporary, arrays)

    def read_solution(self) -> dict[str, np.ndarray]:
        """All arrays of solution.npz by name. Nothing pickled is ever loaded."""
        if not self.solution.is_file():
            raise RunFolderError(self._missing(self.solution))
        damaged = f"{self.solution}: damaged, expected arrays in NumPy's npz format"
        try:
            # Opened here: np.load leaves the file open when the archive is damaged.
            with self.solution.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            raise RunFolderError(f"{damaged}: {error}") from error
        except (TypeError, AttributeError) as error:  # a bare .npy array under this name has no names
            raise RunFolderError(damaged) from error

    def write_figures(
        self, figures: Mapping[str, Figure], formats: Sequence[str] = ("png",), dpi: int = FIGURE_DPI
    ) -> list[Path]:
        """Write each figure as figures/NAME.FORMAT and return the paths. The figures stay open.

        Text in a pdf is text, in the fonts of the figure; what was drawn as an image has `dpi` pixels per inch.

        Raises ValueError for a name with characters outside [A-Za-z0-9_.-], before anything is written.
        """
        for name in figures:
            if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", name):
                raise ValueError(f"figure name {name!r}: expected only letters, digits, '_', '-' and '.'")
        self._require_folder()
        self.figures.mkdir(exist_ok=True)
        paths = []
        for name, figure in figures.items():
            for kind in formats:
                path = self.figures / f"{name}.{kind}"
                with atomic(path) as temporary:
                    save_figure(figure, temporary, kind, dpi)
                paths.append(path)
        return paths

    def _require_folder(self) -> None:
        if not self.path.is_dir():
            raise RunFolderError(f"run folder {self.path}: there is no such folder; create() makes it")

    def _read_text(self, path: Path) -> str:
        try:
            if not path.is_file():
                raise RunFolderError(self._missing(path))
            return path.read_bytes().decode("utf-8")
        except OSError as error:
            raise RunFolderError(f"{path}: cannot be read ({error.strerror})") from error
        except UnicodeDecodeError as error:
            raise RunFolderError(f"{path}: damaged, expected UTF-8 text: {error}") from error

    def _missing(self, path: Path) -> str:
        if not self.path.exists():
            return f"{self.path}: there is no such folder; expected a run folder with {path.name} in it"
        if not self.path.is_dir():
            problem = f"{self.path}: is a file; expected a run folder"
        else:
            problem = f"{self.path}: there is no {path.name} in it; expected a run folder"
        nearest = self._nearest(path.name)
        return f"{problem}. Did you mean {nearest}?" if nearest else problem

    def _nearest(self, name: str) -> Path | None:
        """A folder around or below this path that holds the file: the closest parent, or the newest run."""
        for parent in list(self.path.parents)[:2]:
            if (parent / name).is_file():
                return parent
        below = [*self.path.glob(f"*/{name}"), *self.path.glob(f"*/*/{name}")]
        return max(below, key=lambda file: file.stat().st_mtime).parent if below else None


def save_figure(figure: Figure, path: Path, kind: str, dpi: int = FIGURE_DPI) -> None:
    """Write a figure as png, pdf or svg, with the fonts embedded as TrueType, which journals ask for."""
    from matplotlib import rc_context

    with rc_context({"pdf.fonttype": 42, "svg.hashsalt": "pinnkit"}):
        figure.savefig(path, format=kind, dpi=dpi, metadata=UNDATED[kind])
