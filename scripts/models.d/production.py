"""Fetches models by name from the Hugging Face hub into folders with a manifest.

Usage: production.py --models FOLDER [--downloads FOLDER] [--catalogue FILE] [--list] [NAME...]     without a name: all

Speaks the hub's protocol (huggingface.co/docs/hub): GET /REPOSITORY/resolve/REVISION/FILE answers with the file or a redirect to it; X-Repo-Commit
is the commit, X-Linked-Etag the sha256 and X-Linked-Size the size of a large file. HF_ENDPOINT names another hub. A download that was cut goes on
where it ended, also in a later run. Exit code 1 and a sentence that names the file when something cannot be had or is not what it should be.
"""

import argparse
import hashlib
import os
import re
import shutil
import sys
import time
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

try:
    import tomllib
except ImportError:  # Python 3.10
    from pip._vendor import tomli as tomllib

HUB = "https://huggingface.co"
# Seconds without a byte before a connection counts as lost.
TIMEOUT_S = 30
# Attempts in a row that bring nothing new.
ATTEMPTS = 5
REDIRECTS = 5
BLOCK = 1 << 20
SHA256 = re.compile(r"[0-9a-f]{64}")
COMMIT = re.compile(r"[0-9a-f]{40}")
RETRY_AFTER = {408, 425, 429, 500, 502, 503, 504}


class Refused(Exception):
    """Trying again will not help; the text is for the person who runs this."""


class Interrupted(Exception):
    """Trying again may help."""


def say(text):
    print(f"models: {text}", file=sys.stderr, flush=True)


class NoRedirect(HTTPRedirectHandler):
    """Headers of the hub's own answer are wanted, so redirects are followed by hand."""

    def redirect_request(self, *_):
        return None


OPENER = build_opener(NoRedirect)


def ask(url, headers, method="GET"):
    """One request. Answers 2xx and 3xx and 416; everything else is `Refused` or `Interrupted`."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise Refused(f"{url} is no web address; is HF_ENDPOINT right?")
    try:
        return OPENER.open(Request(url, headers=headers, method=method), timeout=TIMEOUT_S)
    except HTTPError as error:
        if 300 <= error.code < 400 or error.code == 416:
            return error
        why = f"{url} answers {error.code} {error.reason}"
        if error.code in RETRY_AFTER:
            raise Interrupted(why) from error
        if error.code in (401, 403):
            why += " (the hub wants an account for it, or the name is wrong)"
        raise Refused(why) from error
    except (URLError, HTTPException, OSError) as error:
        raise Interrupted(f"{url} cannot be reached: {getattr(error, 'reason', error)}") from error


def redirected(url, answer):
    """Where an answer leads to, if it leads elsewhere."""
    if answer.status in (301, 302, 303, 307, 308):
        target = answer.headers.get("Location")
        answer.close()
        if not target:
            raise Refused(f"{url} redirects to nowhere")
        return urljoin(url, target)
    return None


def persist(work, wait_s):
    """Does `work()` again while it is interrupted; an attempt that got further starts the count anew."""
    failed = 0
    while True:
        before = work.progress()
        try:
            return work()
        except Interrupted as error:
            failed = 1 if work.progress() > before else failed + 1
            if failed >= ATTEMPTS:
                raise Refused(f"{error}; gave up after {ATTEMPTS} attempts. What was fetched is kept: run this again later") from error
            say(f"{error}; trying again")
            time.sleep(min(wait_s * 2 ** (failed - 1), 30))


@dataclass
class Facts:
    """What the hub says of a file before it is fetched; None where it does not say."""

    commit: str | None
    sha256: str | None
    size: int | None


class Look:
    """Asks for a file's facts."""

    def __init__(self, url):
        self.url = url

    def progress(self):
        return 0

    def __call__(self):
        url = self.url
        commit = sha256 = size = None
        for _ in range(REDIRECTS):
            answer = ask(url, {"Accept-Encoding": "identity"}, "HEAD")
            headers = answer.headers
            commit = commit or headers.get("X-Repo-Commit")
            etag = (headers.get("X-Linked-Etag") or "").removeprefix("W/").strip('"')
            sha256 = sha256 or (etag if SHA256.fullmatch(etag) else None)
            if (headers.get("X-Linked-Size") or "").isdigit():
                size = int(headers["X-Linked-Size"])
            # What a redirect leads to is on another host; nothing more is needed from there.
            target = None if sha256 and size else redirected(url, answer)
            if target is None:
                if size is None and answer.status == 200 and (headers.get("Content-Length") or "").isdigit():
                    size = int(headers["Content-Length"])
                answer.close()
                return Facts(commit if commit and COMMIT.fullmatch(commit) else None, sha256, size)
            url = target
        raise Refused(f"{self.url} redirects too often")


