"""On what it was measured: figures without it mean nothing."""

import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

BUSY_PER_CORE = 0.5


def describe() -> dict:
    cpu = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    memory_kib = next(int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    return {
        "cpu": cpu,
        "cores": cores(),
        "memory_bytes": memory_kib * 1024,
        "kernel": platform.release(),
        "load_average_1min": round(os.getloadavg()[0], 2),
        "busy_at_start": round(busy(), 2),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def cores() -> int:
    return len(os.sched_getaffinity(0))


def busy(seconds: float = 1.0) -> float:
    """Share of all CPU time, 0 to 1, that others use: the load average still remembers the build before it."""
    before = _cpu_times()
    time.sleep(seconds)
    spent = [after - earlier for after, earlier in zip(_cpu_times(), before)]
    # user nice system idle iowait irq softirq steal
    return 1 - (spent[3] + spent[4]) / max(1, sum(spent[:8]))


def _cpu_times() -> list[int]:
    return [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]


def versions(*packages: str, programs: tuple[str, ...] = ()) -> dict:
    """Of this checkout, of Python, of packages, and of programs (the third word of what `-version` prints first)."""
    repo = Path(__file__).resolve().parents[2]
    git = subprocess.run(["git", "-C", str(repo), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    found = {"heimdex": git.stdout.strip() or "unknown", "python": platform.python_version()}
    for package in packages:
        found[package] = importlib.metadata.version(package)
    for program in programs:
        reply = subprocess.run([program, "-version"], capture_output=True, text=True, check=True)
        found[program] = reply.stdout.split()[2]
    return found


def warn_when_busy(machine: dict) -> None:
    load = machine["load_average_1min"] / machine["cores"]
    if load > BUSY_PER_CORE or machine["busy_at_start"] > BUSY_PER_CORE:
        print(f"  WARNING: the machine is busy (load average {machine['load_average_1min']} on {machine['cores']} cores, "
              f"{machine['busy_at_start']:.0%} in use just now): trust the ratios a little and the seconds not at all.", file=sys.stderr)
