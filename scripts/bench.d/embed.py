"""Text embedding: ours against ONNX Runtime from Python, the same model: many sentences in batches, and one at a time."""

import statistics
from pathlib import Path

import report
import truth
from machine import versions
from measure import Contestant, Run, in_turns, median

HERE = Path(__file__).parent
WORDS, SENTENCES = 25, 1024
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

    contestants = [
        Contestant("heimdex", [options.ours, str(file), f"threads={options.threads}"]),
        Contestant(PEER, [options.python, str(HERE / "peer_embed.py"), str(file), "--model",
                          str(options.models / "all-minilm-l6-v2"), "--threads", str(options.threads)]),
    ]
    runs = in_turns(contestants, options.rounds)
    report.commands(contestants)
    rows = [[name, *report.costs(own), f"{SENTENCES / median(own, lambda run: run.work_s):.1f}", f"{single_ms(own):.2f}"]
            for name, own in runs.items()]
    report.table(["", *report.COSTS, "sentences/s", "one ms"], rows)
    ratios = report.compare(runs, [("heimdex", PEER)])
    ratios[f"heimdex against {PEER}"]["one_sentence_speed"] = single = single_ms(runs[PEER]) / single_ms(runs["heimdex"])
    print(f"  of one sentence alone: {single:.2f}× as fast")
    one, other = (runs[name][0].answer["first"] for name in ("heimdex", PEER))
    cosine = sum(a * b for a, b in zip(one, other))
    print(f"  cosine of the two vectors of the first sentence: {cosine:.5f}")
    print(f"\n  {SENTENCES} sentences of {WORDS} words in batches of up to 32; work is tokenizing and computing, without loading. "
          "One: median of 200.")
    report.write(options.json, document | {"ratios": ratios, "cosine": cosine}, contestants, runs)


def sentences(words: list[str]) -> list[str]:
    """Runs of consecutive words of the text, each beginning elsewhere."""
    endless = words * (SENTENCES * 3 // len(words) + 2)
    return [" ".join(endless[number * 3:number * 3 + WORDS]) for number in range(SENTENCES)]


def single_ms(runs: list[Run]) -> float:
    return statistics.median(run.answer["single_ms"] for run in runs)


if __name__ == "__main__":
    main()
