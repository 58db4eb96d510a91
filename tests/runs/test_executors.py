"""Executors by name: the same bits from each of them, whoever dies meanwhile."""

import ast
import functools
import gc
import importlib.util
import multiprocessing
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import BrokenExecutor, CancelledError, Future, wait
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

import deadly
import pytest
from whole_result import ENERGIES, digest, run

import mcprop
from mcprop import executors
from mcprop.errors import ConfigError, ExecutorError
from mcprop.executors import choose, died, open_executor
from mcprop.processes import Processes, WorkerDied
from mcprop.ranks import mpi_ranks
from mcprop.simulation import Simulation

MODELS = str(Path(deadly.__file__).parent)
needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="needs the extra dask"
)
MPIEXEC = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
needs_mpi = pytest.mark.skipif(
    MPIEXEC is None or importlib.util.find_spec("mpi4py") is None,
    reason="needs the extra mpi, and mpiexec",
)


LONG = 300.0
"""How long to wait for what comes within seconds, unless the machine is busy or it never comes."""


def environment(**more):
    """Of child processes: they find this mcprop and these models."""
    path = f"{Path(mcprop.__file__).parent.parent}:{MODELS}"
    return os.environ | {"PYTHONPATH": path} | more


@pytest.fixture(scope="module", autouse=True)
def without_curve():
    """Leave out the line of the figures: formulas on a fine grid, of no interest here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulation, "_curve", lambda *args: [])
        yield


@pytest.fixture(scope="module")
def reference():
    with open_executor("threads", 1) as executor:
        return digest(run(executor=executor))


# One result


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_threads(reference, workers):
    with open_executor("threads", workers) as executor:
        assert digest(run(executor=executor)) == reference


class Shuffled:
    """A thread that takes any of the calls that wait, by the lot."""

    def __init__(self, seed):
        self.order, self.came, self.waiting = random.Random(seed), SimpleQueue(), []
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.came.put(None)
        self.thread.join()

    def submit(self, function, *args):
        future = Future()
        self.came.put((future, function, args))
        return future

    def serve(self):
        while True:
            self.take(block=not self.waiting)
            if self.waiting[-1] is None:
                return
            place = self.order.randrange(len(self.waiting))
            future, function, args = self.waiting.pop(place)
            future.set_result(function(*args))

    def take(self, block):
        """Take over all that has come."""
        try:
            while True:
                self.waiting.append(self.came.get(block))
                block = False
        except Empty:
            return


@pytest.mark.parametrize("seed", [1, 2])
def test_shuffled_order(reference, seed):
    with Shuffled(seed) as executor:
        assert digest(run(executor=executor)) == reference


def test_processes_of_which_one_is_killed(reference, tmp_path):
    """Killed while it computes; the call is repeated, and not a bit differs."""
    with open_executor("processes", 2) as pool:
        executor = deadly.Fatal(pool, 3, tmp_path / "killed")
        assert digest(run(executor=executor)) == reference
    assert (tmp_path / "killed").exists()
    with Shuffled(0) as calm:
        calls = deadly.Fatal(calm, -1, "")
        run(executor=calls)
    assert executor.submitted == calls.submitted + 1


@pytest.fixture(scope="module")
def dask_cluster(tmp_path_factory):
    """A scheduler and two workers, started as on a cluster; the file of the scheduler."""
    with cluster(tmp_path_factory.mktemp("dask")) as (file, _):
        yield file


@contextmanager
def cluster(folder):
    file = folder / "scheduler.json"
    settings = environment(DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="1")
    common = ["--scheduler-file", file, "--no-dashboard", "--host", "127.0.0.1"]
    dask = [sys.executable, "-m", "dask"]
    commands = (
        [*dask, "scheduler", "--port", "0", *common],
        [*dask, "worker", "--nworkers", "2", "--nthreads", "1", "--local-directory", folder,
         *common],
    )  # fmt: skip
    with (folder / "log").open("w") as log:
        children = [
            subprocess.Popen(
                command, env=settings, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
            for command in commands
        ]
        try:
            yield file, children
        finally:
            for child in reversed(children):
                child.terminate()
                child.wait(LONG)


@pytest.fixture
def patience(monkeypatch):
    """A scheduler and workers that are being started may take their time."""
    monkeypatch.setattr(executors, "CONNECT_SECONDS", LONG)
    monkeypatch.setattr(executors, "WORKER_SECONDS", LONG)


@needs_dask
@pytest.mark.usefixtures("patience")
def test_dask_of_which_a_worker_is_killed(reference, dask_cluster, tmp_path):
    """Killed while it computes; Dask itself repeats the call, and not a bit differs."""
    with open_executor(f"dask:{dask_cluster}") as pool:
        executor = deadly.Fatal(pool, 3, tmp_path / "killed")
        assert digest(run(executor=executor)) == reference
    assert (tmp_path / "killed").exists()


@needs_dask
@pytest.mark.usefixtures("patience")
def test_dask_gives_up_a_call_that_kills_each_worker(dask_cluster):
    with open_executor(f"dask:{dask_cluster}") as executor:
        error = executor.submit(deadly.kill).exception(LONG)
        assert died(error), repr(error)
        assert executor.submit(max, 1, 2).result(LONG) == 2


@needs_dask
@pytest.mark.usefixtures("patience")
def test_dask_calls_of_equal_arguments_are_each_made(dask_cluster, tmp_path):
    with open_executor(f"dask:{dask_cluster}") as executor:
        flag = str(tmp_path / "once")
        made = [executor.submit(os.mkdir, flag) for _ in range(2)]
        errors = [future.exception(LONG) for future in made]
    assert sorted(type(error).__name__ for error in errors) == ["FileExistsError", "NoneType"]
    assert not any(died(error) for error in errors if error is not None)


@needs_dask
@pytest.mark.usefixtures("patience")
def test_dask_result_that_is_lost_on_its_way_fails_its_call(dask_cluster, monkeypatch):
    async def cut(**options):
        raise OSError("cut off")

    with open_executor(f"dask:{dask_cluster}") as executor:
        with monkeypatch.context() as patch:
            patch.setattr(executor._client.scheduler, "gather", cut)
            error = executor.submit(max, 1, 2).exception(LONG)
        assert died(error), repr(error)
        assert executor.submit(max, 1, 2).result(LONG) == 2


@needs_dask
@pytest.mark.usefixtures("patience")
def test_dask_drops_a_call_that_is_cancelled_by_any_thread(dask_cluster, monkeypatch):
    with open_executor(f"dask:{dask_cluster}") as executor:
        client = executor._client
        nobody = functools.partial(client.submit, workers=["tcp://127.0.0.1:1"])
        monkeypatch.setattr(client, "submit", nobody)
        for cancel in (lambda call: call(), client.loop.add_callback):
            answer = executor.submit(max, 1, 2)
            (task,) = client.futures.values()
            assert task.status == "pending"
            cancel(answer.cancel)
            assert wait([answer], LONG).done  # is so when the task has ended, too
            assert answer.cancelled()
            assert task.status == "cancelled"


def mpiexec(*arguments):
    command = [MPIEXEC, "-n", *arguments]
    return subprocess.run(
        list(map(str, command)), env=environment(), capture_output=True, text=True, timeout=LONG
    )


@needs_mpi
@pytest.mark.parametrize("ranks", [1, 3])
def test_mpi(reference, ranks):
    done = mpiexec(ranks, sys.executable, deadly.__file__, "--executor", "mpi")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{reference}\n", "")


@needs_mpi
def test_mpi_ranks_are_set_free_by_an_error_that_is_told_once():
    done = mpiexec(3, sys.executable, deadly.__file__, "--executor=mpi", "fail")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "wrong\n")


@needs_mpi
def test_the_first_rank_may_leave_while_others_compute():
    done = mpiexec(3, sys.executable, deadly.__file__, "--executor", "mpi", "leave")
    assert (done.returncode, done.stdout) == (0, "left\n"), done.stderr


@needs_mpi
def test_command_line_under_mpi_says_what_is_wrong_once():
    arguments = ("run", "no-such-scenario", "-o", "out", "--executor", "mpi")
    done = mpiexec(3, sys.executable, "-m", "mcprop", *arguments)
    assert done.returncode == 2
    assert done.stderr.count("no-such-scenario: ") == 1, done.stderr


# A batch that kills


class Cursed:
    """Computes all calls but one, which never comes back."""

    def __init__(self, number):
        self.number, self.calls, self.victim = number, 0, None

    def submit(self, function, *args):
        self.calls += 1
        future, call = Future(), repr((function, args))
        if self.calls == self.number:
            self.victim = call
        if call == self.victim:
            future.set_exception(WorkerDied("A worker process was ended by SIGKILL."))
        else:
            future.set_result(function(*args))
        return future


def test_a_batch_that_always_kills_its_worker_is_named_after_a_few_tries():
    calm, cursed = Cursed(-1), Cursed(3)
    run(executor=calm)
    with pytest.raises(ExecutorError, match="batch") as caught:
        run(executor=cursed)
    text = str(caught.value)
    assert "\n" not in text
    assert "SIGKILL" in text
    assert f"{ENERGIES[0]:g} GeV" in text
    assert cursed.calls <= calm.calls + 9


# Processes


def test_a_dead_process_fails_its_own_call_only():
    with Processes(2) as pool:
        assert {pool.submit(os.getpid).result() for _ in range(20)}.isdisjoint({os.getpid()})
        calls = [pool.submit(deadly.kill, 9), pool.submit(os._exit, 3)]
        calls += [pool.submit(pow, 2, n) for n in range(20)]
        ends = [calls[0].exception(), calls[1].exception()]
        assert [call.result() for call in calls[2:]] == [2**n for n in range(20)]
    assert [str(end) for end in ends] == [
        "A worker process was ended by SIGKILL.", "A worker process ended with exit code 3.",
    ]  # fmt: skip
    assert all(died(end) for end in ends)


def test_errors_of_a_call_come_back_with_their_traceback():
    with Processes(1) as pool:
        error = pool.submit(int, "x").exception()
        assert type(error) is ValueError
        assert "processes.py" in error.__notes__[0]
        assert not died(error)
        unsent = pool.submit(lambda: 0).exception()  # versions of Python differ in what it is
        assert type(unsent) in (AttributeError, pickle.PicklingError)
        assert "pickle" in str(pool.submit(threading.Lock).exception())
        assert type(pool.submit(sys.exit, 4).exception()) is SystemExit
        assert pool.submit(max, 1, 2).result() == 2


def test_closing_ends_what_runs_and_drops_what_waits():
    with Processes(1) as pool:
        running, waiting = pool.submit(signal.pause), pool.submit(signal.pause)
        while not running.running():
            pass
    assert died(running.exception(0))
    assert waiting.cancelled()
    assert not multiprocessing.active_children()


def test_signals_of_the_run_do_not_reach_its_processes():
    with Processes(1) as pool:
        for number in (signal.SIGINT, signal.SIGUSR1):
            pool.submit(os.kill, pool.submit(os.getpid).result(), number).result()
        assert pool.submit(max, 1, 2).result() == 2


ORPHANS = """
import os, signal, sys
from mcprop.processes import Processes

