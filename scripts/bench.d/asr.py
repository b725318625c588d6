"""Speech recognition: ours against faster-whisper, in sequence and in batches, with the same model, beam, threads, number format and VAD."""

import subprocess
from pathlib import Path

import report
import truth
from machine import versions
from measure import Contestant, Run, in_turns, median

HERE = Path(__file__).parent


def main() -> None:
    parser = report.arguments(__doc__)
    parser.add_argument("--ours", required=True, help="the built example `asr`")
    parser.add_argument("--python", required=True, help="the interpreter that has the peers")
    parser.add_argument("--models", type=Path, required=True, help="folder of the models")
    parser.add_argument("--work", type=Path, required=True, help="folder for the extracted sound")
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--compute", choices=["int8", "float32"], default="int8")
    parser.add_argument("--batch", type=int, default=8, help="windows at once in faster-whisper's batched mode (8, its default)")
    parser.add_argument("video", type=Path)
    options = parser.parse_args()
    known = truth.of(options.video)
    document = report.start(f"Speech recognition: {options.video.name}", versions("faster-whisper", "ctranslate2", "onnxruntime"))
    wav = sound(options.video, options.work)

    settings = [f"threads={options.threads}", f"beam={options.beam}", f"compute={options.compute}"]
    peer = [options.python, str(HERE / "peer_whisper.py"), str(wav), "--model", str(options.models / "whisper-tiny.en"),
            "--threads", str(options.threads), "--beam", str(options.beam), "--compute", options.compute]
    contestants = [
        Contestant("heimdex", [options.ours, str(wav), *settings, "mode=batched"]),
        Contestant("heimdex sequential", [options.ours, str(wav), *settings, "mode=sequential"]),
        Contestant("faster-whisper", peer),
        Contestant("faster-whisper batched", [*peer, "--batch", str(options.batch)]),
    ]
    runs = in_turns(contestants, options.rounds)
    report.commands(contestants)

    rows, errors = [], {}
    for name, own in runs.items():
        heard, work_s = text(own[0]), median(own, lambda run: run.work_s)
        if known:
            errors[name] = truth.word_error_rate(heard, known["transcript"])
        rows.append([name, *report.costs(own), f"{own[0].answer['audio_s'] / work_s:.1f}", f"{len(heard.split()) / work_s:.1f}",
                     f"{errors[name]:.1%}" if known else "–"])
    report.table(["", *report.COSTS, "× realtime", "words/s", "WER"], rows)
    ratios = report.compare(runs, [("heimdex", "faster-whisper"), ("heimdex", "faster-whisper batched"),
                                   ("heimdex sequential", "faster-whisper")])
    for pair in ratios if known else []:
        ours, theirs = pair.split(" against ")
        print(f"  {pair}: WER {errors[ours]:.1%} against {errors[theirs]:.1%}")
    print("\n  Work is without loading the model. `heimdex` is the mode the worker uses.")
    report.write(options.json, document | {"ratios": ratios, "word_error_rates": errors}, contestants, runs)


def sound(video: Path, folder: Path) -> Path:
    """The video's sound as 16 kHz mono WAV, made anew so that it is never another video's."""
    wav = folder / f"{video.stem}.wav"
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(video), "-map", "0:a:0", "-ac", "1", "-ar", "16000", str(wav)], check=True)
    return wav


def text(run: Run) -> str:
    if "text" in run.answer:
        return run.answer["text"]
    return " ".join(segment["text"] for segment in run.answer["transcript"]["segments"])


if __name__ == "__main__":
    main()
