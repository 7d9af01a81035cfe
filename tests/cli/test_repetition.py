"""The command line counts more than what a former run, or a file, has in its place."""

import pytest

from pinnkit.cli.arguments import parse
from pinnkit.cli.checks import check_configuration
from pinnkit.cli.composition import Composer
from pinnkit.language.errors import ProblemError
from pinnkit.problem.problem import Problem
from pinnkit.runs.configuration import as_yaml
from pinnkit.runs.resolved import resolved
from pinnkit.runs.setup import read


@pytest.fixture
def repeated(heat_words, tmp_path, conf):
    """The settings of a run that repeats the config.yaml of another, with overrides."""
    problem = Problem(**heat_words)
    (tmp_path / "config.yaml").write_text(as_yaml(problem, resolved(problem, read(None))))

    def settings(*overrides):
        arguments = parse(["--config-dir", str(tmp_path), "--config-name", "config", *overrides])
        composed = Composer(arguments, conf).compose(arguments.overrides)
        return check_configuration(composed.task, arguments.overrides).settings

    return settings


def test_a_run_that_is_repeated_has_what_the_former_one_chose(repeated):
    settings = repeated("seed=1")
    assert [one.name for one in settings.phases] == ["adam", "ssbroyden"]
    assert (settings.sampling.equations, settings.sampling.equations_by_residual) == (2048, 4096)
    assert settings.sampling.equations_doublings == 2


def test_another_optimizer_takes_the_place_of_the_phases_that_were_chosen(repeated):
    settings = repeated("optimizer.name=lbfgs")
    assert (settings.optimizer.name, settings.phases) == ("lbfgs", None)
    assert [one.name for one in repeated("phases=[soap]").phases] == ["soap"]


def test_a_file_with_settings_of_another_optimizer_can_be_added(repeated):
    settings = repeated("+optimizer=lbfgs", "optimizer.history=7")
    assert (settings.optimizer.name, settings.optimizer.history, settings.phases) == ("lbfgs", 7, None)
    chosen = repeated("optimizer=lbfgs", "optimizer.history=7")
    assert (chosen.optimizer, chosen.phases) == (settings.optimizer, None)


def test_what_was_chosen_by_another_number_of_points_is_chosen_again(repeated):
    sampling = repeated("sampling.equations=70").sampling
    assert (sampling.equations, sampling.equations_by_residual, sampling.equations_doublings) == (70, None, None)
    assert sampling.conditions_doublings == 2
    sampling = repeated("sampling.equations=70", "sampling.equations_by_residual=90").sampling
    assert (sampling.equations_by_residual, sampling.equations_doublings) == (90, None)
    assert repeated("sampling.conditions=70").sampling.conditions_doublings is None
    assert repeated("sampling.residual_power=1").sampling.residual_power_late is None


def test_phases_on_the_command_line_take_the_place_of_the_optimizer_of_a_file(conf):
    arguments = parse(["experiment=quick", "phases=[soap]"])
    composed = Composer(arguments, conf).compose(arguments.overrides)
    settings = check_configuration(composed.task, arguments.overrides).settings
    assert (settings.optimizer.name, [one.name for one in settings.phases]) == ("auto", ["soap"])


def test_an_optimizer_beside_phases_is_refused(conf):
    message = "optimizer: is lbfgs, and phases .soap. are given too, which would take its place: add phases=null, or"
    arguments = parse(["optimizer=lbfgs", "phases=[soap]"])
    composed = Composer(arguments, conf).compose(arguments.overrides)
    with pytest.raises(ProblemError, match=message):
        check_configuration(composed.task, arguments.overrides)
    with pytest.raises(ProblemError, match=message):
        read({"optimizer": "lbfgs", "phases": ["soap"]})
    assert read({"optimizer": "auto", "phases": ["soap"]}).phases is not None