def compute(flag):
    open(flag, "x").close()
    signal.pause()

if __name__ == "__main__":
    pool, flags = Processes(2), ["one", "two"]
    pool.submit(os.getpid).result()
    for flag in flags if sys.argv[1] == "busy" else []:
        pool.submit(compute, flag)
        while not os.path.exists(flag):
            pass
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("state", ["busy", "idle"])
def test_processes_end_with_a_parent_that_is_killed(tmp_path, state):
    """They hold the standard output: once it is closed, they are gone."""
    (tmp_path / "orphans.py").write_text(ORPHANS)
    command = [sys.executable, "orphans.py", state]
    done = subprocess.run(
        command, env=environment(), cwd=tmp_path, capture_output=True, text=True, timeout=LONG
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


# Names


@pytest.mark.parametrize("name", ["", "foo", "Threads", "mpi:4", "threads:2", "dask tcp://x:1"])
def test_other_names_are_refused(name):
    with pytest.raises(ConfigError, match=r"no such executor; allowed: threads, processes, dask:"):
        choose(name)


@pytest.mark.parametrize(
    ("name", "workers", "complaint"),
    [
        ("dask", None, "address of the scheduler is missing"),
        ("dask:", None, "address of the scheduler is missing"),
        ("mpi", 3, "-j 3: the number of workers of --executor mpi is that of mpiexec -n"),
        ("dask:tcp://h:1", 3, "-j 3: the number of workers of --executor dask is that of the"),
        ("threads", 0, "-j 0: the number of workers must be at least 1"),
        ("processes", -2, "-j -2: the number of workers must be at least 1"),
    ],
)
def test_senseless_wishes_are_refused(name, workers, complaint):
    with pytest.raises(ConfigError, match=complaint) as caught:
        open_executor(name, workers)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "package"), [("dask:tcp://127.0.0.1:1", "distributed"), ("mpi", "mpi4py")]
)
def test_a_missing_extra_is_named(monkeypatch, name, package):
    monkeypatch.setitem(sys.modules, package, None)
    extra = name.partition(":")[0]
    told = rf"^--executor {extra}: needs the package {package}; pip install 'mcprop\[{extra}\]'$"
    with pytest.raises(ConfigError, match=told), open_executor(name):
        pass


