"""Lock and marker of run folders, and the removal of former runs.

A run writes a marker into its folder and holds a lock while it runs. A folder without a marker, a checkpoint or a
metrics.json of pinnkit is never cleared.
"""

from __future__ import annotations

import errno
import logging
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import filelock

from pinnkit.reporting.artifacts import RunFolder, RunFolderError
from pinnkit.reporting.atomic import write_text
from pinnkit.versions import __version__

log = logging.getLogger(__name__)

MARKER_FILE, LOCK_FILE = ".pinnkit", ".pinnkit.lock"
FOLDER_KEY = "run folder"
"""Key of mistakes about the run folder."""
RUN_FILES = (
    "config.yaml",
    "metrics.json",
    "solution.npz",
    "history.jsonl",
    "train.log",
    "loggers.json",
    "report.html",
    "figures/*.png",
    "checkpoints/last.ckpt",
    "checkpoints/previous.ckpt",
    "checkpoints/best.ckpt",
    "tensorboard/events.out.tfevents.*",
    "tensorboard/hparams.yaml",
    "evaluation/metrics.json",
    "evaluation/report.html",
    "evaluation/solution.*",
    "evaluation/export.json",
    "evaluation/solution_vtk/*.vt[ru]",
    "evaluation/figures/*.png",
)
"""Patterns of the files that runs write."""
TEMPORARY_FILES = (".*.tmp", "checkpoints/*.tmp", "figures/.*.tmp", "evaluation/.*.tmp", "evaluation/figures/.*.tmp")
"""Patterns of files left by runs killed while writing."""
SUBFOLDERS = (
    "evaluation/figures", "evaluation/checkpoints", "evaluation/solution_vtk", "evaluation", "tensorboard", "figures",
    "checkpoints",
)  # fmt: skip


class FolderUnavailableError(RunFolderError):
    """A run cannot use a folder: another run works in it, or its files would be lost."""


class RunFolderLock:
    """Exclusive use of a run folder.

    Args:
        overwrite: whether a former run may be removed.
        resume: whether the former run goes on, so that nothing is removed.
    """

    def __init__(self, run: RunFolder, *, overwrite: bool = False, resume: bool = False) -> None:
        self.run, self.overwrite, self.resume = run, overwrite, resume
        self._lock: filelock.BaseFileLock | None = None

    def check(self) -> None:
        """Check that the folder can be acquired, and change nothing.

        Raises:
            FolderUnavailableError: it cannot; the message gives the reason and what to do.
        """
        path = self.run.path
        if self.resume and not path.is_dir():
            raise FolderUnavailableError(f"{path}: there is no such folder")
        if next((one for one in (path, *path.parents) if one.exists() and not one.is_dir()), None) is not None:
            raise FolderUnavailableError(f"{path}: no folder can be made there, as a file is in the way")
        if (path / LOCK_FILE).exists() and self._lock is None:
            self.lock()
            self.release()
        there = sorted(_there(self.run, RUN_FILES))
        self._check_kinds([*there, path / MARKER_FILE])
        if self.resume or not there:
            return
        if not _is_run(self.run):
            names = ", ".join(str(one.relative_to(path)) for one in there[:3])
            more = f" and {len(there) - 3} more" if len(there) > 3 else ""
            raise FolderUnavailableError(
                f"{path} holds {names}{more}, which no run of pinnkit has written: name another folder for this run"
            )
        if not self.overwrite:
            raise FolderUnavailableError(
                f"{path} holds a run already ({_description(self.run)}): name another folder, or overwrite=true to "
                "remove that run"
            )

    def _check_kinds(self, files: list[Path]) -> None:
        """Check that files are files and folders are folders; a pipe would block the run."""
        advice = "move it away, or name another folder"
        for one in files:
            gone_round = self.resume and one.suffix == ".ckpt" and not one.is_dir()  # by the checkpoint before it
            if one.exists() and not one.is_file() and not gone_round:
                raise FolderUnavailableError(f"{one} is no file, and a run keeps one there: {advice}")
        for one in (self.run.path / name for name in SUBFOLDERS):
            if one.exists() and not one.is_dir():
                raise FolderUnavailableError(f"{one} is no folder, and a run keeps one there: {advice}")

    def lock(self) -> None:
        """Lock the folder, which must exist; a lock ends with its process.

        Raises:
            FolderUnavailableError: another run holds it.
        """
        lock = filelock.FileLock(self.run.path / LOCK_FILE, timeout=0, mode=0o666)
        try:
            lock.acquire()
        except filelock.Timeout:
            message = "another run works in this folder now: wait for its end, or name another folder"
            raise FolderUnavailableError(f"{self.run.path}: {message}") from None
        except (IsADirectoryError, FileNotFoundError) as error:
            raise FolderUnavailableError(
                f"{self.run.path / LOCK_FILE} cannot be locked ({error.strerror}): move it away"
            ) from None
        except NotImplementedError:
            log.warning("%s: this file system has no locks; start no second run in this folder", self.run.path)
            return
        self._lock = lock

    def acquire(self) -> None:
        """Create, lock and mark the folder, and remove the files of a former run.

        Raises:
            FolderUnavailableError: the folder cannot be used.
            PermissionError: a folder of the run is closed; nothing has been removed.
        """
        self.run.create()
        for folder in (self.run.path, *(self.run.path / name for name in SUBFOLDERS)):
            if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        if self._lock is None:
            self.lock()
        self.check()  # once more: until the lock was held another run may have come
        if not self.resume:
            write_marker(self.run)
            remove_run_files(self.run)
            self.run.create()

    def release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def write_marker(run: RunFolder) -> None:
    """Write the marker of a run folder."""
    write_text(run.path / MARKER_FILE, f"A run of pinnkit {__version__}; overwrite=true removes it.\n")


def remove_run_files(run: RunFolder) -> None:
    """Remove the files that a run has written, and nothing else; links are removed, not followed."""
    for name in SUBFOLDERS:
        if (run.path / name).is_symlink():
            (run.path / name).unlink()
    for path in [*_there(run, RUN_FILES), *_there(run, TEMPORARY_FILES)]:
        path.unlink(missing_ok=True)
    for name in SUBFOLDERS:
        folder = run.path / name
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _there(run: RunFolder, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        yield from run.path.glob(pattern)


def _is_run(run: RunFolder) -> bool:
    """Whether a run of pinnkit has used the folder: by its marker, metrics.json or checkpoints."""
    if (run.path / MARKER_FILE).is_file():
        return True
    try:
        metrics = run.read_metrics()
        if "pinnkit" in (metrics.get("versions") or {}) or isinstance(metrics.get("overrides"), list):
            return True
    except (RunFolderError, OSError, TypeError):
        pass
    return any(_is_checkpoint(path) for path in (run.last_checkpoint, run.previous_checkpoint, run.best_checkpoint))


def _is_checkpoint(path: Path) -> bool:
    """Whether pinnkit wrote a checkpoint, by the class names in torch's archive."""
    if not path.is_file():
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            parts = [one for one in archive.infolist() if one.filename.endswith("/data.pkl")]
            return any(b"CollocationData" in archive.read(one) for one in parts if one.file_size < 10**7)
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError):
        return False


def _description(run: RunFolder) -> str:
    """Status and steps of the run in a folder."""
    try:
        metrics = run.read_metrics()
        return f"{metrics['status']}, {metrics['steps']} steps" if "steps" in metrics else metrics["status"]
    except (RunFolderError, OSError):
        return "without a metrics.json"
