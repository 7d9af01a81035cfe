"""Two machines, as far as one can be two: network namespaces, joined by a virtual cable, with torchrun on each."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pinnkit.training.checkpoint_reader import read

ROOT = Path(__file__).resolve().parents[2]
WORDS = [
    "pde=heat", "network.width=8", "network.depth=2", "sampling.equations=61", "sampling.conditions=13",
    "sampling.redraw_every=10", "optimizer=ssbroyden", "operators=autograd", "trainer.max_steps=15", "callbacks=quiet",
    "callbacks.figures=false", "logger=none",
]  # fmt: skip
ALONE = ["unshare", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
HOSTS = """
set -e
mount -t tmpfs tmpfs /run
ip link add link1 type veth peer name link2
for n in 1 2; do
    ip netns add host$n
    ip link set link$n netns host$n
    ip -n host$n addr add 10.9.0.$n/24 dev link$n
    ip -n host$n link set link$n up
    ip -n host$n link set lo up
done
"""
"""In a user namespace, where it needs no rights: two network namespaces, 10.9.0.1 and 10.9.0.2."""
START = """
for n in 1 2; do
    [ $n = 1 ] && leads=1 || leads=0
    GLOO_SOCKET_IFNAME=link$n nsenter --net=/run/netns/host$n \
        "$@" --rdzv-conf=is_host=$leads --local-addr=10.9.0.$n $SCRIPT &
    started="$started $!"
done
for one in $started; do wait $one; done
"""


def alone(script, *words, **options):
    return subprocess.run(
        [*ALONE, "bash", "-c", script, "bash", *words],
        capture_output=True, text=True, timeout=240, **options,
    )  # fmt: skip


def test_two_hosts_take_the_steps_of_one(tmp_path):
    try:
        possible = alone(HOSTS)
    except FileNotFoundError as error:
        pytest.skip(f"no network namespaces: {error}")
    if possible.returncode:
        pytest.skip(f"no network namespaces: {possible.stderr.strip()}")
    train = str(ROOT / "scripts" / "train.py")
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "OMP_NUM_THREADS": "1", "HOME": str(tmp_path)}
    environment["PYTHONPATH"] = str(ROOT)
    one = [sys.executable, train, *WORDS, "hydra.run.dir=one"]
    subprocess.run(one, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=240)
    hosts = [*WORDS, "hydra.run.dir=two", "trainer=multi_node", "trainer.accelerator=cpu", "trainer.devices=1"]
    torchrun = [
        sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1", "--rdzv-id=test",
        "--rdzv-backend=c10d", "--rdzv-endpoint=10.9.0.1:29517",
    ]  # fmt: skip
    done = alone(HOSTS + START, *torchrun, cwd=tmp_path, env={**environment, "SCRIPT": " ".join([train, *hosts])})
    assert done.returncode == 0, done.stderr
    ends = [read(tmp_path / name / "checkpoints" / "last.ckpt")["state_dict"] for name in ("one", "two")]
    one, two = (torch.cat([value.flatten() for value in end.values()]) for end in ends)
    assert (one - two).norm() <= 1e-9 * one.norm()
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir() and not path.name.startswith(".")) == [
        "one", "two"
    ]  # fmt: skip
