"""The production set's loader against a stand-in for the hub: the same protocol, small files, and everything that can go wrong.

Run: python3 -m unittest discover -s scripts/models.d
"""

import contextlib
import hashlib
import io
import os
import sys
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import production  # noqa: E402

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Hub(ThreadingHTTPServer):
    """Two repositories with the same files, `lab/model` and `lab/other`: `large` files live on a "CDN" behind a redirect, others are answered directly."""

    daemon_threads = True

    def __init__(self, files, large):
        super().__init__(("127.0.0.1", 0), Answer)
        self.files, self.large = files, large
        # After so many bytes of a file's body the connection is cut, once for each number.
        self.cuts = {}
        # Status codes given instead of the next answers.
        self.troubles = []
        self.requests = []
        self.lie = None
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.respond(False)

    def do_GET(self):
        self.respond(True)

    def respond(self, with_body):
        hub = self.server
        hub.requests.append((self.command, self.path, self.headers.get("Range")))
        if hub.troubles:
            return self.end(hub.troubles.pop(0))
        parts = self.path.strip("/").split("/")
        cdn = parts[0] == "cdn"
        if not cdn and (parts[:3] not in (["lab", "model", "resolve"], ["lab", "other", "resolve"]) or parts[3] not in ("main", COMMIT)):
            return self.end(404)
        name = "/".join(parts[1 if cdn else 4:])
        if name not in hub.files:
            return self.end(404)
        data = hub.files[name]
        if name in hub.large and not cdn:
            linked = hub.lie or sha256(data)
            headers = {"Location": f"/cdn/{name}", "X-Linked-Etag": f'"{linked}"', "X-Linked-Size": len(data), "X-Repo-Commit": COMMIT}
            return self.end(302, headers)
        start = 0
        headers = {} if cdn else {"X-Repo-Commit": COMMIT, "ETag": '"a-git-hash"'}
        asked = self.headers.get("Range")
        if asked:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(data):
                return self.end(416)
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        body = data[start:]
        self.send_response(206 if asked else 200)
        for key, value in {**headers, "Content-Length": len(body)}.items():
            self.send_header(key, str(value))
        self.end_headers()
        if with_body:
            cuts = hub.cuts.get(name)
            if cuts:
                self.wfile.write(body[: cuts.pop(0)])
                self.wfile.flush()
                self.close_connection = True
                self.connection.close()
                return
            self.wfile.write(body)

    def end(self, status, headers=None):
        self.send_response(status)
        for key, value in {**(headers or {}), "Content-Length": 0}.items():
            self.send_header(key, str(value))
        self.end_headers()


