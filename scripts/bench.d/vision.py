"""What is seen: how fast, with how much memory, at what cost to the pipeline, and how right, in the sample and in photographs.

Run twice by `scripts/bench`: first with `--without`, where the worker has no model of sight, which only notes the pipeline's time;
then with every model.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "lib"))

import pipeline
import report
import truth
from client import Api
from machine import versions
from measure import Contestant, Run, median, progress, progress_ends

STAGES = ("vision_sample_frames", "vision_embed_frames", "faces_enroll_match", "vision_affect_tags")
# Tags a person reads, and hits a person looks at.
TAGS, HITS = 3, 5
MOST_COST, MOST_MIB = 0.4, 1536


def main() -> None:
    parser = report.arguments(__doc__)
    parser.add_argument("--python", help="not used: there is no peer")
    parser.add_argument("--api", required=True, help="where our API answers")
    parser.add_argument("--psql", required=True, help="PostgreSQL's client, for what the ledger and the tables know")
    parser.add_argument("--process", action="append", required=True, metavar="NAME=PID", help="a part of ours; one is `worker`")
    parser.add_argument("--seconds", type=Path, required=True, help="file for the pipeline's seconds without sight")
    parser.add_argument("--without", action="store_true", help="note them there and print nothing")
    parser.add_argument("--judged", type=Path, required=True, help="the video whose shots `vision_truth.toml` describes")
    parser.add_argument("--pictures", type=Path, required=True, help="folder of the photographs of `vision_images.toml`")
    parser.add_argument("video", type=Path, help="the video that is timed")
    options = parser.parse_args()
    processes, api = pipeline.Processes(options.process), pipeline.signed_in(options.api)
    if options.without:
        options.seconds.write_text(json.dumps(median(rounds(options, processes, api), lambda run: run.work_s)))
        return

    document = report.start(f"Sight: {options.video.name}", versions())
    runs = rounds(options, processes, api)
    print_stages(options.psql, runs)
    seen_s, blind_s = median(runs, lambda run: run.work_s), json.loads(options.seconds.read_text())
    cost, peak_mib = seen_s / blind_s - 1, max(run.peak_rss_bytes for run in runs) / 2**20
    print(f"\n  The pipeline takes {seen_s:.1f} s with sight and {blind_s:.1f} s without: {cost:+.0%}{verdict(cost <= MOST_COST, f'at most +{MOST_COST:.0%}')}")
    print(f"  The worker and its children take {peak_mib:.0f} MiB at most{verdict(peak_mib <= MOST_MIB, f'at most {MOST_MIB}')}")

    print("\nThe sample")
    one = pipeline.index_and_keep(options, processes, api, options.judged)
    quality = {"sample": judge(api, one.answer["video_id"], truth.of(options.judged), wanted_of("vision_truth.toml"))}
    print("\nPhotographs")
    wanted = wanted_of("vision_images.toml")
    with tempfile.TemporaryDirectory() as folder:
        video, known = slides(wanted, options.pictures, Path(folder))
        one = pipeline.index_and_keep(options, processes, api, video)
    quality["photographs"] = judge(api, one.answer["video_id"], known, wanted)
    report.write(options.json, document | {"seconds": {"with": seen_s, "without": blind_s}, "quality": quality},
                 [Contestant(pipeline.OURS, ["heimdex-worker"])], {pipeline.OURS: runs})


def verdict(holds: bool, wanted: str) -> str:
    return f" (wanted: {wanted}: {'yes' if holds else 'NO'})"


def rounds(options, processes: pipeline.Processes, api: Api) -> list[Run]:
    """The last round's video stays; those before it go, so that every round begins alike."""
    runs: list[Run] = []
    for number in range(options.rounds):
        progress(number, options.rounds, options.video.name)
        if runs:
            api.call("DELETE", f"/videos/{runs[-1].answer['video_id']}")
        runs.append(pipeline.index_and_keep(options, processes, api, options.video))
    if options.without:
        api.call("DELETE", f"/videos/{runs[-1].answer['video_id']}")
    progress_ends()
    return runs


