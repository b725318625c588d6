#!/usr/bin/env python3
"""Uploads videos to a running Heimdex as a browser does, shows their stages go by, and searches them.

    HEIMDEX_EMAIL=... HEIMDEX_PASSWORD=... client.py [--no-wait] API_URL VIDEO...

A video that is there already, by name and size, is not sent again, and one that is there in part is sent from there on.
With --no-wait nothing is done after the upload. Exit code 1: something failed, and was said.
"""

import hashlib
import http.client
import json
import mimetypes
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote, urlsplit

BAR_WIDTH = 24
STAGE_TIMEOUT_S = 3600


class Refused(Exception):
    """The API said no; the message is for the person."""


class Api:
    def __init__(self, base: str):
        self.base, self.token = base.rstrip("/"), None

    def call(self, method: str, path: str, body=None, base: str | None = None, headers: dict | None = None):
        request = urllib.request.Request((base or self.base) + path, method=method)
        request.add_header("Accept", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                text = reply.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            try:
                problem = json.loads(text)
                text = problem.get("detail") or problem.get("title") or problem.get("msg") or problem.get("message") or text
            except ValueError:
                pass
            raise Refused(f"{method} {path}: {error.code}: {text}") from error

    def sign_in(self, email: str, password: str) -> None:
        config = self.call("GET", "/config")
        key = config.get("publishable_key") or ""
        session = self.call("POST", "/auth/v1/token?grant_type=password", {"email": email, "password": password},
                            base=config["auth_url"].rstrip("/"), headers={"apikey": key})
        self.token = session["access_token"]


def put_part(url: str, file: Path, offset: int, size: int) -> str:
    """Sends `size` bytes from `offset` to a presigned URL, without holding them in memory; returns the ETag."""
    where = urlsplit(url)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    connection = kind(where.netloc, timeout=120)
    with file.open("rb") as source:
        source.seek(offset)
        connection.putrequest("PUT", f"{where.path}?{where.query}")
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        while size > 0:
            block = source.read(min(size, 1 << 20))
            if not block:
                raise Refused(f"{file} became shorter while it was sent")
            connection.send(block)
            size -= len(block)
    reply = connection.getresponse()
    answer = reply.read()
    if reply.status != 200:
        raise Refused(f"storage refused a part: {reply.status} {answer[:300].decode(errors='replace')}")
    return reply.getheader("ETag")


def find(api: Api, file: Path, states: tuple[str, ...]) -> dict | None:
    """The newest video of this name and size that is in one of these states."""
    cursor = ""
    while True:
        page = api.call("GET", f"/videos?limit=50{cursor}")
        for video in page["items"]:
            same = video["original_filename"] == file.name and video["size_bytes"] == file.stat().st_size
            if same and video["state"] in states:
                return video
        if not page["next_cursor"]:
            return None
        cursor = "&cursor=" + quote(page["next_cursor"])


def send(api: Api, file: Path) -> tuple[str, list[dict]]:
    """Sends what storage does not have of a file, also of what another process began; returns the video's id and all parts.

    The last step, completing the upload, is left to the caller.
    """
    size, stored = file.stat().st_size, {}
    begun = find(api, file, ("uploading",))
    if begun:
        video, plan = begun["video_id"], api.call("GET", f"/videos/{begun['video_id']}/uploads/parts")
        stored = {part["part_number"]: part["etag"] for part in plan["parts"]}
        print(f"  {file.name}: goes on where an earlier upload stopped")
    else:
        mime = mimetypes.guess_type(file.name)[0] or "video/mp4"
        started = api.call("POST", "/videos/uploads", {"filename": file.name, "mime_type": mime, "size_bytes": size})
        video, plan = started["video_id"], started["upload"]
    part_size, urls, parts = plan["part_size_bytes"], {}, []
    for number in range(1, plan["part_count"] + 1):
        offset = (number - 1) * part_size
        length = min(part_size, size - offset)
        etag = stored.get(number)
        # Storage that encrypts has other ETags than the MD5 of the bytes: there the part is sent again, which does no harm.
        if etag is None or etag.strip('"') != md5(file, offset, length):
            if number not in urls:
                wanted = list(range(number, min(number + 20, plan["part_count"] + 1)))
                signed = api.call("POST", f"/videos/{video}/uploads/parts", {"part_numbers": wanted})
                urls = {part["part_number"]: part["url"] for part in signed["parts"]}
            etag = put_part(urls[number], file, offset, length)
        parts.append({"part_number": number, "etag": etag})
        print(f"\r  {file.name}: sent {(offset + length) * 100 // max(size, 1):3d} %", end="", flush=True)
    print()
    return video, parts


def md5(file: Path, offset: int, size: int) -> str:
    """Of a part; what S3 calls its ETag."""
    digest = hashlib.md5(usedforsecurity=False)
    with file.open("rb") as source:
        source.seek(offset)
        while size > 0 and (block := source.read(min(size, 1 << 20))):
            digest.update(block)
            size -= len(block)
    return digest.hexdigest()


def upload(api: Api, file: Path) -> str:
    """Sends a file in parts and returns the video's id."""
    video, parts = send(api, file)
    api.call("POST", f"/videos/{video}/uploads/complete", {"parts": parts})
    return video


def bar(job: dict) -> str:
    percent = 100 if job["state"] == "completed" else job["progress"] or 0
    full = BAR_WIDTH * percent // 100
    remark = job.get("note") or (job.get("error") or {}).get("message") or ""
    return f"  {job['stage']:<20} {'█' * full}{'·' * (BAR_WIDTH - full)} {job['state']:<9} {remark}"


def follow(api: Api, video: str) -> dict:
    """Shows the stages until the video is indexed; live bars on a terminal, a line a change elsewhere."""
    live, drawn, said, began = sys.stdout.isatty(), 0, {}, time.monotonic()
    while time.monotonic() - began < STAGE_TIMEOUT_S:
        state = api.call("GET", f"/videos/{video}")
        jobs = api.call("GET", f"/videos/{video}/jobs")["items"]
        if live:
            print(f"\x1b[{drawn}A" if drawn else "", end="")
            for job in jobs:
                print(f"\x1b[2K{bar(job)}")
            drawn = len(jobs)
        else:
            for job in jobs:
                if said.get(job["stage"]) != job["state"] and job["state"] != "pending":
                    print(bar(job), flush=True)
                said[job["stage"]] = job["state"]
        if state["state"] == "indexed" and all(job["state"] in ("completed", "cancelled") for job in jobs):
            return state | {"took_s": time.monotonic() - began}
        if state["state"] == "failed":
            failure = state.get("failure") or {}
            raise Refused(f"{state['title']}: {failure.get('message') or failure.get('code') or 'indexing failed'}")
        time.sleep(0.5)
    raise Refused("indexing takes too long")


def clock(ms: int) -> str:
    return f"{ms // 60_000}:{ms // 1000 % 60:02d}.{ms // 100 % 10}"


def search(api: Api, query: str, channel: str | None) -> None:
    """One search, printed as a person would read it."""
    body = {"query": query, "limit": 3} | ({"channels": [channel]} if channel else {})
    found = api.call("POST", "/search", body)
    print(f"\n  {channel or 'all'}: “{query}”  ({found['took_ms']} ms)")
    for hit in found["items"]:
        why = ", ".join(match["channel"] for match in hit["matches"])
        print(f"    {clock(hit['at_ms']):>8}  {hit['video_title']}: {' '.join((hit['text'] or '').split())[:90]}  [{why}]")
    if not found["items"]:
        print("    nothing found")


def searches(files: list[Path], api: Api, videos: list[str]) -> list[tuple[str, str | None]]:
    """What to look for: in the sample, a sentence of it; in a person's own files, words that were said in them."""
    truth = files[0].with_suffix(".truth.json")
    if truth.exists():
        return [("it was the best of times", "words"), ("a time of great happiness", "meaning"), ("red umbrella", None)]
    for video in videos:
        segments = api.call("GET", f"/videos/{video}/transcript?format=json").get("segments", [])
        words = max((segment["text"] for segment in segments), key=len, default="").split()
        if words:
            return [(" ".join(words[:5]), "words"), (" ".join(words[:8]), "meaning")]
    return []


def main() -> int:
    wait, arguments = "--no-wait" not in sys.argv, [word for word in sys.argv[1:] if word != "--no-wait"]
    api, files = Api(arguments[0]), [Path(name) for name in arguments[1:]]
    try:
        api.sign_in(os.environ["HEIMDEX_EMAIL"], os.environ["HEIMDEX_PASSWORD"])
        videos = []
        for file in files:
            known = find(api, file, ("validating", "processing", "indexed"))
            print(f"\n  {file.name}" + (": already there" if known else ""))
            videos.append(known["video_id"] if known else upload(api, file))
            if not wait or known and known["state"] == "indexed":
                continue
            done = follow(api, videos[-1])
            if done.get("duration_ms"):
                seconds = done["duration_ms"] / 1000
                print(f"  {seconds:.0f} s of video indexed in {done['took_s']:.1f} s ({seconds / done['took_s']:.1f}× realtime)")
        for query, channel in searches(files, api, videos) if wait else ():
            search(api, query, channel)
    except (Refused, OSError) as error:
        print(f"  {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
