"""Runs commands and says what they cost. Everything is measured from outside, the same way for every contestant."""

import bisect
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
CLEAR_LINE = "\r\x1b[2K"


@dataclass(frozen=True)
class Run:
    """One run of one contestant."""

    wall_s: float
    """Of the process from start to end, loading included."""
    cpu_s: float
    """User and system time of the process and all it started, loading included."""
    work_s: float
    """Of the work alone where the process says so (in its JSON), else the whole."""
    work_cpu_s: float
    """CPU time of the work alone (`cpu_s` of its JSON), else of the whole."""
    peak_rss_bytes: int
    answer: dict = field(default_factory=dict)
    """The JSON object the process printed; empty when it prints none."""


@dataclass(frozen=True)
class Contestant:
    name: str
    command: list[str]
    says_json: bool = True
    work_key: str = "wall_s"
    """Under which the JSON says how long the work alone took."""


def in_turns(contestants: list[Contestant], rounds: int) -> dict[str, list[Run]]:
    """A, B, C, A, B, C, …: what else the machine does meets all of them alike."""
    runs = {contestant.name: [] for contestant in contestants}
    for number in range(rounds):
        for contestant in contestants:
            progress(number, rounds, contestant.name)
            runs[contestant.name].append(run(contestant))
    progress_ends()
    return runs


def progress(number: int, rounds: int, name: str) -> None:
    """Says whose turn it is: one line that changes on a terminal, a line each elsewhere."""
    live = sys.stderr.isatty()
    print(f"{CLEAR_LINE if live else ''}  round {number + 1} of {rounds}: {name}", end="" if live else "\n", file=sys.stderr, flush=True)


def progress_ends() -> None:
    if sys.stderr.isatty():
        print(CLEAR_LINE, end="", file=sys.stderr, flush=True)


def run(contestant: Contestant) -> Run:
    """Runs a command to its end. Raises SystemExit with its last words when it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        process = subprocess.Popen(contestant.command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        with MemoryWatch([process.pid]) as memory:
            _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            err.seek(0)
            tail = err.read().decode(errors="replace")[-2000:]
            sys.exit(f"{contestant.name} failed with {process.returncode}:\n{' '.join(contestant.command)}\n{tail}")
        out.seek(0)
        answer = json.loads(out.read()) if contestant.says_json else {}
    cpu_s = usage.ru_utime + usage.ru_stime
    return Run(
        wall_s=wall_s,
        cpu_s=cpu_s,
        work_s=seconds(answer.get(contestant.work_key, wall_s)),
        work_cpu_s=seconds(answer.get("cpu_s", cpu_s)),
        # Samples see the sum of a tree but miss short peaks; the kernel's figure sees peaks but one process only.
        peak_rss_bytes=max(memory.peak_bytes, usage.ru_maxrss * 1024),
        answer=answer,
    )


def seconds(said: float | list[float]) -> float:
    """A process that repeats the work says a list: its median."""
    return statistics.median(said) if isinstance(said, list) else said


def median(runs: Iterable[Run], value: Callable[[Run], float]) -> float:
    return statistics.median(value(run) for run in runs)


class Watch(ABC):
    """Looks at something again and again while the block under it runs."""

    def __init__(self, every_s: float):
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.is_set():
            self.look()
            self._stop.wait(self._every_s)

    @abstractmethod
    def look(self) -> None: ...


class MemoryWatch(Watch):
    """Peak memory of process trees: the sum of proportional set sizes (proc(5), smaps_rollup), looked at five times a second.

    Memory shared among the processes counts once. Where the kernel hides smaps_rollup the resident set size is taken instead.
    """

    def __init__(self, roots: list[int]):
        super().__init__(every_s=0.2)
        self.peak_bytes = 0
        self._roots = roots

    def look(self) -> None:
        self.peak_bytes = max(self.peak_bytes, sum(memory_bytes(pid) for pid in tree(self._roots)))


class CpuCurve(Watch):
    """CPU seconds of one process itself over time, so that they can be laid beside what it did when."""

    def __init__(self, pid: int):
        super().__init__(every_s=0.1)
        self._pid, self._times, self._values = pid, [], []

    def look(self) -> None:
        self._times.append(time.time())
        self._values.append(own_cpu_s(self._pid))

    def between(self, start: float, end: float) -> float:
        return self._at(end) - self._at(start)

    def _at(self, when: float) -> float:
        return self._values[min(bisect.bisect_left(self._times, when), len(self._values) - 1)]


def tree(roots: list[int]) -> list[int]:
    """The processes and all that descend from them."""
    found, todo = [], list(roots)
    while todo:
        pid = todo.pop()
        found.append(pid)
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                todo.extend(int(child) for child in children.read_text().split())
            except OSError:
                continue
    return found


def memory_bytes(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0


def own_cpu_s(pid: int) -> float:
    """CPU seconds of a process itself, without its children (proc(5), fields 14 and 15 of stat)."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def tree_cpu_s(root: int) -> float:
    """CPU seconds of a process, of its living descendants, and of those that have ended and been waited for."""
    return sum(sum(int(field) for field in fields[11:15]) for pid in tree([root]) if (fields := _stat(pid))) / TICKS


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
