"""What the project promises about itself."""

import subprocess
import sys

from tests.conftest import ROOT

LONGEST = 300


def test_files_are_short():
    files = [path for folder in ("pinnkit", "scripts", "tests") for path in (ROOT / folder).rglob("*.py")]
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in files}
    assert len(lengths) > 100
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}
    assert lengths["pinnkit/training/module.py"] <= 200


def test_ci_runs_the_test_command_of_the_readme():
    command = 'pip install -e ".[test]" && python -m pytest'
    assert command in (ROOT / "README.md").read_text()
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_reading_and_checking_a_problem_loads_no_torch():
    code = (
        "import sys, pinnkit; pinnkit.Problem(coordinates={'t': [0, 1]}, fields=['u'], equations='u_t = u', "
        "conditions={'a': {'at': 't = 0', 'equations': 'u = 1'}}); pinnkit.Settings(); "
        "import pinnkit.cli.train, pinnkit.cli.check, pinnkit.cli.evaluate; "
        "print([name for name in ('torch', 'lightning', 'scipy', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_pinnkit_solve_is_a_function_whichever_way_it_is_imported():
    code = (
        "import pinnkit.runs.solve, pinnkit; assert callable(pinnkit.solve); "
        "from pinnkit import solve; assert callable(solve); "
        "from pinnkit.runs.solve import solve as same; assert same is pinnkit.solve"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
