"""The pictures of the sample: every shot as data, and how FFmpeg draws it.

A shot is exactly `frames` frames of `RATE` a second. Neighbours are of different sources, colours and brightness, so that a
boundary between them is a hard cut for anybody who looks.
"""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

RATE = 30
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"
# Film grain with a fixed seed: drawn pictures would otherwise compress to nothing, as no camera's do.
GRAIN = "noise=c0s=5:c0f=t+u:all_seed=7"


@dataclass(frozen=True)
class Shot:
    """One uninterrupted picture. `shows` and `text` are what a person sees; `text` is at least 24 px high."""

    name: str
    frames: int
    inputs: list[str]
    filters: str
    shows: str
    source: str
    who: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


def drawn(source: str) -> list[str]:
    """FFmpeg input arguments of a generated picture."""
    return ["-f", "lavfi", "-i", source]


def lines(texts: list[str], height: int, colour: str = "white", top: float = 0.36) -> str:
    """Centred lines of text, the first one larger. `height` is the picture's, pixels."""
    parts = []
    for number, text in enumerate(texts):
        size = round(height * (0.1 if number == 0 else 0.06))
        y = round(height * (top + 0.15 * number))
        parts.append(
            f"drawtext=fontfile={FONT}:text='{text}':fontcolor={colour}:fontsize={size}:x=(w-text_w)/2:y={y}"
            f":borderw={max(2, size // 20)}:bordercolor=black@0.6"
        )
    return ",".join(parts)


def there_and_back(chain: str) -> str:
    """Plays a clip forwards, then backwards: longer, without a jump."""
    return f"{chain},split[a][b];[b]reverse[c];[a][c]concat"


def full(width: int, height: int) -> str:
    return f"scale={width}:{height}:flags=bicubic,setsar=1"


def pillar(width: int, height: int) -> str:
    """A small, nearly square clip on a blurred copy of itself."""
    return (
        f"split[f][g];[g]scale={width}:{height}:flags=bicubic,boxblur=24,eq=brightness=-0.15[back];"
        f"[f]scale=-2:{height}:flags=lanczos[front];[back][front]overlay=(W-w)/2:0,setsar=1"
    )


def sample_shots(media: Path, width: int, height: int) -> list[Shot]:
    """The thirteen shots of the sample, in order."""
    rabbit = ["-i", str(media / "bigbuckbunny.mp4")]
    man = ["-i", str(media / "carphone_pristine.mp4")]
    size = f"{width}x{height}"

    def card(name: str, seconds: float, colours: tuple[str, str], text: list[str], shows: str) -> Shot:
        first, second = colours
        picture = f"gradients=s={size}:r={RATE}:c0={first}:c1={second}:n=2:x0=0:y0=0:x1={width}:y1={height}:speed=0.00001:seed=1"
        return Shot(name, round(seconds * RATE), drawn(picture), f"{GRAIN},{lines(text, height)}", shows, "generated", text=text)

    bunny = "Big Buck Bunny"
    return [
        card("title", 4, ("0x0a1a3a", "0x103a6a"), ["HEIMDEX SAMPLE", "thirteen shots and one fade"], "a dark blue title card"),
        Shot("rabbit", 158, rabbit, f"fps={RATE},{full(width, height)}",
             "a big grey rabbit climbs out of its burrow on a green meadow and stretches", "bigbuckbunny.mp4", [bunny]),
        Shot("man", 240, man, f"{there_and_back(f'fps={RATE},setpts=PTS-STARTPTS')},{pillar(width, height)}",
             "a man with a red bow tie talks in a moving car", "carphone_pristine.mp4", ["the man in the car"]),
        card("chapter", 5, ("0x6a1010", "0x2a0505"), ["CHAPTER ONE", "The Period"], "a dark red chapter card"),
        Shot("rabbit_close", 180, rabbit,
             f"trim=start_frame=30,setpts=PTS-STARTPTS,{there_and_back(f'fps={RATE},crop=480:270:120:20,hflip')},{full(width, height)}",
             "close-up of the rabbit's head and arms before the bushes", "bigbuckbunny.mp4", [bunny]),
        Shot("fractal", 210, drawn(f"mandelbrot=s={size}:r={RATE}:start_scale=1.2:end_scale=0.02:end_pts=400:maxiter=300"),
             GRAIN, "a zoom into the black and orange Mandelbrot set", "generated"),
        Shot("man_close", 210, man,
             f"{there_and_back(f'fps={RATE},setpts=PTS-STARTPTS,crop=128:72:20:24,hflip')},{full(width, height)},eq=brightness=0.06",
             "close-up of the man's face in the car", "carphone_pristine.mp4", ["the man in the car"]),
        card("map", 7, ("0xd8c690", "0xa08850"), ["LONDON AND PARIS", "in the year 1775"], "a sand-coloured card like an old map"),
        Shot("bars", 180, drawn(f"smptehdbars=s={size}:r={RATE}"), f"{GRAIN},{lines(['TAPE 42'], height, top=0.45)}",
             "colour bars of a tape", "generated", text=["TAPE 42"]),
        Shot("rabbit_dusk", 150, rabbit,
             f"trim=start_frame=20,setpts=PTS-STARTPTS,{there_and_back(f'fps={RATE}')},{full(width, height)},"
             "colorchannelmixer=0.35:0:0:0:0:0.35:0:0:0:0:0.75:0",
             "the rabbit on the meadow in blue light, fading to black", "bigbuckbunny.mp4", [bunny]),
        card("bridge", 6, ("0x105a50", "0x30a090"), ["BRIDGE 09.00", "bring the red umbrella"], "a sea-green card, fading in from black"),
        Shot("counter", 180, drawn(f"testsrc2=s={size}:r={RATE}"), GRAIN,
             "a moving test picture of bright stripes and a running counter", "generated"),
        card("credits", 4, ("0x302040", "0x604080"), ["BIG BUCK BUNNY", "(c) Blender Foundation, CC BY 3.0"], "a purple card with the credits"),
    ]


# Shots between which the picture goes through black, and for how many frames each side takes.
FADE = ("rabbit_dusk", "bridge", 24)


def with_fade(shot: Shot) -> str:
    """The shot's filters, with its half of the fade if it has one."""
    before, after, frames = FADE
    if shot.name == before:
        return f"{shot.filters},trim=end_frame={shot.frames},fade=t=out:s={shot.frames - frames}:n={frames}"
    if shot.name == after:
        return f"{shot.filters},fade=t=in:s=0:n={frames}"
    return shot.filters


def render(shot: Shot, encoder) -> None:
    """Draws one shot into the encoder: raw frames, so that not one is lost or doubled on the way."""
    command = ["ffmpeg", "-v", "error", "-nostdin", *shot.inputs, "-an",
               "-filter_complex", f"{with_fade(shot)},fps={RATE},tpad=stop_mode=clone:stop=-1,format=yuv420p",
               "-frames:v", str(shot.frames), "-f", "rawvideo", "-"]
    subprocess.run(command, check=True, stdout=encoder)