class Download:
    """Brings a file, going on where an earlier attempt ended."""

    def __init__(self, url, part, limit):
        self.url, self.part, self.limit = url, part, limit

    def progress(self):
        return self.part.stat().st_size if self.part.exists() else 0

    def __call__(self):
        have = self.progress()
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        url = self.url
        for _ in range(REDIRECTS):
            answer = ask(url, headers)
            target = redirected(url, answer)
            if target is None:
                with answer:
                    return self.take(answer, have)
            url = target
        raise Refused(f"{self.url} redirects too often")

    def take(self, answer, have):
        if answer.status == 416:
            # Nothing is left to send: what is here is all, or is of another file; the hash will tell.
            return
        if answer.status == 206:
            span = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", answer.headers.get("Content-Range") or "")
            if not span or int(span[1]) != have:
                self.part.unlink()
                raise Interrupted(f"{self.url} does not go on where it was asked to")
        elif answer.status == 200:
            have = 0
        else:
            raise Refused(f"{self.url} answers {answer.status}")
        length = answer.headers.get("Content-Length") or ""
        whole = have + int(length) if length.isdigit() else None
        with open(self.part, "ab" if have else "wb") as file:
            while True:
                try:
                    block = answer.read(BLOCK)
                except (HTTPException, OSError) as error:
                    # What came before the cut is kept.
                    file.write(getattr(error, "partial", b""))
                    raise Interrupted(f"{self.url} was cut off: {error}") from error
                if not block:
                    break
                have += len(block)
                if have > self.limit:
                    raise Refused(f"{self.url} is larger than the {self.limit} bytes that were expected")
                file.write(block)
        if whole is not None and have < whole:
            raise Interrupted(f"{self.url} was cut off after {have} of {whole} bytes")


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(file)


def _digest(file):
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()


def inside(name):
    """A path below the model's folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise Refused(f"the catalogue names the file {name!r}, which leaves the model's folder")
    return str(path)


def recorded(folder):
    """What an earlier fetch wrote down: commits by repository, sha256 by file."""
    try:
        manifest = tomllib.loads((folder / "heimdex-model.toml").read_text())
        commits = dict(re.findall(r"; ([^;,]+), commit ([0-9a-f]{40})", manifest.get("source", "")))
        return commits, {file["path"]: file["sha256"] for file in manifest.get("files", [])}
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return {}, {}


def whole(folder):
    """The manifest is there and every file is as it says."""
    _, files = recorded(folder)
    return bool(files) and all((folder / name).is_file() and sha256_of(folder / name) == sha for name, sha in files.items())


def fits(folder, entry):
    """The installed manifest says what the catalogue says now."""
    installed = tomllib.loads((folder / "heimdex-model.toml").read_text())
    return all(installed.get(key) == value for key, value in tomllib.loads(entry["manifest"]).items())


def address(repository, revision, path):
    return f"{endpoint()}/{repository}/resolve/{quote(revision, safe='')}/{quote(path)}"


def file_facts(name, entry, file, repository, revision, old):
    """The hub's facts of one file, and the sha256 it must have, if that is known."""
    url = address(repository, revision, file["from"])
    facts = persist(Look(url), entry["wait_s"])
    if COMMIT.fullmatch(revision) and facts.commit not in (None, revision):
        raise Refused(f"{url} is of commit {facts.commit}, not of the pinned {revision}")
    wanted = file.get("sha256") or old or facts.sha256
    if facts.sha256 and facts.sha256 != wanted:
        pinned = "pinned in the catalogue" if file.get("sha256") else "recorded when it was first fetched"
        raise Refused(f"{name}: {url} is now another file: sha256 {facts.sha256}, {pinned} is {wanted}")
    if facts.size is not None and facts.size > entry["max_bytes"]:
        raise Refused(f"{name}: {url} has {facts.size} bytes, more than the {entry['max_bytes']} that were expected")
    return facts, wanted


