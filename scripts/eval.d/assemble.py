#!/usr/bin/env python3
"""Makes the videos of the golden set, and the photographs its people are enrolled by.

    assemble.py MEDIA_FOLDER TARGET_FOLDER [--jobs N]

Reads golden.toml beside this file. MEDIA_FOLDER holds every `file` it names but the drawings, and two_cities.wav. TARGET_FOLDER gets
`NAME.HASH.mp4` a video, `people/*.jpg`, and `golden.json`: what is where in which file. A video whose sources are as they were stays.
Needs ffmpeg (with librsvg), flite, espeak-ng, DejaVu and WenQuanYi fonts.
"""

import argparse
import array
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
SAMPLE = HERE.parent / "sample.d"
sys.path.insert(0, str(SAMPLE))

import shots
import speech
from shots import RATE

# Of the sound before and after what is said: words at a cut would belong to two scenes.
LEAD_S, TAIL_S = 0.45, 0.55
LEAST_S = 3.0
LATIN, CJK = shots.FONT, "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"
# A still picture is a little larger than the frame and glides across it, as a camera would.
GLIDE = 1.08


class Wrong(Exception):
    """golden.toml says something that cannot be; the message says where."""


def check(golden: dict) -> None:
    """That names are known and unique, and that each scene says who speaks."""
    names = [video["name"] for video in golden["videos"]]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise Wrong(f"videos of the same name: {', '.join(sorted(doubled))}")
    for video in golden["videos"]:
        for number, scene in enumerate(video["scenes"], 1):
            where = f"{video['name']}/{number}"
            if scene["picture"] not in golden["pictures"]:
                raise Wrong(f"{where}: there is no picture `{scene['picture']}`")
            if unknown := set(scene.get("who", [])) - set(golden["people"]):
                raise Wrong(f"{where}: not among the people: {', '.join(sorted(unknown))}")
            if "says" in scene and "voice" not in scene and "read_s" not in scene:
                raise Wrong(f"{where}: who says it? `voice` or `read_s` is missing")


def find(name: str, media: Path) -> Path:
    path = HERE / "drawings" / name if name.endswith(".svg") else media / name
    if not path.exists():
        raise Wrong(f"there is no {path}")
    return path


def framed(picture: dict, width: int, height: int, glide: bool) -> str:
    """Filters that fill the frame with a photograph, a drawing or a clip."""
    parts = [f"crop={picture['crop']}"] if "crop" in picture else []
    if "look" in picture:
        parts.append(picture["look"])
    if picture.get("fit") == "pillar":
        return ",".join([*parts, shots.pillar(width, height)])
    wide, high = ((round(side * GLIDE / 2) * 2 if glide else side) for side in (width, height))
    parts.append(f"scale={wide}:{high}:force_original_aspect_ratio=increase:flags=lanczos")
    if glide:
        parts.append(f"crop={width}:{height}:(in_w-{wide})/2+(in_w-out_w-(in_w-{wide}))*min(1\\,n/240):(in_h-out_h)/2")
    else:
        parts.append(f"crop={width}:{height}")
    return ",".join([*parts, "setsar=1"])


def written(lines: list[str], folder: Path, key: str, height: int, ink: str) -> list[str]:
    """Filters that draw lines of text in the middle, the first one larger."""
    edge = "white@0.5" if ink == "black" else "black@0.75"
    parts = []
    for number, line in enumerate(lines):
        size = round(height * (0.105 if number == 0 else 0.075))
        top = round(height * (0.32 + 0.17 * number))
        path = folder / f"{key}.{number}.txt"
        path.write_text(line)
        font = LATIN if line.isascii() else CJK
        parts.append(f"drawtext=fontfile={font}:textfile={path}:expansion=none:fontcolor={ink}:fontsize={size}"
                     f":x=(w-text_w)/2:y={top}:borderw={max(2, size // 14)}:bordercolor={edge}")
    return parts


