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


COSTS = ["work s", "CPU s", "process s", "CPU s", "peak MiB"]


def costs(runs: list[Run]) -> list[str]:
    """The work alone, the whole process, memory: the cells of `COSTS`."""
    seconds = [lambda run: run.work_s, lambda run: run.work_cpu_s, lambda run: run.wall_s, lambda run: run.cpu_s]
    return [f"{median(runs, value):.2f}" for value in seconds] + [mebibytes(max(run.peak_rss_bytes for run in runs))]


def mebibytes(size_bytes: float) -> str:
    return f"{size_bytes / 2**20:.0f}"


def compare(runs: dict[str, list[Run]], pairs: list[tuple[str, str]]) -> dict[str, dict[str, float]]:
    """Prints and returns how ours stands to theirs, by the medians of the work."""
    print()
    found = {}
    for ours, theirs in pairs:
        wall, cpu = ([median(runs[name], value) for name in (ours, theirs)]
                     for value in (lambda run: run.work_s, lambda run: run.work_cpu_s))
        found[f"{ours} against {theirs}"] = {"speed": wall[1] / wall[0], "cpu": cpu[0] / cpu[1]}
        print(f"  {ours} against {theirs}: {wall[1] / wall[0]:.2f}× as fast, {cpu[0] / cpu[1]:.2f}× the CPU time")
    return found


def write(path: Path | None, document: dict, contestants: list[Contestant], runs: dict[str, list[Run]]) -> None:
    if path is None:
        return
    document |= {"contestants": [
        {"name": contestant.name, "command": contestant.command, "runs": [asdict(run) for run in runs[contestant.name]]}
        for contestant in contestants]}
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(f"\n  written to {path}")
