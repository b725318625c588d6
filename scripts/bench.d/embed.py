"""Text embedding: ours against ONNX Runtime from Python, the same model: many sentences in batches, and one at a time."""

import json
import statistics
import subprocess
from pathlib import Path

import report
import truth
from machine import versions
from measure import Contestant, Run, in_turns, median

HERE = Path(__file__).parent
WORDS, SENTENCES, REPEAT = 25, 512, 5
PEER = "onnxruntime (Python)"


def main() -> None:
    parser = report.arguments(__doc__)
    parser.add_argument("--ours", required=True, help="the built example `embed`")
    parser.add_argument("--python", required=True, help="the interpreter that has the peers")
    parser.add_argument("--models", type=Path, required=True, help="folder of the models")
    parser.add_argument("--work", type=Path, required=True, help="folder for the sentences")
    parser.add_argument("video", type=Path, help="its known text is what is embedded")
    options = parser.parse_args()
    known = truth.of(options.video)
    if known is None:
        raise SystemExit(f"{options.video} has no truth beside it to take sentences from")
    document = report.start("Text embedding: all-minilm-l6-v2", versions("onnxruntime", "tokenizers", "numpy"))
    file = options.work / "sentences.txt"
    file.write_text("\n".join(sentences(known["transcript"].split())) + "\n")

    settings = [f"threads={options.threads}", f"repeat={REPEAT}"]
    contestants = [
        Contestant("heimdex", [options.ours, str(file), *settings], work_key="batch_s"),
        Contestant(PEER, [options.python, str(HERE / "peer_embed.py"), str(file), "--model",
                          str(options.models / "all-minilm-l6-v2"), *(f"--{setting}" for setting in settings)], work_key="batch_s"),
    ]
    runs = in_turns(contestants, options.rounds)
    report.commands(contestants)
    rows = [[name, *report.costs(own), f"{SENTENCES / median(own, lambda run: run.work_s):.1f}", f"{single_ms(own):.2f}"]
            for name, own in runs.items()]
    report.table(["", *report.COSTS, "sentences/s", "one ms"], rows)
    ratios = report.compare(runs, [("heimdex", PEER)])
    ratios[f"heimdex against {PEER}"]["one_sentence_speed"] = single = single_ms(runs[PEER]) / single_ms(runs["heimdex"])
    print(f"  of one sentence alone: {single:.2f}× as fast")
    cosine = agreement(contestants, file)
    print(f"  least cosine between the two vectors of a sentence: {cosine:.6f}")
    print(f"\n  {SENTENCES} sentences of {WORDS} words in batches of up to 32, {REPEAT} times over; work is tokenizing and "
          "computing them once (median), CPU is that of the whole process.\n"
          "  ONNX Runtime's threads spin while they wait unless told otherwise, as ours are: a busy machine slows the peer much more.")
    report.write(options.json, document | {"ratios": ratios, "cosine": cosine}, contestants, runs)


def sentences(words: list[str]) -> list[str]:
    """Runs of consecutive words of the text, each beginning elsewhere."""
    endless = words * (SENTENCES * 3 // len(words) + 2)
    return [" ".join(endless[number * 3:number * 3 + WORDS]) for number in range(SENTENCES)]


def single_ms(runs: list[Run]) -> float:
    return statistics.median(ms for run in runs for ms in run.answer["single_ms"])


def agreement(contestants: list[Contestant], file: Path) -> float:
    """Whether both compute the same, by a few sentences outside of the measurement."""
    few = file.with_name("few.txt")
    few.write_text("\n".join(file.read_text().splitlines()[:8]) + "\n")
    vectors = []
    for contestant in contestants:
        dash = "--" if contestant.name == PEER else ""
        command = [few if part == str(file) else part for part in contestant.command] + [f"{dash}vectors=true"]
        vectors.append(json.loads(subprocess.check_output(command))["vectors"])
    return min(sum(a * b for a, b in zip(one, other)) for one, other in zip(*vectors))


if __name__ == "__main__":
    main()
