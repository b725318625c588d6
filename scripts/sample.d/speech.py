"""The sound of the sample: recorded and synthetic voices on one track, each phrase with the time it is spoken."""

import array
import math
import subprocess
from dataclasses import dataclass
from pathlib import Path

RATE = 48_000
# A voice has begun where 10 ms are louder than this (RMS, of 32768): about -40 dBFS.
AUDIBLE = 330

# two_cities.wav of moonshine-voice, 44.37 s: Charles Dickens, A Tale of Two Cities (1859), first paragraph.
# Start and end of each phrase in seconds, from FFmpeg's silencedetect at -35 dB and 0.15 s.
TWO_CITIES = [
    (1.214, 2.796, "It was the best of times,"),
    (2.993, 4.220, "it was the worst of times,"),
    (5.047, 6.126, "it was the age of wisdom,"),
    (6.694, 7.910, "it was the age of foolishness,"),
    (8.824, 10.076, "it was the epoch of belief,"),
    (10.777, 12.701, "it was the epoch of incredulity,"),
    (13.497, 14.733, "it was the season of light,"),
    (15.158, 16.631, "it was the season of darkness,"),
    (17.587, 18.709, "it was the spring of hope,"),
    (18.986, 20.400, "it was the winter of despair,"),
    (21.268, 22.594, "we had everything before us,"),
    (22.751, 23.953, "we had nothing before us,"),
    (24.674, 25.943, "we were all going direct to heaven,"),
    (26.593, 28.196, "we were all going direct the other way."),
    (29.128, 29.561, "In short,"),
    (29.950, 32.194, "the period was so far like the present period"),
    (32.809, 36.453, "that some of its noisiest authorities insisted on its being received,"),
    (36.998, 38.299, "for good or for evil,"),
    (38.718, 41.579, "in the superlative degree of comparison only."),
]


@dataclass(frozen=True)
class Clip:
    """Sound that begins at `at_s` of the track. `samples` are 16 bit, mono, 48 kHz; phrases are seconds within the clip."""

    at_s: float
    samples: array.array
    phrases: list[tuple[float, float, str]]
    voice: str

    @property
    def end_s(self) -> float:
        return self.at_s + len(self.samples) / RATE


def decode(path: Path, filters: str = "anull") -> array.array:
    """Any audio file as 16 bit mono samples at 48 kHz."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-vn", "-af", filters,
               "-ac", "1", "-ar", str(RATE), "-f", "s16le", "-"]
    samples = array.array("h")
    samples.frombytes(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return samples


def audible(samples: array.array) -> tuple[float, float]:
    """First and last second at which something is heard, to 10 ms."""
    step = RATE // 100
    loud = [at for at in range(0, len(samples), step)
            if math.sqrt(sum(s * s for s in samples[at:at + step]) / step) > AUDIBLE]
    return loud[0] / RATE, (loud[-1] + step) / RATE


def recorded(at_s: float, path: Path) -> Clip:
    """The reading of A Tale of Two Cities, without the click after its last word."""
    return Clip(at_s, decode(path, "atrim=end=42.4"), TWO_CITIES, "reader")


def synthetic(at_s: float, text: str, voice: str, folder: Path) -> Clip:
    """One phrase by a synthetic voice: `flite:NAME` or `espeak:NAME`. A file of the same text and voice is used again."""
    engine, name = voice.split(":")
    wav = folder / f"{engine}-{name}-{abs(hash_of(text))}.wav"
    if not wav.exists():
        spoken = (["flite", "-voice", name, "-t", text, "-o", str(wav)] if engine == "flite"
                  else ["espeak-ng", "-v", name, "-s", "140", "-w", str(wav), text])
        subprocess.run(spoken, check=True)
    samples = decode(wav, "volume=0.8")
    start, end = audible(samples)
    return Clip(at_s, samples, [(start, end, text)], voice)


def hash_of(text: str) -> int:
    """A number for a file name, the same in every run (Python's own `hash` is not)."""
    return int.from_bytes(__import__("hashlib").sha256(text.encode()).digest()[:6], "big")


def write_track(clips: list[Clip], duration_s: float, target: Path) -> None:
    """Writes the raw track: silence where no clip is. Clips are in order and do not overlap."""
    total = round(duration_s * RATE)
    with target.open("wb") as track:
        written = 0
        for clip in clips:
            start = round(clip.at_s * RATE)
            assert start >= written, f"the clip at {clip.at_s} s overlaps the one before, which ends at {written / RATE} s"
            track.write(bytes(2 * (start - written)))
            track.write(clip.samples.tobytes())
            written = start + len(clip.samples)
        assert written <= total, f"the sound is {written / RATE} s long, the picture {duration_s} s"
        track.write(bytes(2 * (total - written)))


def phrases(clips: list[Clip]) -> list[dict]:
    """Every phrase with the time it is spoken, milliseconds of the track."""
    return [{"start_ms": round(1000 * (clip.at_s + start)), "end_ms": round(1000 * (clip.at_s + end)),
             "text": text, "voice": clip.voice}
            for clip in clips for start, end, text in clip.phrases]