def shot(scene: dict, key: str, frames: int, golden: dict, media: Path, folder: Path) -> shots.Shot:
    """A scene as `sample.d/shots.py` renders it."""
    picture, (width, height) = golden["pictures"][scene["picture"]], (golden["size"]["width"], golden["size"]["height"])
    kind, text = picture.get("drawn"), scene.get("text", [])
    # A photographed page says by itself what is declared of it.
    drawn_text = written(text, folder, key, height, picture.get("ink", "white")) if kind else []
    if kind == "card":
        first, second = picture["card"]
        inputs = shots.drawn(f"gradients=s={width}x{height}:r={RATE}:c0={first}:c1={second}:n=2:x0=0:y0=0:x1={width}:y1={height}:speed=0.00001:seed=1")
        parts = [shots.GRAIN]
    elif kind:
        inputs = shots.drawn(f"{kind}{':' if '=' in kind else '='}s={width}x{height}:r={RATE}")
        parts = [shots.GRAIN]
    else:
        path = find(picture["file"], media)
        if path.suffix == ".mp4":
            inputs = ["-i", str(path)]
            start = picture.get("start_s", 0)
            parts = [shots.there_and_back(f"fps={RATE},trim=start={start},setpts=PTS-STARTPTS"), framed(picture, width, height, glide=False)]
        else:
            inputs = ["-loop", "1", "-framerate", str(RATE), "-t", str(frames / RATE + 1), "-i", str(path)]
            parts = ["format=rgb24", framed(picture, width, height, glide=picture.get("fit") != "pillar"), shots.GRAIN]
    return shots.Shot(key, frames, inputs, ",".join([*parts, *drawn_text]), scene["shows"], str(picture.get("file", kind)), scene.get("who", []), text)


def said(scene: dict, media: Path, folder: Path) -> speech.Clip | None:
    """What is said in a scene, from second 0."""
    if "read_s" in scene:
        start, end = scene["read_s"]
        samples = speech.decode(media / "two_cities.wav", f"atrim=start={start - 0.1}:end={end + 0.15},asetpts=PTS-STARTPTS")
        return speech.Clip(0, samples, [(0.1, 0.1 + end - start, scene["says"])], "reader")
    if "says" in scene:
        return trimmed(speech.synthetic(0, scene["says"], scene["voice"], folder))
    return None


def trimmed(clip: speech.Clip) -> speech.Clip:
    """Without the silence that synthesizers put before and after."""
    [(start, end, text)] = clip.phrases
    samples = array.array("h", clip.samples[round(start * speech.RATE):round(end * speech.RATE)])
    return speech.Clip(0, samples, [(0, end - start, text)], clip.voice)


def recipe(video: dict, golden: dict, media: Path) -> str:
    """A hash of everything the video depends on: its data, its sources, these programs."""
    digest = hashlib.sha256(json.dumps([video, golden["size"]], sort_keys=True).encode())
    for name in sorted({scene["picture"] for scene in video["scenes"]}):
        picture = golden["pictures"][name]
        digest.update(json.dumps(picture, sort_keys=True).encode())
        if "file" in picture:
            digest.update(find(picture["file"], media).read_bytes())
    if any("read_s" in scene for scene in video["scenes"]):
        digest.update((media / "two_cities.wav").read_bytes())
    for program in (Path(__file__), SAMPLE / "shots.py", SAMPLE / "speech.py"):
        digest.update(program.read_bytes())
    return digest.hexdigest()


def make(video: dict, golden: dict, media: Path, target: Path) -> dict:
    """One video, unless it is there; returns what golden.json says of it."""
    made_by, beside = recipe(video, golden, media), target / f"{video['name']}.json"
    try:
        known = json.loads(beside.read_text())
        if known["recipe"] == made_by and (target / known["file"]).stat().st_size == known["size_bytes"]:
            return known
    except (OSError, ValueError, KeyError):
        pass
    for old in target.glob(f"{video['name']}.*.mp4"):
        old.unlink()
    with tempfile.TemporaryDirectory(dir=target, prefix=".work-") as name:
        return render(video, golden, media, target, Path(name), made_by)


def render(video: dict, golden: dict, media: Path, target: Path, work: Path, made_by: str) -> dict:
    reel, clips, scenes, frame = [], [], [], 0
    for number, scene in enumerate(video["scenes"], 1):
        clip = said(scene, media, work)
        spoken_s = LEAD_S + len(clip.samples) / speech.RATE + TAIL_S if clip else 0
        frames = round(max(spoken_s, scene.get("seconds", LEAST_S)) * RATE)
        reel.append(shot(scene, f"{video['name']}-{number}", frames, golden, media, work))
        if clip:
            clips.append(speech.Clip(frame / RATE + LEAD_S, clip.samples, clip.phrases, clip.voice))
        milliseconds = [round(1000 * edge / RATE) for edge in (frame, frame + frames)]
        scenes.append({"number": number, "start_ms": milliseconds[0], "end_ms": milliseconds[1],
                       **{key: scene[key] for key in ("shows", "who", "text", "says", "voice") if key in scene}})
        frame += frames
    draft = encode(reel, clips, golden["size"], frame / RATE, work)
    content = hashlib.sha256(draft.read_bytes()).hexdigest()
    file = target / f"{video['name']}.{content[:12]}.mp4"
    draft.replace(file)
    known = {"name": video["name"], "file": file.name, "sha256": content, "size_bytes": file.stat().st_size,
             "duration_ms": round(1000 * frame / RATE), "scenes": scenes, "recipe": made_by}
    write(target / f"{video['name']}.json", known)
    return known


