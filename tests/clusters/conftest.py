"""The emulated SLURM cluster of the tests here; they are skipped, with the reason, where it cannot be set up."""

import tempfile

import pytest

from tests.clusters import slurm


@pytest.fixture(scope="session")
def cluster():
    if (why := slurm.missing()) is not None:
        pytest.skip(f"no SLURM cluster on this machine: {why}")
    short = tempfile.TemporaryDirectory(prefix="slurm")  # the path of a socket has 107 characters at most
    with short as folder, slurm.Cluster(folder) as cluster:
        yield cluster