def endpoint():
    return (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")


def fetch(name, entry, models, downloads):
    """Brings one model; its folder arrives complete, by one rename."""
    folder = models / name
    # A repair takes the files of the same commits.
    commits, old = recorded(folder)
    if whole(folder):
        if commits and not fits(folder, entry):
            text = described(name, entry, [(target, sha256, (folder / target).stat().st_size) for target, sha256 in old.items()], commits)
            beside = folder / ".heimdex-model.toml"
            beside.write_text(text)
            beside.replace(folder / "heimdex-model.toml")
            say(f"{name}: the manifest is renewed, the files are the same")
        say(f"{name} is in {folder}")
        return
    parts = downloads / "hub" / name
    parts.mkdir(parents=True, exist_ok=True)
    taken, trusted, room = [], [], entry["max_bytes"]
    for file in entry["files"]:
        target = inside(file.get("to") or PurePosixPath(file["from"]).name)
        repository = file.get("repository", entry["repository"])
        pinned = entry["revision"] if COMMIT.fullmatch(entry["revision"]) and repository == entry["repository"] else None
        revision = pinned or commits.get(repository) or file.get("revision", entry["revision"])
        facts, wanted = file_facts(name, entry, file, repository, revision, old.get(target))
        # All files of a repository are of the commit that the first one is of.
        commit = commits.setdefault(repository, facts.commit or revision)
        url = address(repository, commit, file["from"])
        free = shutil.disk_usage(parts).free
        if facts.size and facts.size > free:
            raise Refused(f"{name}: {target} has {facts.size} bytes and {parts} has room for {free}; set HEIMDEX_CACHE to another disk")
        done = parts / target.replace("/", "_")
        # What was begun of another version is not gone on with.
        begun = (wanted or quote(commit, safe=""))[:16]
        part = done.with_name(f"{done.name}.{begun}.part")
        if not (done.exists() and wanted and sha256_of(done) == wanted):
            say(f"{name}: fetching {target}" + (f", {facts.size / 1e6:.1f} MB" if facts.size else ""))
            persist(Download(url, part, min(room, facts.size or room)), entry["wait_s"])
            found = sha256_of(part)
            if wanted and found != wanted:
                part.unlink()
                raise Refused(f"{name}: {target} from {url} is broken: sha256 {found}, expected {wanted}")
            part.replace(done)
        room -= done.stat().st_size
        found = wanted or sha256_of(done)
        if not file.get("sha256"):
            trusted.append(target)
        taken.append((target, done, found))
    if trusted:
        say(f"{name}: no sha256 is pinned for {', '.join(trusted)}; taken as the hub gives them now and recorded in the manifest")
    put(name, entry, folder, taken, commits)
    shutil.rmtree(parts)
    say(f"{name} is in {folder}")


def described(name, entry, files, commits):
    """The manifest. `files`: (path, sha256, size)."""
    source = "; ".join([entry["source"], *(f"{repository}, commit {commit}" for repository, commit in commits.items())])
    version = commits.get(entry["repository"]) or next(iter(commits.values()))
    head, _, tables = entry["manifest"].strip().partition("\n[")
    manifest = [
        *(f'{key} = "{value}"' for key, value in [("id", name), ("version", version[:12]), ("licence", entry["licence"]), ("source", source)]),
        head.strip(),
        "files = [",
        *(f'  {{ path = "{path}", sha256 = "{sha256}", size_bytes = {size} }},' for path, sha256, size in files),
        "]",
    ]
    if tables:
        manifest += ["", f"[{tables.strip()}"]
    text = "\n".join(manifest) + "\n"
    tomllib.loads(text)
    return text


def put(name, entry, folder, taken, commits):
    new = folder.with_name(f".new.{name}")
    shutil.rmtree(new, ignore_errors=True)
    files = []
    for target, done, found in taken:
        (new / target).parent.mkdir(parents=True, exist_ok=True)
        # From another disk this is a copy.
        shutil.move(done, new / target)
        files.append((target, found, (new / target).stat().st_size))
    (new / "heimdex-model.toml").write_text(described(name, entry, files, commits))
    old = folder.with_name(f".old.{name}")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def main(arguments=None):
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", type=Path, required=True, help="where the model folders lie")
    parser.add_argument("--downloads", type=Path, help="where unfinished files lie; by default in the models' folder")
    parser.add_argument("--catalogue", type=Path, default=here / "production.toml")
    parser.add_argument("--wait", type=float, default=2.0, help="seconds before the second attempt; doubled for each further one")
    parser.add_argument("--list", action="store_true", help="only say what there is")
    parser.add_argument("names", nargs="*", metavar="NAME")
    given = parser.parse_args(arguments)
    catalogue = tomllib.loads(given.catalogue.read_text())
    if given.list:
        for name, entry in catalogue.items():
            print(f"{name:28} {entry['licence']:12} {entry['repository']}")
        return 0
    unknown = [name for name in given.names if name not in catalogue]
    if unknown:
        say(f"there is no model {', '.join(unknown)}; there are: {', '.join(catalogue)}")
        return 2
    failed = []
    for name in given.names or catalogue:
        try:
            fetch(name, {**catalogue[name], "wait_s": given.wait}, given.models, given.downloads or given.models / ".downloads")
        except (Refused, OSError) as error:
            say(str(error) if isinstance(error, Refused) else f"{name}: {error}")
            failed.append(name)
    if failed:
        say(f"not fetched: {', '.join(failed)}" + ("" if os.environ.get("HF_ENDPOINT") else " (HF_ENDPOINT names another hub)"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