class Production(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = Path(folder.name)
        self.files = {"onnx/model.onnx": bytes(range(256)) * 4000, "tokenizer.json": b'{"small": true}'}
        self.hub = Hub(self.files, large={"onnx/model.onnx"})
        self.addCleanup(self.hub.server_close)
        self.addCleanup(self.hub.shutdown)
        before = os.environ.get("HF_ENDPOINT")
        self.addCleanup(lambda: os.environ.pop("HF_ENDPOINT", None) if before is None else os.environ.__setitem__("HF_ENDPOINT", before))
        os.environ["HF_ENDPOINT"] = self.hub.url
        self.catalogue()

    def catalogue(self, model_sha=None, revision="main", extra="", max_bytes=2_000_000):
        pin = f', sha256 = "{model_sha}"' if model_sha else ""
        (self.home / "catalogue.toml").write_text(f"""
[tiny]
repository = "lab/model"
revision = "{revision}"
licence = "MIT"
source = "A test"
max_bytes = {max_bytes}
files = [
  {{ from = "onnx/model.onnx", to = "model.onnx"{pin} }},
  {{ from = "tokenizer.json" }},{extra}
]
manifest = '''
kind = "image"
engine = "onnx"
languages = ["*"]

[image]
encoder = "two_tower"
'''
""")

    def run_it(self, *names):
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            code = production.main(
                ["--models", str(self.home), "--catalogue", str(self.home / "catalogue.toml"), "--wait", "0", *names]
            )
        return code, said.getvalue()

    def manifest(self):
        return production.tomllib.loads((self.home / "tiny/heimdex-model.toml").read_text())

    def test_a_model_arrives_whole_with_its_manifest(self):
        code, said = self.run_it("tiny")
        self.assertEqual(code, 0, said)
        self.assertEqual((self.home / "tiny/model.onnx").read_bytes(), self.files["onnx/model.onnx"])
        manifest = self.manifest()
        self.assertEqual((manifest["id"], manifest["kind"], manifest["image"]), ("tiny", "image", {"encoder": "two_tower"}))
        self.assertIn(COMMIT, manifest["source"])
        self.assertEqual({f["path"]: f["sha256"] for f in manifest["files"]},
                         {"model.onnx": sha256(self.files["onnx/model.onnx"]), "tokenizer.json": sha256(self.files["tokenizer.json"])})
        self.assertIn("no sha256 is pinned for model.onnx, tokenizer.json", said)
        # All of it is of one commit, whatever `main` has become in between.
        self.assertIn(f"/lab/model/resolve/{COMMIT}/tokenizer.json", {path for command, path, _ in self.hub.requests if command == "GET"})

    def test_what_is_there_is_not_fetched_again(self):
        self.run_it("tiny")
        asked = len(self.hub.requests)
        self.assertEqual(self.run_it()[0], 0)
        self.assertEqual(len(self.hub.requests), asked)

    def test_a_catalogue_that_says_more_of_a_model_renews_its_manifest_and_nothing_else(self):
        self.run_it("tiny")
        before, asked = self.manifest(), len(self.hub.requests)
        catalogue = self.home / "catalogue.toml"
        catalogue.write_text(catalogue.read_text().replace('encoder = "two_tower"', 'encoder = "two_tower"\nsize = 224'))
        code, said = self.run_it("tiny")
        self.assertEqual((code, len(self.hub.requests)), (0, asked), said)
        self.assertIn("the manifest is renewed", said)
        self.assertEqual(self.manifest(), {**before, "image": {"encoder": "two_tower", "size": 224}})
        self.assertNotIn("renewed", self.run_it("tiny")[1])

    def test_a_cut_download_goes_on_where_it_ended(self):
        self.hub.cuts["onnx/model.onnx"] = [300_000, 200_000]
        code, said = self.run_it("tiny")
        self.assertEqual(code, 0, said)
        ranges = [asked for command, path, asked in self.hub.requests if path == "/cdn/onnx/model.onnx" and command == "GET"]
        self.assertEqual(ranges[0], None)
        self.assertTrue(all(asked and asked != "bytes=0-" for asked in ranges[1:]), ranges)
        self.assertEqual((self.home / "tiny/model.onnx").read_bytes(), self.files["onnx/model.onnx"])

    def test_a_connection_that_never_brings_anything_ends_and_says_so(self):
        self.hub.cuts["onnx/model.onnx"] = [0] * 50
        code, said = self.run_it("tiny")
        self.assertEqual(code, 1)
        self.assertIn("gave up after 5 attempts", said)
        self.assertFalse((self.home / "tiny").exists())

    def test_another_run_goes_on_with_what_an_earlier_one_left(self):
        self.hub.cuts["onnx/model.onnx"] = [300_000] + [0] * 20
        self.assertEqual(self.run_it("tiny")[0], 1)
        self.hub.cuts.clear()
        self.hub.requests.clear()
        self.assertEqual(self.run_it("tiny")[0], 0)
        ranges = [asked for command, path, asked in self.hub.requests if path == "/cdn/onnx/model.onnx" and command == "GET"]
        self.assertEqual(len(ranges), 1)
        self.assertNotIn(ranges[0], (None, "bytes=0-"))

    def test_a_hub_that_is_busy_is_asked_again(self):
        self.hub.troubles = [503, 429, 500]
        self.assertEqual(self.run_it("tiny")[0], 0)

    def test_a_file_with_another_hash_than_pinned_is_refused(self):
        self.catalogue(model_sha="a" * 64)
        code, said = self.run_it("tiny")
        self.assertEqual(code, 1)
        self.assertIn("pinned in the catalogue is " + "a" * 64, said)
        self.assertFalse((self.home / "tiny").exists())

    def test_bytes_that_are_not_what_the_hub_promised_are_refused(self):
        self.hub.lie = "b" * 64
        code, said = self.run_it("tiny")
        self.assertEqual(code, 1)
        self.assertIn("model.onnx", said)
        self.assertIn("broken", said)
        self.assertFalse(list(self.home.glob("**/*.part")))

    def test_what_was_recorded_at_the_first_fetch_binds_the_repair(self):
        self.run_it("tiny")
        (self.home / "tiny/model.onnx").write_bytes(b"spoilt")
        self.assertEqual(self.run_it("tiny")[0], 0)
        self.assertEqual((self.home / "tiny/model.onnx").read_bytes(), self.files["onnx/model.onnx"])
        (self.home / "tiny/tokenizer.json").write_bytes(b"spoilt")
        self.files["tokenizer.json"] = b'{"small": false}'
        code, said = self.run_it("tiny")
        self.assertEqual(code, 1)
        self.assertIn("tokenizer.json", said)
        self.assertIn("broken", said)

    def test_a_model_of_two_repositories_names_both(self):
        self.catalogue(extra='\n  { from = "tokenizer.json", to = "other.json", repository = "lab/other" },')
        code, said = self.run_it("tiny")
        self.assertEqual(code, 0, said)
        self.assertIn(f"lab/model, commit {COMMIT}; lab/other, commit {COMMIT}", self.manifest()["source"])
        # The repair knows them again.
        (self.home / "tiny/other.json").unlink()
        self.hub.requests.clear()
        self.assertEqual(self.run_it("tiny")[0], 0)
        self.assertTrue(all(f"/{COMMIT}/" in path or path.startswith("/cdn/") for _, path, _ in self.hub.requests), self.hub.requests)

    def test_a_file_that_is_not_there_is_named(self):
        self.catalogue(extra='\n  { from = "onnx/missing.bin" },')
        code, said = self.run_it("tiny")
        self.assertEqual(code, 1)
        self.assertIn("onnx/missing.bin answers 404", said)
        self.assertFalse((self.home / "tiny").exists())

    def test_a_file_larger_than_expected_is_not_fetched(self):
        self.catalogue(max_bytes=1000)
        code, said = self.run_it("tiny")
        self.assertEqual(code, 1)
        self.assertIn("more than the 1000 that were expected", said)
        self.assertFalse([path for command, path, _ in self.hub.requests if command == "GET"])

    def test_a_catalogue_that_leaves_the_folder_is_refused(self):
        self.catalogue(extra='\n  { from = "tokenizer.json", to = "../../etc/passwd" },')
        code, said = self.run_it("tiny")
        self.assertEqual(code, 1)
        self.assertIn("leaves the model's folder", said)

    def test_a_hub_that_cannot_be_reached(self):
        for endpoint in ("http://127.0.0.1:1", "nowhere"):
            os.environ["HF_ENDPOINT"] = endpoint
            code, said = self.run_it("tiny")
            self.assertEqual(code, 1)
            self.assertIn(endpoint, said)

    def test_a_name_that_is_not_known(self):
        code, said = self.run_it("tinny")
        self.assertEqual(code, 2)
        self.assertIn("there are: tiny", said)

    def test_the_checked_in_catalogue_makes_manifests(self):
        for name, entry in production.tomllib.loads((Path(production.__file__).parent / "production.toml").read_text()).items():
            self.assertRegex(entry["licence"], r"^(MIT|Apache-2\.0|BSD-3-Clause)$", name)
            self.assertGreater(entry["max_bytes"], 0)
            targets = [production.inside(file.get("to") or Path(file["from"]).name) for file in entry["files"]]
            taken = [(target, self.home / f"{n}", "0" * 64) for n, target in enumerate(targets)]
            for _, done, _ in taken:
                done.write_bytes(b"x")
            production.put(name, entry, self.home / name, taken, {entry["repository"]: COMMIT})
            manifest = production.tomllib.loads((self.home / name / "heimdex-model.toml").read_text())
            self.assertTrue({"id", "kind", "version", "engine", "languages", "licence", "source", "files"} <= manifest.keys(), name)
            # What a table names is fetched; worker/models/tests/production.rs reads the rest of it as the worker does.
            kind = manifest["kind"]
            named = manifest.get("face", {}) if kind == "face" else {}
            for part in ("vision", "text"):
                named = {**named, **{f"{part}.{key}": value for key, value in manifest.get("image", {}).get(part, {}).items()}}
            files = {key: value for key, value in named.items() if key.split(".")[-1] in ("detector", "embedder", "graph", "tokenizer")}
            self.assertLessEqual(set(files.values()), set(targets), name)
            self.assertEqual(bool(files), kind in ("image", "face"), name)


if __name__ == "__main__":
    unittest.main()
