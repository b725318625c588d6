"""Prints what was measured for people, and writes it as JSON for programs."""

import argparse
import json
import shlex
from dataclasses import asdict
from pathlib import Path

import machine
from measure import Contestant, Run, median


def arguments(description: str) -> argparse.ArgumentParser:
    """What every bench takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=3, help="how often everybody has a turn; medians are taken (3)")
    parser.add_argument("--threads", type=int, default=machine.cores(), help="of each contestant that can be told (all cores)")
    parser.add_argument("--json", type=Path, help="also write everything here")
    return parser


def start(title: str, versions: dict) -> dict:
    """Prints the head and returns what goes into the JSON."""
    here = machine.describe()
    print(f"\n{title}\n")
    print(f"  {here['cpu']}, {here['cores']} cores, {here['memory_bytes'] / 2**30:.0f} GiB, Linux {here['kernel']}, {here['at']}")
    print(f"  load average {here['load_average_1min']}, {here['busy_at_start']:.0%} of the CPU in use at the start")
    print("  " + ", ".join(f"{name} {version}" for name, version in versions.items()))
    machine.warn_when_busy(here)
    return {"bench": title, "machine": here, "versions": versions}


def commands(contestants: list[Contestant]) -> None:
    print()
    for contestant in contestants:
        print(f"  {contestant.name}:\n    {shlex.join(contestant.command)}")


def table(head: list[str], rows: list[list[str]]) -> None:
    """The first column to the left, the others to the right."""
    widths = [max(len(line[column]) for line in [head, *rows]) for column in range(len(head))]
    print()
    for line in [head, *rows]:
        cells = [cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(zip(line, widths))]
        print("  " + "  ".join(cells).rstrip())


def costs(runs: list[Run]) -> list[str]:
    """Work, whole process, CPU, memory: the cells every table has."""
    return [f"{median(runs, lambda run: run.work_s):.2f}", f"{median(runs, lambda run: run.wall_s):.2f}",
            f"{median(runs, lambda run: run.cpu_s):.2f}", mebibytes(max(run.peak_rss_bytes for run in runs))]


COSTS = ["work s", "process s", "CPU s", "peak MiB"]


def mebibytes(size_bytes: float) -> str:
    return f"{size_bytes / 2**20:.0f}"


def ratio(runs: dict[str, list[Run]], ours: str, theirs: str) -> float:
    """How many times as fast ours is, by the median of the work."""
    return median(runs[theirs], lambda run: run.work_s) / median(runs[ours], lambda run: run.work_s)


def ratios(lines: dict[str, float]) -> None:
    print()
    for what, times in lines.items():
        print(f"  {what}: {times:.2f}×")


def write(path: Path | None, document: dict, contestants: list[Contestant], runs: dict[str, list[Run]]) -> None:
    if path is None:
        return
    document |= {"contestants": [
        {"name": contestant.name, "command": contestant.command, "runs": [asdict(run) for run in runs[contestant.name]]}
        for contestant in contestants]}
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(f"\n  written to {path}")
