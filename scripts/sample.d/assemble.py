#!/usr/bin/env python3
"""Puts the sample video together and writes its truth beside it.

    assemble.py sample|long MEDIA_FOLDER WORK_FOLDER TARGET.mp4

MEDIA_FOLDER holds bigbuckbunny.mp4, carphone_pristine.mp4 and two_cities.wav. Needs ffmpeg, flite, espeak-ng and the DejaVu
fonts. The truth is TARGET.truth.json: frames count from 0, times are milliseconds, intervals are half open.
"""

import hashlib
import json
import sys
from pathlib import Path

import encode
import long_reel
import shots
import speech


def sample(media: Path, work: Path, target: Path) -> dict:
    """The sample: 13 shots, 11 hard cuts, one fade through black, speech, music and silence; 1280x720."""
    width, height = 1280, 720
    reel = shots.sample_shots(media, width, height)
    starts = encode.starts(reel)

    def at(name: str) -> float:
        return starts[name] / shots.RATE

    rabbit = reel[1]
    music = speech.decode(media / "bigbuckbunny.mp4", "atrim=end=4.8,afade=t=out:st=4.3:d=0.5,volume=0.5")
    clips = [
        speech.synthetic(at("title") + 0.5, "Welcome to the sample video.", "flite:slt", work),
        speech.Clip(at("rabbit") + 0.2, music, [], "music"),
        speech.recorded(at("man") + 0.4, media / "two_cities.wav"),
        speech.synthetic(at("bridge") + 1.0, "Please bring the red umbrella to the bridge before nine o'clock.", "flite:rms", work),
        speech.synthetic(at("counter") + 0.7, "The archive holds many boxes of old photographs.", "flite:slt", work),
        speech.synthetic(at("credits") + 0.6, "Thank you for watching.", "espeak:en-us", work),
    ]
    assert clips[1].end_s <= at("man") and rabbit.name == "rabbit"
    assert clips[2].end_s <= at("rabbit_dusk"), "the silent stretch is the shot before the fade"
    video = encode.video(reel, work, target, clips, width, height, bitrate="4M")
    truth = encode.truth(reel, clips, width, height)
    silence = {"start_ms": round(1000 * clips[2].end_s), "end_ms": round(1000 * (clips[3].at_s))}
    best = truth["speech"][1]
    assert best["text"].startswith("It was the best of times")
    truth |= {
        "silences": [silence],
        "searches": [
            {"query": "it was the best of times", "shot": "man", "at_ms": best["start_ms"]},
            {"query": "red umbrella", "shot": "bridge", "at_ms": truth["speech"][-3]["start_ms"]},
            {"query": "old photographs", "shot": "counter", "at_ms": truth["speech"][-2]["start_ms"]},
        ],
    }
    return truth | video


def main() -> None:
    kind, media, work, target = sys.argv[1], *map(Path, sys.argv[2:])
    work.mkdir(parents=True, exist_ok=True)
    make = {"sample": sample, "long": long_reel.make}[kind]
    truth = make(media, work, target)
    digest = hashlib.sha256()
    with target.open("rb") as video:
        while block := video.read(1 << 20):
            digest.update(block)
    truth["sha256"] = digest.hexdigest()
    beside = target.with_suffix(".truth.json")
    beside.write_text(json.dumps({"schema": "heimdex-sample-truth/1", "file": target.name, **truth}, indent=1) + "\n")


if __name__ == "__main__":
    main()
