"""The place of the shipped configuration."""

from __future__ import annotations

from pathlib import Path

import pinnkit

SHIPPED = "shipped"
"""What config.yaml has in the place of the folder of the shipped problems, which differs between installations."""


def conf() -> Path:
    """The folder of the shipped configuration: in the package of a wheel, beside the package in a source tree."""
    package = Path(pinnkit.__file__).resolve().parent
    packaged = package / "conf"
    return packaged if packaged.is_dir() else package.parent / "conf"


def problems() -> dict[str, Path]:
    """The file of each shipped problem by its name; files lie in a folder for each kind."""
    return {path.stem: path for path in sorted((conf() / "pde").glob("*/*.yaml"))}


def data_folder(path: Path) -> Path:
    """Where the files that a problem file names are looked for: in its folder, or in that of all shipped problems."""
    whole = (conf() / "pde").resolve()
    return whole if whole in path.resolve().parents else path.parent


def portable(folder: str | Path) -> str:
    """The folder of a problem's files as config.yaml holds it: SHIPPED for that of the shipped problems."""
    if str(folder) == SHIPPED or Path(folder).resolve() == (conf() / "pde").resolve():
        return SHIPPED
    return str(Path(folder).resolve())


def located(folder: str | Path) -> Path:
    """The folder of a problem's files from config.yaml.

    >>> located(SHIPPED).parts[-2:], located("/moved/site-packages/pinnkit/conf/pde").parts[-2:]
    (('conf', 'pde'), ('conf', 'pde'))
    """
    path = Path(folder)
    moved = path.is_absolute() and path.parts[-2:] == ("conf", "pde") and not path.is_dir()
    return conf() / "pde" if str(folder) == SHIPPED or moved else path
