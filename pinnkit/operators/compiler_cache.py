"""Private cache folder of compiled code and of measured engine choices.

The compiler's cache holds code and pickles that are executed on reading, so nobody else may write there.
TorchInductor's default is below the system's temporary folder, under a name that any user can take first.
"""

from __future__ import annotations

import atexit
import functools
import logging
import os
import shutil
import stat
import tempfile
from pathlib import Path

log = logging.getLogger(__name__)

CACHE_VARIABLE = "TORCHINDUCTOR_CACHE_DIR"
INDUCTOR_FOLDER = "inductor"
_made: list[Path] = []
"""The temporary folder of this process, if it has one."""


def cache_folder() -> Path:
    """The cache folder: XDG_CACHE_HOME/pinnkit, or ~/.cache/pinnkit.

    Raises:
        OSError: there is no home folder.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME") or "")
    if not base.is_absolute():  # as the XDG specification has it
        try:
            base = Path.home() / ".cache"
        except RuntimeError as error:
            raise OSError(str(error)) from error
    return base / "pinnkit"


def private_folder() -> Path:
    """The cache folder, created if missing; a temporary one if other users can write in it.

    Raises:
        OSError: neither can be created.
    """
    return _temporary() if _complaint() else cache_folder()


def set_compiler_cache() -> bool:
    """Set TorchInductor's cache to the private folder, unless the environment names another.

    Call it before lightning is imported, which sets the variable to a folder in the system's temporary one.

    Returns:
        Whether the folder is pinnkit's.
    """
    given = os.environ.get(CACHE_VARIABLE)
    if given and not _inductors_own(Path(given)) and Path(given) not in _ours():
        return False
    try:
        os.environ[CACHE_VARIABLE] = str(private_folder() / INDUCTOR_FOLDER)
    except OSError:  # reported once something is compiled
        os.environ.pop(CACHE_VARIABLE, None)
    return True


def secure_compiler_cache() -> None:
    """Move every file of the compiler's cache to the private folder, precompiled headers included.

    Raises:
        OSError: there is no folder that is private.
    """
    if set_compiler_cache() and (complaint := _complaint()):
        _temporary()  # raises where there is none
        _warn(complaint)
    from torch._inductor.runtime import cache_dir_utils, runtime_utils

    # Headers and the measurements of matrix products are kept in the default folder whatever the variable says.
    cache_dir_utils.default_cache_dir = runtime_utils.default_cache_dir = _default
    from torch._inductor import codecache

    codecache.default_cache_dir = _default
    codecache._HEADER_DIR = os.path.join(_default(), "precompiled_headers")
    codecache._HEADER_LOCK_DIR = os.path.join(codecache._HEADER_DIR, "locks")


def _default() -> str:
    return os.environ.get(CACHE_VARIABLE) or str(private_folder() / INDUCTOR_FOLDER)


def _complaint() -> str:
    """Why the cache folder is not private, or an empty text; created if missing, and closed to others."""
    try:
        folder = cache_folder()
        return _unsafe(folder) or _unsafe(folder / INDUCTOR_FOLDER)
    except OSError as error:
        return str(error)


def _unsafe(folder: Path) -> str:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not hasattr(os, "geteuid"):  # Windows, where a profile is private
        return ""
    found = folder.stat()
    if found.st_uid != os.geteuid():
        return f"{folder} belongs to another user (uid {found.st_uid})"
    if stat.S_IMODE(found.st_mode) & 0o022 and any(folder.iterdir()):
        return f"other users can write in {folder}: remove it, and the next run creates it again"
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)  # what lies deeper is then closed to others too
    return ""


def _temporary() -> Path:
    """A private folder that is removed at the end of this process."""
    if not _made:
        folder = Path(tempfile.mkdtemp(prefix="pinnkit-"))
        (folder / INDUCTOR_FOLDER).mkdir(mode=0o700)
        _made.append(folder)
        atexit.register(_remove, folder, os.getpid())
    return _made[0]


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # and not in a process that was forked
        shutil.rmtree(folder, ignore_errors=True)


@functools.cache  # once in a process
def _warn(complaint: str) -> None:
    log.warning("compiled code is not kept for later runs: %s", complaint)


def _inductors_own(folder: Path) -> bool:
    """Whether this is the compiler's default, which it also sets for its subprocesses."""
    return folder.name.startswith("torchinductor_") and folder.parent == Path(os.path.abspath(tempfile.gettempdir()))


def _ours() -> set[Path]:
    """Folders that `set_compiler_cache` may have set."""
    try:
        return {cache_folder() / INDUCTOR_FOLDER, *(folder / INDUCTOR_FOLDER for folder in _made)}
    except OSError:
        return {folder / INDUCTOR_FOLDER for folder in _made}
