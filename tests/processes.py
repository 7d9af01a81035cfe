"""Commands in processes of their own, forked from one that has imported what they need: torch and Lightning take
seconds of every start, which is most of what a command on a small problem takes."""

import multiprocessing
import os
import runpy
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

ROOT = Path(__file__).resolve().parents[1]
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["pinnkit.runs.solve", "pinnkit.cli.train", "pinnkit.cli.evaluate", "pinnkit.cli.study"])


class Command:
    """A script of `scripts/` at work, with as much of `subprocess.Popen` as tests ask for."""

    def __init__(self, script, *words, cwd, env=None):
        self._folder = Path(tempfile.mkdtemp())
        self._told = [self._folder / "output", self._folder / "errors"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **(env or {})}
        former, os.environ["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS"), "1"  # read where torch is loaded
        try:
            arguments = (str(ROOT / "scripts" / script), *map(str, words)), str(cwd), environment, self._told
            self._process = FORKS.Process(target=_work, args=arguments)
            self._process.start()
        finally:
            del os.environ["OMP_NUM_THREADS"]
            if former is not None:
                os.environ["OMP_NUM_THREADS"] = former
        self.args = arguments[0]

    @property
    def pid(self):
        return self._process.pid

    @property
    def returncode(self):
        return self._process.exitcode

    def poll(self):
        return self._process.exitcode

    def kill(self):
        self._process.kill()

    def send_signal(self, number):
        os.kill(self.pid, number)

    def communicate(self, timeout=None):
        """(standard output, standard error) when it has ended."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            self.kill()
            raise TimeoutExpired(self.args, timeout)
        told = tuple(path.read_text() for path in self._told)
        shutil.rmtree(self._folder)
        return told


def completed(script, *words, cwd, env=None, timeout=240):
    """As `subprocess.run` of a script gives it, with its output as text."""
    command = Command(script, *words, cwd=cwd, env=env)
    output, errors = command.communicate(timeout)
    return CompletedProcess(command.args, command.returncode, output, errors)


def joined(script, count, *words, cwd, timeout=240):
    """Run a script in several processes that find each other, with the variables that torchrun sets."""
    from torch.distributed import TCPStore

    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    common = {
        "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count, "GROUP_RANK": 0, "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": store.port, "TORCHELASTIC_RUN_ID": "test", "TORCHELASTIC_USE_AGENT_STORE": True,
    }  # fmt: skip
    commands = []
    try:
        for rank in range(count):
            own = {name: str(value) for name, value in {**common, "RANK": rank, "LOCAL_RANK": rank}.items()}
            commands.append(Command(script, *words, cwd=cwd, env=own))
        told = [one.communicate(timeout)[1] for one in commands]
    finally:
        for one in commands:
            if one.poll() is None:
                one.kill()
    assert [one.returncode for one in commands] == [0] * count, "\n".join(told)


def _work(words, folder, environment, paths):
    """In the forked process: run a script as Python would, in a folder, with its output in files."""
    for number, path in enumerate(paths, 1):
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv[:] = words
    sys.path.insert(0, str(Path(words[0]).parent))
    runpy.run_path(words[0], run_name="__main__")
