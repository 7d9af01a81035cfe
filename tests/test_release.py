"""The release: one version everywhere, and a wheel that works in a fresh environment."""

import subprocess
import sys

import pytest

import release
from pinnkit.versions import __version__
from tests.conftest import ROOT


def test_the_version_is_the_same_everywhere():
    assert release.check_texts(ROOT, trial=True) == __version__


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("CITATION.cff", "version: 1.2.3", "version: 1.2.2", "CITATION.cff has the version 1.2.2, and .* 1.2.3"),
        ("CHANGELOG.md", "## 1.2.3", "## 1.2.2", "CHANGELOG.md has no section '## 1.2.3'"),
        (
            "CHANGELOG.md",
            "## 1.2.3",
            "## 1.2.3 (unreleased)",
            "calls 1.2.3 unreleased: write its date",
        ),
    ],
)
def test_what_a_release_lacks_is_told(file, old, new, message, tmp_path):
    (tmp_path / "pinnkit").mkdir()
    texts = {
        "pinnkit/versions.py": '__version__ = "1.2.3"\n',
        "CITATION.cff": "title: pinnkit\nversion: 1.2.3\n",
        "CHANGELOG.md": "# Changelog\n\n## 1.2.3\n\n- first\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    assert release.check_texts(tmp_path) == "1.2.3"
    (tmp_path / file).write_text(texts[file].replace(old, new))
    with pytest.raises(release.NotReady, match=message):
        release.check_texts(tmp_path)


@pytest.mark.slow
def test_the_wheel_works_in_a_fresh_environment_and_loads_a_run_that_has_been_moved(tmp_path):
    """Of the packages of this environment; scripts/release.py without --shared downloads all anew."""
    pytest.importorskip("build", reason='build is not installed: pip install "pinnkit[release]"')
    pytest.importorskip("twine", reason='twine is not installed: pip install "pinnkit[release]"')
    options = ["--trial", "--shared", "--out", str(tmp_path / "dist")]
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "release.py"), *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"pinnkit {__version__} is ready" in done.stdout
    assert sorted(path.suffix for path in (tmp_path / "dist").iterdir()) == [".gz", ".whl"]