def encode(reel: list[shots.Shot], clips: list[speech.Clip], size: dict, duration_s: float, work: Path) -> Path:
    """H.264 and AAC, with one thread: the same bytes whatever the machine's cores, and as many videos at once as there are jobs."""
    track, draft = work / "track.s16", work / "draft.mp4"
    speech.write_track(clips, duration_s, track)
    encoder = subprocess.Popen([
        "ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{size['width']}x{size['height']}", "-r", str(RATE), "-i", "-",
        "-f", "s16le", "-ar", str(speech.RATE), "-ac", "1", "-i", str(track), "-map", "0:v", "-map", "1:a",
        "-c:v", "libx264", "-preset", "veryfast", "-threads", "1", "-crf", "23", "-g", "150", "-pix_fmt", "yuv420p",
        "-c:a", "aac", "-b:a", "96k", "-movflags", "+faststart", "-map_metadata", "-1",
        "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact", str(draft)], stdin=subprocess.PIPE)
    for one in reel:
        shots.render(one, encoder.stdin)
    encoder.stdin.close()
    if encoder.wait() != 0:
        raise Wrong("the encoder failed")
    return draft


def portraits(golden: dict, media: Path, target: Path) -> dict[str, list[str]]:
    """The photographs by which people are enrolled, made once; paths within the target folder."""
    folder, made = target / "people", {}
    folder.mkdir(exist_ok=True)
    for name, person in golden["people"].items():
        made[name] = []
        for number, photo in enumerate(person["photos"], 1):
            source = find(photo["file"], media)
            key = hashlib.sha256(json.dumps(photo, sort_keys=True).encode() + source.read_bytes()).hexdigest()[:12]
            path = folder / f"{name.lower().replace(' ', '-')}-{number}.{key}.jpg"
            if not path.exists():
                for old in folder.glob(f"{name.lower().replace(' ', '-')}-{number}.*"):
                    old.unlink()
                filters = ",".join([*([photo["look"]] if "look" in photo else []), "scale='min(1200,iw)':-2:flags=lanczos"])
                part = path.with_suffix(".part.jpg")
                subprocess.run(["ffmpeg", "-v", "error", "-y", "-nostdin", "-i", str(source), "-vf", filters, "-frames:v", "1", "-q:v", "2",
                                "-fflags", "+bitexact", "-flags:v", "+bitexact", str(part)], check=True)
                part.replace(path)
            made[name].append(str(path.relative_to(target)))
    return made


def write(path: Path, document: dict) -> None:
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    draft.replace(path)


def sweep(target: Path, keep: set[str]) -> None:
    """Removes videos that golden.toml no longer has, and what an interrupted run left."""
    for path in target.iterdir():
        if path.name.startswith(".work-"):
            shutil.rmtree(path)
        elif path.suffix in (".mp4", ".json") and path.name.split(".")[0] not in keep:
            path.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("media", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--jobs", type=int, default=int(os.environ.get("HEIMDEX_JOBS") or 2), help="videos at once (HEIMDEX_JOBS, 2)")
    options = parser.parse_args()
    golden = tomllib.loads((HERE / "golden.toml").read_text())
    options.target.mkdir(parents=True, exist_ok=True)
    try:
        check(golden)
        sweep(options.target, {"golden", *(video["name"] for video in golden["videos"])})
        people = portraits(golden, options.media, options.target)
        with ThreadPoolExecutor(options.jobs) as pool:
            videos = list(pool.map(lambda video: make(video, golden, options.media, options.target), golden["videos"]))
    except (Wrong, subprocess.CalledProcessError) as error:
        print(f"assemble: {error}", file=sys.stderr)
        return 1
    write(options.target / "golden.json", {"schema": "heimdex-golden/1", "people": people, "videos": videos})
    print(f"golden set: {len(videos)} videos, {sum(len(video['scenes']) for video in videos)} scenes, "
          f"{sum(video['duration_ms'] for video in videos) / 1000:.0f} s, {sum(video['size_bytes'] for video in videos) / 1e6:.1f} MB in {options.target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
