"""What a capable Python programmer writes for the same job in an afternoon: the same models, one stage after the other.

Reads a video, leaves a folder with sidecar JSON, WebVTT, SRT, frames, thumbnails and a sprite, and prints what each stage took.
"""

import argparse
import hashlib
import json
import os
import subprocess
import time
from pathlib import Path

from faster_whisper import BatchedInferencePipeline, WhisperModel
from PIL import Image
from scenedetect import ContentDetector, detect

from embedder import Embedder

WINDOW_WORDS = 70
SPRITE_COLUMNS, SPRITE_TILES, TILE = 10, 200, (160, 90)
THUMBNAIL = (320, 320)


class Stages:
    """Runs functions and remembers how long each took, in seconds."""

    def __init__(self):
        self.seconds = {}

    def __call__(self, name, work, *arguments):
        began = time.monotonic()
        result = work(*arguments)
        self.seconds[name] = round(time.monotonic() - began, 3)
        return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("folder", type=Path, help="where the results go")
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--compute", default="int8")
    parser.add_argument("--batch", type=int, default=0, help="speech windows at once; 0 is one after the other")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)

    began = time.monotonic()
    whisper = WhisperModel(str(options.models / "whisper-tiny.en"), device="cpu", compute_type=options.compute,
                           cpu_threads=options.threads)
    embedder = Embedder(options.models / "all-minilm-l6-v2", options.threads)
    load_s = time.monotonic() - began

    stage, began, cpu = Stages(), time.monotonic(), cpu_seconds()
    digest = stage("sha256", sha256, options.video)
    facts = stage("probe", probe, options.video)
    wav = stage("audio", extract_audio, options.video, options.folder)
    words = stage("asr", transcribe, whisper, wav, options)
    scenes = stage("scenes", find_scenes, options.video, facts)
    seconds, middles = stage("frames", extract_frames, options.video, options.folder, scenes)
    windows = stage("embed", embed, embedder, scenes, words)
    stage("sidecar", write_sidecar, options.folder, digest, facts, scenes, words, windows, seconds, middles)
    wall_s, cpu_s = time.monotonic() - began, cpu_seconds() - cpu
    print(json.dumps({"wall_s": wall_s, "cpu_s": cpu_s, "load_s": load_s, "stages": stage.seconds, "scenes": len(scenes),
                      "words": len(words), "cuts": [scene["start_frame"] for scene in scenes[1:]], "text": "".join(word["text"] for word in words)}))


def cpu_seconds():
    """Of this process and of the programs it has run."""
    return sum(os.times()[:4])


def sha256(video):
    with video.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def probe(video):
    return json.loads(subprocess.check_output(
        ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(video)]))


def extract_audio(video, folder):
    wav = folder / "audio.wav"
    subprocess.check_call(["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(video), "-vn", "-ac", "1", "-ar", "16000", str(wav)])
    return wav


def transcribe(whisper, wav, options):
    settings = {"beam_size": options.beam, "word_timestamps": True, "vad_filter": True}
    if options.batch:
        segments, _ = BatchedInferencePipeline(whisper).transcribe(str(wav), batch_size=options.batch, **settings)
    else:
        segments, _ = whisper.transcribe(str(wav), **settings)
    return [{"start": word.start, "end": word.end, "text": word.word} for segment in segments for word in segment.words]


def find_scenes(video, facts):
    found = detect(str(video), ContentDetector())
    if not found:
        return [{"start": 0.0, "end": float(facts["format"]["duration"]), "start_frame": 0, "end_frame": 1}]
    return [{"start": start.seconds, "end": end.seconds, "start_frame": start.frame_num, "end_frame": end.frame_num}
            for start, end in found]


def any_of(terms):
    """Sum of the terms as a balanced tree: FFmpeg's expressions may not nest more than 100 deep, and a chain of + does."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return f"({any_of(terms[:half])}+{any_of(terms[half:])})"


def extract_frames(video, folder, scenes):
    """A frame a second and the middle frame of each scene, in one decode."""
    middle = any_of([f"eq(n,{(scene['start_frame'] + scene['end_frame']) // 2})" for scene in scenes])
    scale = "scale='min(1280,iw)':-2"
    subprocess.check_call(
        ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(video),
         "-filter_complex", f"[0:v]split[a][b];[a]fps=1,{scale}[seconds];[b]select='{middle}',{scale}[middles]",
         "-map", "[seconds]", "-q:v", "3", str(folder / "second_%05d.jpg"),
         "-map", "[middles]", "-fps_mode", "passthrough", "-q:v", "3", str(folder / "middle_%05d.jpg")])
    return sorted(folder.glob("second_*.jpg")), sorted(folder.glob("middle_*.jpg"))


def embed(embedder, scenes, words):
    windows, at = [], 0
    for scene in scenes:
        own = []
        while at < len(words) and words[at]["start"] < scene["end"]:
            own.append(words[at])
            at += 1
        scene["text"] = "".join(word["text"] for word in own).strip()
        for first in range(0, len(own), WINDOW_WORDS):
            part = own[first:first + WINDOW_WORDS]
            windows.append({"start": part[0]["start"], "end": part[-1]["end"], "text": "".join(word["text"] for word in part).strip()})
    if windows:
        for window, vector in zip(windows, embedder.embed([window["text"] for window in windows])):
            window["vector"] = vector.tolist()
    return windows


def write_sidecar(folder, digest, facts, scenes, words, windows, seconds, middles):
    for picture in middles:
        with Image.open(picture) as image:
            image.thumbnail(THUMBNAIL)
            image.save(picture.with_suffix(".webp"))
    sprite(folder, seconds)
    captions = [words[at:at + 10] for at in range(0, len(words), 10)]
    lines = [(clock(part[0]["start"]), clock(part[-1]["end"]), "".join(word["text"] for word in part).strip()) for part in captions]
    (folder / "captions.vtt").write_text("WEBVTT\n\n" + "".join(f"{start} --> {end}\n{text}\n\n" for start, end, text in lines))
    (folder / "captions.srt").write_text("".join(
        f"{number}\n{start.replace('.', ',')} --> {end.replace('.', ',')}\n{text}\n\n" for number, (start, end, text) in enumerate(lines, 1)))
    document = {"sha256": digest, "format": facts["format"], "streams": facts["streams"], "scenes": scenes, "words": words, "windows": windows}
    (folder / "sidecar.json").write_text(json.dumps(document))


def sprite(folder, seconds):
    tiles = seconds[::-(-len(seconds) // SPRITE_TILES)]
    sheet = Image.new("RGB", (TILE[0] * SPRITE_COLUMNS, TILE[1] * -(-len(tiles) // SPRITE_COLUMNS)))
    step, cues = len(seconds) / len(tiles), ["WEBVTT\n"]
    for number, picture in enumerate(tiles):
        x, y = number % SPRITE_COLUMNS * TILE[0], number // SPRITE_COLUMNS * TILE[1]
        with Image.open(picture) as image:
            image.thumbnail(TILE)
            sheet.paste(image, (x, y))
        cues.append(f"{clock(number * step)} --> {clock((number + 1) * step)}\nsprite.webp#xywh={x},{y},{TILE[0]},{TILE[1]}\n")
    sheet.save(folder / "sprite.webp")
    (folder / "sprite.vtt").write_text("\n".join(cues))


def clock(seconds):
    milliseconds = round(seconds * 1000)
    return f"{milliseconds // 3_600_000:02}:{milliseconds // 60_000 % 60:02}:{milliseconds // 1000 % 60:02}.{milliseconds % 1000:03}"


if __name__ == "__main__":
    main()
