"""Build, check and try a release: `python scripts/release.py`; nothing is uploaded.

Needs `pip install "pinnkit[release]"`. The wheel is installed in a fresh environment and used from other folders.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUN = [
    "train", "pde=poisson_disk", "trainer.max_steps=5", "network.width=8", "operators=autograd", "logger=none",
    "callbacks=quiet", "callbacks.figures=false", "hydra.run.dir=runs/disk",
]  # fmt: skip
COMMANDS = [
    ["--help"],
    ["list"],
    ["check", "pde=heat"],
    RUN,
    ["evaluate", "runs/disk", "grid=21", "export=csv,npz,netcdf,vtk,pt2"],
    ["compare", "runs/disk", "out=compared"],
    *([name, "--help"] for name in ("train", "check", "evaluate", "compare", "sweep")),
]
"""What is run by the console command, in this order and in one folder."""
MOVED = """
import sys, numpy as np, pinnkit
run, expected = sys.argv[1:]
with np.load(expected) as saved:
    points, values = {name: saved[name] for name in "xy"}, saved["u"]
inside = np.isfinite(values)
found = pinnkit.load(run)(**{name: one[inside] for name, one in points.items()})["u"]
assert np.array_equal(found, values[inside]), np.abs(found - values[inside]).max()
print(pinnkit.__file__)
"""


class NotReady(Exception):
    """Something that a release must have is missing; the message says what."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run every step; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trial", action="store_true", help="accept a version that is marked as unreleased")
    parser.add_argument("--shared", action="store_true", help="take the packages of this environment, not fresh ones")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where the files go (default: dist)")
    given = parser.parse_args(argv)
    try:
        version = check_texts(ROOT, given.trial)
        files = build(given.out)
        with tempfile.TemporaryDirectory() as folder:
            try_wheel(next(file for file in files if file.suffix == ".whl"), version, Path(folder), given.shared)
    except (NotReady, subprocess.CalledProcessError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    print(f"pinnkit {version} is ready: {', '.join(str(file) for file in files)}")
    return 0


def check_texts(root: Path, trial: bool = False) -> str:
    """The version, which CHANGELOG.md and CITATION.cff must name too.

    Raises:
        NotReady: they do not, or the changelog calls it unreleased and it is no trial.
    """
    version = _found(r'^__version__ = "([^"]+)"', root / "pinnkit" / "versions.py")
    cited = _found(r"^version: (\S+)", root / "CITATION.cff")
    if cited != version:
        raise NotReady(f"CITATION.cff has the version {cited}, and pinnkit/versions.py {version}")
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    section = re.search(rf"^## \[?{re.escape(version)}\]?(.*)$", changelog, flags=re.MULTILINE)
    if section is None:
        raise NotReady(f"CHANGELOG.md has no section '## {version}'")
    if "unreleased" in section[1].lower() and not trial:
        raise NotReady(f"CHANGELOG.md calls {version} unreleased: write its date, or pass --trial")
    return version


def build(out: Path) -> list[Path]:
    """The source archive and the wheel, checked by twine.

    Raises:
        NotReady: build or twine is not installed.
    """
    missing = [name for name in ("build", "twine") if importlib.util.find_spec(name) is None]
    if missing:
        raise NotReady(f'{" and ".join(missing)} is needed: pip install "pinnkit[release]"')
    if out.exists():
        shutil.rmtree(out)
    _run([sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)])
    files = sorted(out.iterdir())
    _run([sys.executable, "-m", "twine", "check", "--strict", *map(str, files)])
    return files


def try_wheel(wheel: Path, version: str, folder: Path, shared: bool) -> None:
    """Install the wheel in a fresh environment, run each command, and load a run that has been moved.

    shared: whether the environment sees the packages of this one, so that nothing else is downloaded.

    Raises:
        NotReady: a command says something else than it should.
    """
    home = folder / "environment"
    venv.EnvBuilder(with_pip=True).create(home)
    binaries = home / ("Scripts" if os.name == "nt" else "bin")
    python, command = binaries / "python", binaries / "pinnkit"
    options = ["--no-deps"] if shared else []
    _run([str(python), "-m", "pip", "install", "--quiet", *options, str(wheel)], folder)
    if shared:
        (site,) = home.glob("**/site-packages")
        others = [path for path in sys.path if path.endswith("-packages")]
        (site / "shared.pth").write_text("\n".join(others) + "\n", encoding="utf-8")
    work = folder / "work"
    work.mkdir()
    said = _run([str(command), "--version"], work)
    if said.split() != ["pinnkit", version]:
        raise NotReady(f"pinnkit --version says {said!r}, and {version} is built")
    for arguments in COMMANDS:
        _run([str(command), *arguments], work)
    _run([str(python), "-m", "pinnkit", "list"], work)
    elsewhere = folder / "another machine" / "taken"
    elsewhere.parent.mkdir()
    shutil.move(work / "runs" / "disk", elsewhere)
    shutil.rmtree(work)
    (folder / "empty").mkdir()
    found = _run([str(python), "-c", MOVED, str(elsewhere), str(elsewhere / "solution.npz")], folder / "empty")
    if home.resolve() not in Path(found.strip().splitlines()[-1]).resolve().parents:
        raise NotReady(f"{found.strip()} was imported, and not the wheel")
    _run([str(command), "evaluate", str(elsewhere), "export=vtk"], folder / "empty")


def _run(command: Sequence[str], folder: Path | None = None) -> str:
    """The output of a command that must end well."""
    print("+", *("..." if "\n" in word else word for word in command), flush=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotReady(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def _found(pattern: str, path: Path) -> str:
    found = re.search(pattern, path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if found is None:
        raise NotReady(f"{path}: no line fits {pattern}")
    return found[1]


if __name__ == "__main__":
    sys.exit(main())
