"""The whole of it: from a finished upload to an indexed video, against a straightforward Python pipeline of the same models.

Ours is measured as it runs: API, worker, PostgreSQL and S3 as real processes, the video uploaded as a browser does.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "lib"))

import report
import truth
from client import Api, send
from machine import versions
from measure import Contestant, CpuCurve, MemoryWatch, Run, median, progress, progress_ends, run, tree_cpu_s

OURS = "heimdex"
POLL_EVERY_S = 0.05
GIVE_UP_AFTER_S = 3600


class Processes:
    """The parts of Heimdex that run, by name, with their process ids."""

    def __init__(self, pairs: list[str]):
        self.pids = {name: int(pid) for name, pid in (pair.split("=") for pair in pairs)}

    def cpu_s(self) -> dict[str, float]:
        return {name: tree_cpu_s(pid) for name, pid in self.pids.items()}


def main() -> None:
    parser = report.arguments(__doc__)
    parser.add_argument("--python", required=True, help="the interpreter that has the peers")
    parser.add_argument("--models", type=Path, required=True, help="folder of the models")
    parser.add_argument("--work", type=Path, required=True, help="folder for the Python pipeline's results")
    parser.add_argument("--api", required=True, help="where our API answers")
    parser.add_argument("--psql", required=True, help="PostgreSQL's client, for what each attempt cost")
    parser.add_argument("--batch", type=int, default=8, help="speech windows at once in the batched Python pipeline (8)")
    parser.add_argument("--process", action="append", required=True, metavar="NAME=PID", help="a part of ours; one is `worker`")
    parser.add_argument("video", type=Path)
    options = parser.parse_args()
    processes, known = Processes(options.process), truth.of(options.video)
    document = report.start(
        f"Pipeline: {options.video.name}",
        versions("faster-whisper", "ctranslate2", "onnxruntime", "scenedetect", "pillow", programs=("ffmpeg", "ffprobe")))

    folder = options.work / "python_pipeline"
    peer = [options.python, str(HERE / "python_pipeline.py"), str(options.video), str(folder),
            "--models", str(options.models), "--threads", str(options.threads)]
    contestants = [Contestant("Python", peer), Contestant("Python, batched speech", [*peer, "--batch", str(options.batch)])]
    runs: dict[str, list[Run]] = {OURS: [], **{contestant.name: [] for contestant in contestants}}
    for number in range(options.rounds):
        progress(number, options.rounds, OURS)
        runs[OURS].append(index(options, processes))
        for contestant in contestants:
            progress(number, options.rounds, contestant.name)
            runs[contestant.name].append(run(contestant))
            shutil.rmtree(folder)
    progress_ends()

    ours = Contestant(OURS, ["heimdex-worker"])
    print(f"\n  {OURS}:\n    heimdex-worker, with heimdex-api, heimdex-s3 and PostgreSQL; from POST /videos/ID/uploads/complete to state `indexed`")
    report.commands(contestants)
    duration_s = runs[OURS][0].answer["duration_s"]
    rows, quality = [], {}
    for name, own in runs.items():
        cells = ["–", "–"]
        if known:
            quality[name] = {"wer": truth.word_error_rate(own[0].answer["text"], known["transcript"]),
                             "cut_f1": truth.cut_score(own[0].answer["cuts"], known)["f1"]}
            cells = [f"{quality[name]['wer']:.1%}", f"{quality[name]['cut_f1']:.3f}"]
        rows.append([name, *report.costs(own), f"{duration_s / median(own, lambda run: run.work_s):.1f}", *cells])
    report.table(["", *report.COSTS, "× realtime", "WER", "cut F1"], rows)
    ratios = report.compare(runs, [(OURS, contestant.name) for contestant in contestants])
    print("\n  Work of the Python pipelines is without imports and without loading models. Memory of ours is the worker and its children.")

    print_stages(runs[OURS])
    for contestant in contestants:
        stages = runs[contestant.name][-1].answer["stages"]
        print(f"\n  {contestant.name}: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in stages.items()))
    report.write(options.json, document | {"ratios": ratios, "quality": quality}, [ours, *contestants], runs)


def signed_in(url: str) -> Api:
    api = Api(url)
    api.sign_in(os.environ["HEIMDEX_EMAIL"], os.environ["HEIMDEX_PASSWORD"])
    return api


def index(options, processes: Processes) -> Run:
    """One video through ours; it is deleted afterwards."""
    api = signed_in(options.api)
    one = index_and_keep(options, processes, api, options.video)
    api.call("DELETE", f"/videos/{one.answer['video_id']}")
    return one


def index_and_keep(options, processes: Processes, api: Api, video: Path) -> Run:
    """One video through ours; `answer` has its id."""
    video_id, parts = send(api, video)
    worker = processes.pids["worker"]
    with CpuCurve(worker) as curve, MemoryWatch([worker]) as memory:
        before, began, began_at = processes.cpu_s(), time.monotonic(), time.time()
        api.call("POST", f"/videos/{video_id}/uploads/complete", {"parts": parts})
        video = wait_until_indexed(api, video_id)
        wall_s = time.monotonic() - began
        cpu_s = {name: after - before[name] for name, after in processes.cpu_s().items()}
    stages = stage_costs(api, video_id, options.psql, curve, began_at)
    answer = {"video_id": video_id, "duration_s": video["duration_ms"] / 1000, "cpu_s": cpu_s, "stages": stages, **findings(api, video)}
    total_s = sum(cpu_s.values())
    return Run(wall_s, total_s, wall_s, total_s, memory.peak_bytes, answer)


def wait_until_indexed(api: Api, video_id: str) -> dict:
    deadline = time.monotonic() + GIVE_UP_AFTER_S
    while time.monotonic() < deadline:
        video = api.call("GET", f"/videos/{video_id}")
        if video["state"] == "indexed":
            return video
        if video["state"] == "failed":
            sys.exit(f"the video failed: {video['failure']}")
        time.sleep(POLL_EVERY_S)
    sys.exit("the video is not indexed within an hour")


def findings(api: Api, video: dict) -> dict:
    """Cuts as frame numbers and the words, for the comparison with the truth."""
    scenes = api.call("GET", f"/videos/{video['video_id']}/scenes")["items"]
    fps = (video.get("metadata") or {}).get("fps") or 30
    segments = api.call("GET", f"/videos/{video['video_id']}/transcript?format=json")["segments"]
    return {"scenes": len(scenes), "cuts": [round(scene["start_ms"] * fps / 1000) for scene in scenes[1:]],
            "text": " ".join(segment["text"] for segment in segments)}


def stage_costs(api: Api, video_id: str, psql: str, curve: CpuCurve, began_at: float) -> list[dict]:
    """What the ledger knows of each stage, in order of their starts; seconds count from the end of the upload."""
    stats = attempt_stats(psql, video_id)
    stages = []
    for job in api.call("GET", f"/videos/{video_id}/jobs")["items"]:
        start, end = (datetime.fromisoformat(job[key]).timestamp() for key in ("started_at", "finished_at"))
        own = stats.get(job["stage"], {})
        stages.append({
            "stage": job["stage"], "start_s": start - began_at, "wall_s": end - start, "note": job["note"],
            "child_cpu_s": own.get("child_cpu_s", 0.0), "child_max_rss_bytes": own.get("child_max_rss_bytes", 0),
            "worker_cpu_meanwhile_s": curve.between(start, end)})
    return sorted(stages, key=lambda stage: stage["start_s"])


def attempt_stats(psql: str, video_id: str) -> dict[str, dict]:
    """What the completed attempts used, by stage. The API does not tell; the ledger does."""
    return ask(psql, video_id, "SELECT coalesce(json_object_agg(j.stage, a.stats), '{}') FROM job_attempts a JOIN jobs j USING (job_id) "
                               "WHERE a.state = 'completed' AND j.video_id = :'video'")


def ask(psql: str, video_id: str, query: str) -> dict:
    """The JSON that a query about a video answers with."""
    reply = subprocess.run(
        [psql, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", f"--set=video={video_id}",
         f"--dbname={os.environ['DATABASE_URL']}"], input=query, capture_output=True, text=True, check=True)
    return json.loads(reply.stdout)


def print_stages(runs: list[Run]) -> None:
    """The profile of the round with the median time: which stage when, for how long, and what it computed."""
    one = sorted(runs, key=lambda run: run.work_s)[(len(runs) - 1) // 2]
    stages = one.answer["stages"]
    report.table(
        ["stage", "from s", "wall s", "child CPU s", "worker CPU s meanwhile", "child peak MiB", "remark"],
        [[stage["stage"], f"{stage['start_s']:.1f}", f"{stage['wall_s']:.2f}", f"{stage['child_cpu_s']:.2f}",
          f"{stage['worker_cpu_meanwhile_s']:.2f}", report.mebibytes(stage["child_max_rss_bytes"]), stage["note"] or ""] for stage in stages])
    path, busy_s = longest_chain(stages), 0.0
    for stage in path:
        busy_s += stage["wall_s"]
    print("\n  What it waits for: " + " → ".join(f"{stage['stage']} {stage['wall_s']:.1f}" for stage in path)
          + f"; between stages {max(0.0, one.work_s - busy_s):.1f} s")
    cpu_s = one.answer["cpu_s"]
    print("  CPU seconds: " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in cpu_s.items())
          + f"; together {sum(cpu_s.values()) / one.work_s:.2f} cores on average")


def longest_chain(stages: list[dict]) -> list[dict]:
    """Backwards from the last stage: each was held up by what ended last before it began."""
    chain = [max(stages, key=lambda stage: stage["start_s"] + stage["wall_s"])]
    while True:
        before = [stage for stage in stages if stage["start_s"] + stage["wall_s"] <= chain[0]["start_s"] + 0.001 and stage is not chain[0]]
        if not before:
            return chain
        chain.insert(0, max(before, key=lambda stage: stage["start_s"] + stage["wall_s"]))


if __name__ == "__main__":
    main()
