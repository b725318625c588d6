"""Writing in the pictures of a video, one a second as the worker looks at them, on one core: what it takes and what is read."""

import json
import statistics
import subprocess
from pathlib import Path

import report
import truth
from machine import versions

# As wide as the worker's pictures are at most.
WIDTH = 1280


def main() -> None:
    parser = report.arguments(__doc__)
    parser.add_argument("--python", help="not used: there is no peer")
    parser.add_argument("--ours", required=True, help="the built example `ocr`")
    parser.add_argument("--work", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("video", type=Path)
    options = parser.parse_args()
    document = report.start(f"Writing: {options.video.name}", versions())
    pictures = stills(options.video, options.work / "stills")
    command = [options.ours, "threads=1", "follow=true", f"repeat={options.rounds}"]
    print(f"\n  {' '.join(command)} PICTURE… ({len(pictures)} of them; --threads is not for this one)\n")
    done = subprocess.run([*command, *map(str, pictures)], check=True, stdout=subprocess.PIPE, text=True)
    looked = [json.loads(line) for line in done.stdout.splitlines()]

    found = summary(looked)
    print(f"  The look for strokes takes {found['strokes_ms']:.1f} ms a picture; strokes are in {found['share']:.0%} of a picture's area")
    print(f"  {found['read']} of {found['pictures']} pictures differ where there are strokes and are read: {found['reading_ms']:.0f} ms each, "
          f"{found['reading_ms_of_all']:.0f} ms a picture of all")
    if known := truth.of(options.video):
        found |= judge(looked, known)
        print(f"  {found['texts_read']} of {found['texts']} texts of the truth are read; other lines: {', '.join(found['others']) or 'none'}")
        if found["missed"]:
            print(f"  not read: {', '.join(found['missed'])}")
    report.write(options.json, document | {"writing": found}, [], {})


def stills(video: Path, folder: Path) -> list[Path]:
    """The first picture of each second, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = f"select='isnan(prev_selected_t)+gt(floor(t),floor(prev_selected_t))',scale='min({WIDTH},iw)':-2:flags=bilinear"
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(video), "-map", "0:v:0", "-vf", chosen, "-fps_mode", "passthrough",
                    str(folder / "%05d.png")], check=True)
    return sorted(folder.glob("*.png"))


def summary(looked: list[dict]) -> dict:
    """Times are means, milliseconds; nothing was read where the picture shows the same as the last one that was."""
    reading = [one["reading_ms"] for one in looked if one["read"]]
    return {"pictures": len(looked), "read": len(reading), "strokes_ms": statistics.fmean(one["looking_ms"] for one in looked),
            "share": statistics.fmean(one["share"] for one in looked), "reading_ms": statistics.fmean(reading) if reading else 0.0,
            "reading_ms_of_all": sum(reading) / len(looked)}


def judge(looked: list[dict], known: dict) -> dict:
    """Each text of a shot counts as read if one of the shot's pictures, of which there is one a second from 0 on, has it; blanks do not count."""
    read: dict[str, set[str]] = {}
    for second, one in enumerate(looked):
        shot = next((shot for shot in known["shots"] if shot["start_ms"] <= 1000 * second < shot["end_ms"]), None)
        if shot:
            read.setdefault(shot["name"], set()).update(plain(line["text"]) for line in one["lines"])
    wanted = [(shot["name"], text) for shot in known["shots"] for text in shot["on_screen_text"]]
    missed = [text for name, text in wanted if plain(text) not in read.get(name, set())]
    everything = {plain(text) for _, text in wanted}
    others = sorted({line["text"] for one in looked for line in one["lines"] if plain(line["text"]) not in everything})
    return {"texts": len(wanted), "texts_read": len(wanted) - len(missed), "missed": missed, "others": others}


def plain(text: str) -> str:
    return "".join(text.split())


if __name__ == "__main__":
    main()
