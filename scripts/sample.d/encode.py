"""From shots and sound to one MP4 and the account of what is in it."""

import json
import subprocess
from pathlib import Path

import shots
import speech
from shots import RATE, Shot


def starts(reel: list[Shot]) -> dict[str, int]:
    """First frame of each shot."""
    at, frame = {}, 0
    for shot in reel:
        at[shot.name] = frame
        frame += shot.frames
    return at


def video(reel: list[Shot], work: Path, target: Path, clips: list[speech.Clip], width: int, height: int, bitrate: str) -> dict:
    """Renders, joins and encodes: constant 30 fps, H.264 with B-frames and keyframes where cuts are or every 8 s, AAC.

    The same machine makes the same file again: no rate buffer (x264 then decides by how far its threads have come).
    """
    frames = sum(shot.frames for shot in reel)
    track = work / "track.s16"
    speech.write_track(clips, frames / RATE, track)
    draft = target.with_suffix(".part.mp4")
    encoder = subprocess.Popen([
        "ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{height}", "-r", str(RATE), "-i", "-",
        "-f", "s16le", "-ar", str(speech.RATE), "-ac", "1", "-i", str(track), "-map", "0:v", "-map", "1:a",
        "-c:v", "libx264", "-preset", "fast", "-profile:v", "high", "-b:v", bitrate,
        "-g", "240", "-bf", "3", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
        "-c:a", "aac", "-ac", "2", "-b:a", "128k", "-movflags", "+faststart",
        "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact",
        "-metadata", "title=Heimdex sample", "-metadata", "comment=Contains Big Buck Bunny, (c) Blender Foundation, CC BY 3.0",
        str(draft)], stdin=subprocess.PIPE)
    for number, shot in enumerate(reel):
        print(f"\r  drawing shot {number + 1} of {len(reel)}", end="", flush=True)
        shots.render(shot, encoder.stdin)
    print()
    encoder.stdin.close()
    assert encoder.wait() == 0, "the encoder failed"
    track.unlink()
    probe = json.loads(subprocess.run(
        ["ffprobe", "-v", "error", "-count_packets", "-select_streams", "v:0", "-show_entries",
         "stream=nb_read_packets,width,height,r_frame_rate,avg_frame_rate,bit_rate,has_b_frames", "-of", "json", str(draft)],
        check=True, stdout=subprocess.PIPE).stdout)["streams"][0]
    assert int(probe["nb_read_packets"]) == frames, f"{probe['nb_read_packets']} frames instead of {frames}"
    assert (probe["width"], probe["height"], probe["avg_frame_rate"]) == (width, height, f"{RATE}/1"), probe
    draft.replace(target)
    return {"video_bit_rate": int(probe["bit_rate"])}


def milliseconds(frame: int) -> int:
    return round(1000 * frame / RATE)


def truth(reel: list[Shot], clips: list[speech.Clip], width: int, height: int) -> dict:
    """What is where, from the plan alone."""
    frames = sum(shot.frames for shot in reel)
    before, after, half = shots.FADE
    cuts, fades, places, frame = [], [], [], 0
    for previous, shot in zip([None, *reel], reel):
        if previous is not None and (previous.name, shot.name) == (before, after):
            fades.append({"kind": "through_black", "start_frame": frame - half, "black_frame": frame, "end_frame": frame + half,
                          "start_ms": milliseconds(frame - half), "black_ms": milliseconds(frame),
                          "end_ms": milliseconds(frame + half)})
        elif previous is not None:
            cuts.append({"frame": frame, "ms": milliseconds(frame)})
        places.append({"name": shot.name, "start_frame": frame, "end_frame": frame + shot.frames,
                       "start_ms": milliseconds(frame), "end_ms": milliseconds(frame + shot.frames),
                       "shows": shot.shows, "who": shot.who, "on_screen_text": shot.text, "source": shot.source})
        frame += shot.frames
    spoken = speech.phrases(clips)
    return {"width": width, "height": height, "fps": RATE, "frame_count": frames, "duration_ms": milliseconds(frames),
            "cuts": cuts, "fades": fades, "shots": places, "speech": spoken,
            "transcript": " ".join(phrase["text"] for phrase in spoken)}