def test_without_mpi_the_first_rank_alone_goes_on_to_say_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    for rank, first in (("0", True), ("2", False)):
        monkeypatch.setenv("PMI_RANK", rank)
        with mpi_ranks(["run", "--executor", "mpi"]) as goes_on:
            assert goes_on is first


@needs_dask
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "no://such", "{}/missing.json"])
def test_a_cluster_that_does_not_answer_is_one_line(monkeypatch, capfd, tmp_path, address):
    monkeypatch.setattr(executors, "CONNECT_SECONDS", 0.5)
    address = address.format(tmp_path)
    with (
        pytest.raises(ExecutorError, match=f"^--executor dask:{address}: no scheduler") as caught,
        open_executor(f"dask:{address}"),
    ):
        pass
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
    assert clients() <= {("closed", False), ("newly-created", False)}  # its thread did not start


def clients():
    """The states of all clients; the garbage collector must find none that it would close.

    With them whether their loop is theirs still, and its thread there.
    """
    from distributed import Client

    found = [thing for thing in gc.get_objects() if issubclass(type(thing), Client)]
    return {(client.status, client._loop_runner.is_started()) for client in found}


@pytest.mark.parametrize("late", [1, 2, 3])
def test_a_client_whose_thread_starts_late_is_made_again(late):
    """The client's own answer to a busy machine is a bare AssertionError."""
    made = []

    def client(*args, **options):
        made.append(args)
        assert len(made) > late
        return "client"

    if late < executors.STARTS:
        assert executors._connected(client, "tcp://there:1") == "client"
        assert made == [("tcp://there:1",)] * (late + 1)
    else:
        with pytest.raises(ExecutorError, match=r"^--executor dask:tcp://there:1: no scheduler"):
            executors._connected(client, "tcp://there:1")