def print_stages(psql: str, runs: list[Run]) -> None:
    """The round with the median time."""
    one = sorted(runs, key=lambda run: run.work_s)[(len(runs) - 1) // 2]
    count = pipeline.ask(psql, one.answer["video_id"],
                         "SELECT json_build_object('frames', count(*) FILTER (WHERE f.sampled), 'scenes', count(DISTINCT f.scene_id)) "
                         "FROM frames f JOIN videos v ON v.current_run_id = f.run_id WHERE v.video_id = :'video'")
    rows = []
    for stage in (stage for stage in one.answer["stages"] if stage["stage"] in STAGES):
        rate = f"{count['frames'] / stage['wall_s']:.1f}" if stage["wall_s"] > 0 else "–"
        rows.append([stage["stage"], f"{stage['wall_s']:.2f}", rate, f"{stage['worker_cpu_meanwhile_s']:.2f}", stage["note"] or ""])
    report.table(["stage", "wall s", "chosen frames/s", "worker CPU s meanwhile", "remark"], rows)
    print(f"\n  {count['frames']} frames chosen in {count['scenes']} scenes")


def wanted_of(name: str) -> dict:
    return tomllib.loads((HERE / name).read_text())


def slides(wanted: dict, pictures: Path, folder: Path) -> tuple[Path, dict]:
    """A video that shows each photograph for some seconds, and which is shown when."""
    (width, height), seconds, names = wanted["size"], wanted["seconds"], list(wanted["shots"])
    inputs = [word for name in names for word in ("-loop", "1", "-framerate", "25", "-t", str(seconds), "-i", str(pictures / name))]
    fit = f"scale={width}:{height}:force_original_aspect_ratio=decrease,pad={width}:{height}:-1:-1,setsar=1,format=yuv420p"
    graph = "".join(f"[{n}]{fit}[p{n}];" for n in range(len(names)))
    graph += "".join(f"[p{n}]" for n in range(len(names))) + f"concat=n={len(names)}"
    video = folder / "photographs.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *inputs, "-filter_complex", graph, "-c:v", "libx264", "-preset", "fast", str(video)], check=True)
    shots = [{"name": name, "start_ms": n * seconds * 1000, "end_ms": (n + 1) * seconds * 1000} for n, name in enumerate(names)]
    return video, {"shots": shots}


def judge(api: Api, video_id: str, known: dict, wanted: dict) -> dict:
    """Tags against those a person would accept, and text queries against the shots they describe."""
    scenes = api.call("GET", f"/videos/{video_id}/scenes")["items"]
    shown = {scene["scene_id"]: shot_at(known, (scene["start_ms"] + scene["end_ms"]) / 2) for scene in scenes}
    missing = {shot["name"] for shot in known["shots"]} - set(shown.values())
    if missing:
        print(f"  no scene of its own has: {', '.join(sorted(missing))}")
    right = given = 0
    for scene in scenes:
        accepted = wanted["shots"][shown[scene["scene_id"]]]["tags"]
        top = [tag["tag"] for tag in scene["tags"][:TAGS]]
        right, given = right + sum(tag in accepted for tag in top), given + len(top)
        print(f"  {shown[scene['scene_id']]:14} {', '.join(tag if tag in accepted else f'({tag})' for tag in top)}")
    precision = right / given if given else 0.0
    print(f"\n  Tags: {right} of {given} among the first {TAGS} of each scene are right ({precision:.0%}); those in brackets are not")
    recall = {}
    for kind, channel in (("queries", "seen"), ("tagged", "tagged")):
        found = sought = 0
        for query in wanted[kind]:
            body = {"query": query["text"], "channels": [channel], "limit": HITS, "filters": {"video_ids": [video_id]}}
            hits = {shown[hit["scene_id"]] for hit in api.call("POST", "/search", body)["items"]}
            missed = [shot for shot in query["find"] if shot not in hits]
            found, sought = found + len(query["find"]) - len(missed), sought + len(query["find"])
            if missed:
                print(f"  “{query['text']}” ({channel}) misses {', '.join(missed)}")
        recall[channel] = found / sought
        print(f"  {channel}: {found} of {sought} shots are among the first {HITS} ({found / sought:.0%})")
    return {"tag_precision_at_3": precision, "recall_at_5": recall}


def shot_at(known: dict, at_ms: float) -> str:
    return next(shot["name"] for shot in known["shots"] if shot["start_ms"] <= at_ms < shot["end_ms"])


if __name__ == "__main__":
    main()
