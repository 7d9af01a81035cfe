"""The programs of other frameworks run in environments of their own, without pinnkit."""

import ast
import subprocess
import sys

import pytest

from tests.conftest import ROOT

PEERS = ROOT / "scripts" / "benchmark" / "peers"


@pytest.mark.parametrize("name", sorted(path.stem for path in PEERS.glob("*.py")))
def test_a_peer_imports_no_part_of_pinnkit(name):
    for node in ast.walk(ast.parse((PEERS / f"{name}.py").read_text())):
        if isinstance(node, ast.Import):
            assert not [one.name for one in node.names if one.name.split(".")[0] in ("pinnkit", "benchmark")]
        elif isinstance(node, ast.ImportFrom):
            assert node.level in (0, 1)
            assert (node.module or "").split(".")[0] not in ("pinnkit", "benchmark")


def test_importing_a_peer_loads_no_framework():
    """`--help` and a refused problem must not need one."""
    code = (
        "import sys, peers.accuracy_deepxde, peers.accuracy_jinns; "
        "import peers.deepxde_step, peers.pina_step, peers.torchphysics_step, peers.jax_step; "
        "import peers.comparison_deepxde, peers.comparison_pina; "
        "import peers.comparison_torchphysics, peers.comparison_jinns; "
        "assert not [name for name in sys.modules if name.split('.')[0] in ('pinnkit', 'torch', 'jax')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PEERS.parent)