@needs_dask
@pytest.mark.usefixtures("patience")
def test_a_lost_scheduler_ends_the_run_in_one_line(tmp_path, capfd):
    with cluster(tmp_path) as (file, children), open_executor(f"dask:{file}") as executor:
        assert executor.submit(max, 1, 2).result(LONG) == 2
        lost = executor.submit(signal.pause)
        for child in children:
            child.kill()
        with pytest.raises(CancelledError):
            lost.result(LONG)
        with pytest.raises(ExecutorError, match="connection to the scheduler is lost"):
            executor.submit(max, 1, 2)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "is_death"),
    [
        (BrokenExecutor(), True), (WorkerDied(), True), (CancelledError(), True),
        (MemoryError(), True), (ValueError(), False), (OSError(), False), (ExecutorError(), False),
        (KeyError("KilledWorker"), False),
    ],
)  # fmt: skip
def test_deaths_are_told_from_errors(error, is_death):
    assert died(error) is is_death


def test_another_mcprop_is_refused():
    source = executors.source_hash()
    assert executors.call_of_same_source(source, max, (1, 2)) == 2
    with pytest.raises(ExecutorError, match="another mcprop"):
        executors.call_of_same_source("0" * 64, max, (1, 2))


def test_optional_packages_are_imported_where_they_are_used():
    code = "import mcprop.executors, sys; print({'distributed', 'mpi4py'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout.replace("set()", "()")) == ()
