"""Keys that Hydra does not find, in the words of the configuration."""

from __future__ import annotations

import pytest

from pinnkit.cli.hydra_errors import as_mistake
from tests.runs.small import WORDS, command


@pytest.mark.parametrize(
    ("key", "config", "message"),
    [
        (
            "network.depth",
            {"name": "mlp", "width": 20},
            "'depth' is not in the configuration file: write +network.depth=..., or add it to conf/network/mlp.yaml",
        ),
        (
            "trainer.max_time",
            {"accelerator": "cpu"},
            "'max_time' is not in the configuration file: write +trainer.max_time=..., or add it to the file in "
            "conf/trainer/",
        ),
        ("network.dpth", {"name": "mlp", "width": 20}, "unknown key 'dpth'; did you mean 'depth'?"),
        ("network.method", {"name": "mlp"}, "unknown key 'method'; did you mean 'name'?"),
        ("sampling.name", {"method": "sobol"}, "unknown key 'name'; did you mean 'method'?"),
        ("network.q", {"name": "own"}, "unknown key 'q'; valid are name"),
        ("pde.fields.q", {"a": 1}, "unknown key 'q'; valid are a"),
    ],
)
def test_a_key_that_the_file_lacks_is_told_apart_from_one_that_nothing_reads(key, config, message):
    error = Exception(f"Could not override '{key}'.")
    found = as_mistake(error, [], lambda parent: config if parent == key.rpartition(".")[0] else None)
    assert (found.key, found.message) == (key, message)


def test_the_tag_of_samplers_is_named_on_the_command_line(tmp_path, capsys):
    assert command(tmp_path, *WORDS, "sampling.name=grid") == 2
    assert "sampling.name: unknown key 'name'; did you mean 'method'?" in capsys.readouterr().err
