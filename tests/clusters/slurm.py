"""A SLURM cluster on this machine: a controller and two emulated nodes, in a folder and on ports of their own."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
COMMANDS = ("mungekey", "srun", "sbatch", "squeue", "scontrol", "scancel")
NODES = ("127.0.0.1", "127.0.0.2")
FOREIGN = ("SLURM", "SBATCH", "PYTEST", "MASTER", "RANK", "WORLD")
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin", "/sbin", "/bin"])
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=20
CredType=cred/munge
MpiDefault=none
MailProg=/bin/true
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
KillWait=60
MinJobAge=3600
ReturnToService=2
SlurmdParameters=config_overrides
SlurmctldTimeout=300
SlurmdTimeout=600
MessageTimeout=100
NodeName=127.0.0.1 NodeHostname={host} NodeAddr=127.0.0.1 Port={first} CPUs=2
NodeName=127.0.0.2 NodeHostname={host} NodeAddr=127.0.0.2 Port={second} CPUs=2
PartitionName=work Nodes=127.0.0.[1-2] Default=YES MaxTime=60 DefaultTime=30 PriorityTier=1
PartitionName=urgent Nodes=127.0.0.[1-2] MaxTime=60 DefaultTime=30 PriorityTier=10 GraceTime=0
"""
"""Without cgroups and accounting. Nodes are named by addresses, so that each finds the other without a name server; a
requeued job waits for cred_expire seconds. A job of the partition `urgent` preempts those of `work`."""


def missing():
    """Why no cluster can be set up here; None where it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "slurmctld, slurmd and munged are started as root here, on Linux"
    absent = [name for name in (*DAEMONS, *COMMANDS) if shutil.which(name, path=PATH) is None]
    return f"apt-get install slurm-wlm munge: there is no {', '.join(absent)}" if absent else None


class Cluster:
    """Daemons of SLURM while this is open; `environment` has what its commands need."""

    def __init__(self, folder):
        self.folder, self._daemons = Path(folder), []
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        self.environment |= {"SLURM_CONF": str(self.folder / "slurm.conf"), "OMP_NUM_THREADS": "1"}
        self.environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), PATH])

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        for name in ("state", *(f"spool.{node}" for node in NODES)):
            (self.folder / name).mkdir()
        self.folder.chmod(0o755)
        controller, first, second = free_ports(3)
        values = {"folder": self.folder, "host": socket.gethostname().split(".")[0]}
        values |= {"controller": controller, "first": first, "second": second}
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(**values))
        key, pipe = self.folder / "munge.key", self.folder / "munge.socket"
        subprocess.run(["mungekey", "--create", f"--keyfile={key}"], env=self.environment, check=True, timeout=60)
        self._daemon(
            "munged", "--foreground", "--force", f"--key-file={key}", f"--socket={pipe}",
            f"--pid-file={self.folder}/munged.pid", f"--log-file={self.folder}/munged.log",
            f"--seed-file={self.folder}/munged.seed",
        )  # fmt: skip
        self.wait(pipe.exists, "munged's socket")
        self._daemon("slurmctld", "-D", "-i")
        for node in NODES:
            self._daemon("slurmd", "-D", "-N", node)
        self.wait(lambda: self.command("sinfo", "-h", "-o", "%T %D").split() == ["idle", "2"], "two idle nodes")

    def __exit__(self, *_):
        for process in reversed(self._daemons):  # munged last: the others use it
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._daemons.clear()

    def _daemon(self, name, *words):
        with (self.folder / f"{name}{len(self._daemons)}.log").open("w") as file:
            line = [shutil.which(name, path=PATH), *words]
            process = subprocess.Popen(line, env=self.environment, stdout=file, stderr=file, stdin=subprocess.DEVNULL)
        self._daemons.append(process)

    def wait(self, done, what, seconds=240):
        """Until `done()`; TimeoutError with the ends of the daemons' logs where that does not come."""
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end or any(process.poll() is not None for process in self._daemons):
                logs = sorted(self.folder.glob("*.log"))
                told = "\n".join(f"{path.name}:\n{path.read_text()[-1500:]}" for path in logs)
                raise TimeoutError(f"{what} did not come in {seconds} s\n{told}")
            time.sleep(0.3)

    def command(self, *line, folder=None, check=False):
        """What a command of SLURM prints."""
        done = subprocess.run(
            line, cwd=folder, env=self.environment, capture_output=True, text=True, timeout=400, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(line)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout.strip()

    @contextmanager
    def started(self, *line, folder):
        """A process at work, which is ended with this."""
        with (Path(folder) / "output").open("w") as file:
            process = subprocess.Popen(line, cwd=folder, env=self.environment, stdout=file, stderr=file)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()

    def submit(self, folder, script, *words):
        """The number of the job that sbatch makes of a script; its output is in FOLDER/NUMBER.out."""
        folder = Path(folder)
        path = folder / "job.sh"
        path.write_text(f"#!/bin/bash\n{script}\n")
        told = self.command(
            "sbatch", "--parsable", "--output=%j.out", "--open-mode=append", *words, str(path),
            folder=folder, check=True,
        )  # fmt: skip
        return told.split(";")[0]

    def job(self, number):
        """What SLURM knows of a job: JobState, Restarts, ExitCode, ..."""
        return dict(re.findall(r"(\S+?)=(\S*)", self.command("scontrol", "show", "job", number, "-o")))

    def state(self, number):
        return self.job(number).get("JobState", "")

    def ended(self, number, seconds=400):
        """What SLURM knows of a job when it has ended, and is not queued again."""
        states = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED")
        self.wait(lambda: self.state(number) in states, f"the end of job {number}", seconds)
        return self.job(number)


def free_ports(count):
    """Ports that nothing listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
