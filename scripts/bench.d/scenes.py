"""Scene detection: ours against PySceneDetect and against FFmpeg decoding everything and keeping nothing."""

from pathlib import Path

import report
import truth
from machine import versions
from measure import Contestant, in_turns, median

HERE = Path(__file__).parent


def main() -> None:
    parser = report.arguments(__doc__)
    parser.add_argument("--ours", required=True, help="the built example `scenes`")
    parser.add_argument("--python", required=True, help="the interpreter that has the peers")
    parser.add_argument("video", type=Path)
    options = parser.parse_args()
    known = truth.of(options.video)
    document = report.start(f"Scene detection: {options.video.name}", versions("scenedetect", "opencv-python-headless", programs=("ffmpeg",)))

    video, peer = str(options.video), [options.python, str(HERE / "peer_scenes.py")]
    contestants = [
        Contestant("heimdex", [options.ours, "--threads", str(options.threads), video]),
        Contestant("PySceneDetect content", [*peer, "--detector", "content", video]),
        Contestant("PySceneDetect adaptive", [*peer, "--detector", "adaptive", video]),
        Contestant("ffmpeg -f null", ["ffmpeg", "-v", "error", "-nostdin", "-threads", str(options.threads), "-i", video,
                                      "-map", "0:v:0", "-f", "null", "-"], says_json=False),
    ]
    runs = in_turns(contestants, options.rounds)
    report.commands(contestants)

    rows, scores = [], {}
    duration_s = known["duration_ms"] / 1000 if known else None
    for name, own in runs.items():
        speed = f"{duration_s / median(own, lambda run: run.work_s):.1f}" if duration_s else "–"
        cells = ["–", "–", "–"]
        if known and "cuts" in own[0].answer:
            score = scores[name] = truth.cut_score(own[0].answer["cuts"], known)
            cells = [f"{score['f1']:.3f}", f"{score['precision']:.3f}", f"{score['recall']:.3f}"]
        rows.append([name, *report.costs(own), speed, *cells])
    report.table(["", *report.COSTS, "× realtime", "F1", "precision", "recall"], rows)
    ratios = report.compare(runs, [("heimdex", name) for name in list(runs)[1:]])
    print("\n  Work is the detection alone, ours with the candidate frames written as JPEG; of ffmpeg it is the whole process.")
    if known:
        print(f"  {len(known['cuts'])} cuts within ±{truth.CUT_TOLERANCE_FRAMES} frames and {len(known['fades'])} fades are to be found.")
    report.write(options.json, document | {"ratios": ratios, "scores": scores}, contestants, runs)


if __name__ == "__main__":
    main()
