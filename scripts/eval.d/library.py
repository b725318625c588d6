"""The golden set in a running Heimdex: its people, its videos, and which indexed scene is which."""

import hashlib
import json
import re
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import client
import metrics
from client import Api, Refused

CONSENT = "A published photograph under a free licence, for measuring on this machine."
ENDED = ("completed", "cancelled")


def enroll(api: Api, people: dict[str, list[str]], folder: Path, patience_s: float = 300, every_s: float = 0.5) -> dict[str, dict]:
    """Makes who is missing, sends their photographs and waits until they are checked; returns what became of each person."""
    ids = {person["display_name"]: person["person_id"] for person in pages(api, "/people?kind=named")}
    for name, photos in people.items():
        if name not in ids:
            ids[name] = api.call("POST", "/people", {"display_name": name, "consent": True, "consent_note": CONSENT})["person_id"]
        have = len([photo for photo in api.call("GET", f"/people/{ids[name]}/photos")["items"] if photo["state"] != "rejected"])
        if have < len(photos):
            for photo in photos:
                send_photo(api, ids[name], folder / photo)
    deadline = time.monotonic() + patience_s
    while True:
        states = {name: api.call("GET", f"/people/{ids[name]}/photos")["items"] for name in people}
        if all(photo["state"] != "checking" for photos in states.values() for photo in photos):
            break
        if time.monotonic() > deadline:
            raise Refused("the photographs of people are not checked in time")
        time.sleep(every_s)
    return {name: {"accepted": sum(photo["state"] == "accepted" for photo in photos),
                   "rejected": sorted(photo["code"] or "" for photo in photos if photo["state"] == "rejected")}
            for name, photos in states.items()}


def send_photo(api: Api, person: str, photo: Path) -> None:
    """The same photograph is taken in once a day, however often it is sent."""
    data = photo.read_bytes()
    request = urllib.request.Request(f"{api.base}/people/{person}/photos", data=data, method="POST", headers={
        "Authorization": f"Bearer {api.token}", "Content-Type": "image/jpeg", "Idempotency-Key": hashlib.sha256(data).hexdigest()})
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            reply.read()
    except urllib.error.HTTPError as error:
        raise Refused(f"{photo.name}: {error.code}: {error.read().decode(errors='replace')[:300]}") from error


def pages(api: Api, path: str) -> list[dict]:
    found, cursor, joint = [], "", "&" if "?" in path else "?"
    while True:
        page = api.call("GET", f"{path}{joint}limit=50{cursor}")
        found += page["items"]
        if not page["next_cursor"]:
            return found
        cursor = "&cursor=" + quote(page["next_cursor"])


def clear(api: Api, videos: list[dict]) -> None:
    """Deletes older versions of the set's videos. Refuses where there are others: they would be in the answers, and are not ours to delete."""
    files = {video["file"] for video in videos}
    ours = re.compile(rf"({'|'.join(re.escape(video['name']) for video in videos)})\.[0-9a-f]{{12}}\.mp4")
    others = [video for video in pages(api, "/videos") if video["original_filename"] not in files]
    if foreign := [video["original_filename"] for video in others if not ours.fullmatch(video["original_filename"])]:
        raise Refused(f"the account has videos that are not of the golden set: {', '.join(foreign[:5])}; use another account")
    for video in others:
        api.call("DELETE", f"/videos/{video['video_id']}")


def upload(api: Api, videos: list[dict], folder: Path) -> dict[str, str]:
    """Sends what is not there; returns the ids by name. A file's name has the hash of its content, so that another one is another video."""
    clear(api, videos)
    ids = {}
    for video in videos:
        file = folder / video["file"]
        known = client.find(api, file, ("validating", "processing", "indexed"))
        ids[video["name"]] = known["video_id"] if known else client.upload(api, file)
    return ids


def wait_until_indexed(api: Api, ids: dict[str, str], patience_s: float = 1800, every_s: float = 0.5) -> None:
    waiting, deadline = dict(ids), time.monotonic() + patience_s
    while waiting:
        for name, video in list(waiting.items()):
            now = api.call("GET", f"/videos/{video}")
            if now["state"] == "failed":
                raise Refused(f"{name} could not be indexed: {json.dumps(now.get('failure'))}")
            if now["state"] == "indexed" and all(job["state"] in ENDED for job in api.call("GET", f"/videos/{video}/jobs")["items"]):
                del waiting[name]
        if waiting and time.monotonic() > deadline:
            raise Refused(f"not indexed in time: {', '.join(waiting)}")
        if waiting:
            time.sleep(every_s)


def match(api: Api, videos: list[dict], ids: dict[str, str]) -> tuple[dict[str, str], int]:
    """Indexed scenes by golden ones (`VIDEO/N`), and how many indexed scenes there are."""
    matched, count = {}, 0
    for video in videos:
        scenes = api.call("GET", f"/videos/{ids[video['name']]}/scenes")["items"]
        count += len(scenes)
        golden = {f"{video['name']}/{scene['number']}": (scene["start_ms"], scene["end_ms"]) for scene in video["scenes"]}
        matched |= metrics.match(golden, {scene["scene_id"]: (scene["start_ms"], scene["end_ms"]) for scene in scenes})
    return matched, count
