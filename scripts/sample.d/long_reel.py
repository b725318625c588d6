"""The long video of the benches: ten minutes, 1080p, a cut every five seconds or so, half of it speech."""

from pathlib import Path

import encode
import shots
import speech
from shots import RATE, Shot

WIDTH, HEIGHT = 1920, 1080
MINUTES = 10
# Lengths of shots, in turns: frames. On average 4.9 s, so about 12 cuts a minute.
LENGTHS = [141, 96, 204, 120, 171, 90, 240, 132, 156, 111]

PASSAGES = [
    ("flite:slt", "Alice was beginning to get very tired of sitting by her sister on the bank, and of having nothing to do. "
     "Once or twice she had peeped into the book her sister was reading, but it had no pictures or conversations in it."),
    ("flite:rms", "Call me Ishmael. Some years ago, never mind how long precisely, having little or no money in my purse, and nothing "
     "particular to interest me on shore, I thought I would sail about a little and see the watery part of the world."),
    ("flite:awb", "Four score and seven years ago our fathers brought forth on this continent a new nation, conceived in liberty, and "
     "dedicated to the proposition that all men are created equal."),
    ("flite:slt", "So she was considering in her own mind, as well as she could, for the hot day made her feel very sleepy and stupid, "
     "whether the pleasure of making a daisy chain would be worth the trouble of getting up and picking the daisies."),
    ("flite:rms", "Whenever I find myself growing grim about the mouth, whenever it is a damp, drizzly November in my soul, "
     "then I account it high time to get to sea as soon as I can."),
]


def reel(media: Path) -> list[Shot]:
    """Shots of six kinds in turns, each time cut and coloured differently, to the frame ten minutes."""
    rabbit, man = ["-i", str(media / "bigbuckbunny.mp4")], ["-i", str(media / "carphone_pristine.mp4")]
    size, total = f"{WIDTH}x{HEIGHT}", MINUTES * 60 * RATE
    made, frame = [], 0
    while frame < total:
        number = len(made)
        length = LENGTHS[number % len(LENGTHS)]
        if total - frame - length < min(LENGTHS):
            length = total - frame
        turn, name = number // 6, f"shot_{number:03}"
        flip = "hflip," if turn % 2 else ""
        hue = f"hue=h={turn * 37 % 360}"
        common = {"name": name, "frames": length}
        loop = "loop=loop=-1:size=400:start=0,setpts=N/30/TB"
        if number % 6 == 0:
            x, y = 40 + turn * 29 % 500, 10 + turn * 17 % 280
            made.append(Shot(**common, inputs=rabbit, source="bigbuckbunny.mp4", shows="the rabbit on the meadow", who=["Big Buck Bunny"],
                             filters=f"{shots.there_and_back(f'fps={RATE}')},{loop},crop=700:394:{x}:{y},{flip}{shots.full(WIDTH, HEIGHT)}"))
        elif number % 6 == 1:
            text = f"CARD {turn + 1}"
            picture = f"gradients=s={size}:r={RATE}:c0=0x{0x201040 + turn * 0x050805:06x}:c1=0x102030:n=2:speed=0.003:seed={turn + 1}"
            made.append(Shot(**common, inputs=shots.drawn(picture), source="generated", shows="a dark card", text=[text],
                             filters=f"{shots.GRAIN},{shots.lines([text, 'the long reel'], HEIGHT)}"))
        elif number % 6 == 2:
            chain = shots.there_and_back(f"fps={RATE},setpts=PTS-STARTPTS")
            made.append(Shot(**common, inputs=man, source="carphone_pristine.mp4", shows="the man in the car", who=["the man in the car"],
                             filters=f"{chain},{loop},{flip}eq=brightness=0.08,{shots.pillar(WIDTH, HEIGHT)}"))
        elif number % 6 == 3:
            picture = f"mandelbrot=s=960x540:r={RATE}:start_scale={1.5 - turn * 0.05}:end_scale=0.05:end_pts=500:maxiter=200"
            made.append(Shot(**common, inputs=shots.drawn(picture), source="generated", shows="the Mandelbrot set",
                             filters=f"{hue},{shots.full(WIDTH, HEIGHT)},{shots.GRAIN}"))
        elif number % 6 == 4:
            made.append(Shot(**common, inputs=rabbit, source="bigbuckbunny.mp4", shows="the rabbit in blue light", who=["Big Buck Bunny"],
                             filters=f"{shots.there_and_back(f'fps={RATE}')},{loop},{flip}{shots.full(WIDTH, HEIGHT)},"
                                     "colorchannelmixer=0.4:0:0:0:0:0.4:0:0:0:0:0.8:0"))
        else:
            picture = f"testsrc2=s={size}:r={RATE}" if turn % 2 else f"smptehdbars=s={size}:r={RATE}"
            made.append(Shot(**common, inputs=shots.drawn(picture), source="generated", shows="a test picture",
                             filters=f"{shots.GRAIN},{shots.lines([f'TAPE {turn + 1}'], HEIGHT, top=0.45)}", text=[f"TAPE {turn + 1}"]))
        frame += length
    return made


def make(media: Path, work: Path, target: Path) -> dict:
    """Builds it. Readings and pauses alternate until half of the time is speech."""
    pictures = reel(media)
    clips, at, spoken, turn = [], 2.0, 0.0, 0
    reading = speech.recorded(0, media / "two_cities.wav")
    while spoken < MINUTES * 30 and at < MINUTES * 60 - 60:
        if turn % 3 == 0:
            clip = speech.Clip(at, reading.samples, reading.phrases, reading.voice)
        else:
            voice, text = PASSAGES[(turn - turn // 3 - 1) % len(PASSAGES)]
            clip = speech.synthetic(at, text, voice, work)
        clips.append(clip)
        length = clip.end_s - at
        spoken, at, turn = spoken + length, clip.end_s + length * 0.9, turn + 1
    video = encode.video(pictures, work, target, clips, WIDTH, HEIGHT, bitrate="5M")
    return encode.truth(pictures, clips, WIDTH, HEIGHT) | video | {"speech_s": round(spoken, 2)}
