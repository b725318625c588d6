"""The golden set's data, and the whole evaluation against a stand-in for the API."""

import contextlib
import io
import json
import os
import sys
import tempfile
import threading
import tomllib
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock

import assemble
import evaluate
import metrics
import queries as asking
from queries import FRESH, HELD_OUT, KNOWN, SEEN, TUNED, Query

HERE = Path(__file__).parent
FILM = "film.0123456789ab.mp4"


class Data(unittest.TestCase):
    def setUp(self):
        self.golden = tomllib.loads((HERE / "golden.toml").read_text())
        self.queries = asking.read(HERE)

    def test_the_set_is_whole_and_as_large_as_it_says(self):
        assemble.check(self.golden)
        self.assertGreaterEqual(len(self.golden["videos"]), 26)
        for video in self.golden["videos"]:
            self.assertIn(len(video["scenes"]), range(2, 6), video["name"])

    def test_queries_ask_for_scenes_that_there_are(self):
        scenes = {f"{video['name']}/{number}" for video in self.golden["videos"] for number, _ in enumerate(video["scenes"], 1)}
        self.assertEqual(asking.wrong(self.queries, scenes), [])
        for name, least, least_of_nothing in ((TUNED, 90, 12), (HELD_OUT, 90, 12), (SEEN, 90, 24), (KNOWN, 120, 30), (FRESH, 120, 25)):
            of_set = [query for query in self.queries if query.set == name]
            nothing = sum(query.kind == asking.NOTHING for query in of_set)
            self.assertGreaterEqual(len(of_set) - nothing, least, name)
            self.assertGreaterEqual(nothing, least_of_nothing, name)

    def test_later_queries_ask_for_every_video_and_as_the_first_ones_do(self):
        asked = [query for query in self.queries if query.kind != asking.NOTHING]
        first = [query for query in asked if query.set in (TUNED, HELD_OUT)]
        for name in (SEEN, KNOWN, FRESH):
            later = [query for query in asked if query.set == name]
            self.assertEqual({scene.split("/")[0] for query in later for scene, grade in query.relevant.items() if grade == 2},
                             {video["name"] for video in self.golden["videos"]}, name)
            for kind in {query.kind for query in first}:
                here, there = (sum(query.kind == kind for query in some) / len(some) for some in (later, first))
                self.assertAlmostEqual(here, there, delta=0.03, msg=f"{name}: {kind}")

    def test_every_drawing_is_used_and_there(self):
        drawn = {picture["file"] for picture in self.golden["pictures"].values() if picture.get("file", "").endswith(".svg")}
        self.assertEqual(drawn, {path.name for path in (HERE / "drawings").glob("*.svg")})

    def test_faults_of_the_data_are_named(self):
        faulty = [Query("phrase", "a", TUNED, {"v/1": 3}), Query("phrase", " A", TUNED, {"v/9": 2}), Query("nothing", "b", FRESH, {"v/1": 1})]
        said = " ".join(asking.wrong(faulty, {"v/1"}))
        for fault in ("a grade is 1 or 2", "no such scenes: v/9", "every second query", "only queries of the kind", "asked twice"):
            self.assertIn(fault, said)
        broken = {"videos": [{"name": "v", "scenes": [{"picture": "none"}]}], "pictures": {}, "people": {}}
        with self.assertRaisesRegex(assemble.Wrong, "v/1: there is no picture `none`"):
            assemble.check(broken)


class Judging(unittest.TestCase):
    def test_merged_scenes_count_once_and_lost_ones_cannot_be_found(self):
        query = Query("words", "x", TUNED, {"v/1": 1, "v/2": 2, "v/3": 1})
        self.assertEqual(asking.judged(query, {"v/1": "a", "v/2": "a"}), {"a": 2, "v/3": 1})

    def test_floors_name_what_is_below_them(self):
        figures = {"held_out": {"fused": {"every": {"mrr": 0.7, "recall_at_10": 0.95}}}}
        floors = {"held_out": {"fused": {"every": {"mrr": 0.8, "recall_at_10": 0.9}, "phrase": {"mrr": 0.5}}}}
        self.assertEqual(evaluate.below(floors, figures), [
            "held_out.fused.every.mrr is 0.700, below 0.800", "held_out.fused.phrase.mrr: there is no such figure"])


class Heimdex:
    """A stand-in: one video of two scenes, of which it says what the tests want it to say."""

    def __init__(self):
        self.people, self.photos, self.videos, self.parts, self.asked, self.answers = {}, {}, {}, {}, [], {}
        self.statuses = ["skipped"]
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with outer.lock:
                    reply = outer.reply(self.command, self.path, body, self.headers)
                text = json.dumps(reply).encode()
                self.send_response(200)
                self.send_header("ETag", '"tag"')
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def reply(self, method: str, path: str, body: bytes, headers) -> dict:
        steps = path.split("?")[0].strip("/").split("/")
        match (method, *steps):
            case ("GET", "config"):
                return {"auth_url": self.url, "publishable_key": "key", "features": {"faces": True}}
            case ("POST", "auth", "v1", "token"):
                return {"access_token": "token"}
        assert method == "PUT" or headers["Authorization"] == "Bearer token"
        match (method, *steps):
            case ("GET", "people"):
                return {"items": [{"display_name": name, "person_id": name.replace(" ", "-")} for name in self.people], "next_cursor": None}
            case ("POST", "people"):
                person = json.loads(body)
                assert person["consent"] and person["consent_note"]
                self.people[person["display_name"]] = person
                return {"person_id": person["display_name"].replace(" ", "-")}
            case ("GET", "people", person, "photos"):
                self.photos[person] = [photo | {"state": "accepted"} for photo in self.photos.get(person, [])]
                return {"items": self.photos[person]}
            case ("POST", "people", person, "photos"):
                assert headers["Content-Type"] == "image/jpeg" and len(headers["Idempotency-Key"]) == 64
                self.photos.setdefault(person, []).append({"state": "checking", "code": None})
                return {}
            case ("GET", "videos"):
                return {"items": list(self.videos.values()), "next_cursor": None}
            case ("POST", "videos", "uploads"):
                new = json.loads(body)
                self.videos["v"] = {"video_id": "v", "original_filename": new["filename"], "size_bytes": new["size_bytes"], "state": "uploading"}
                return {"video_id": "v", "upload": {"part_size_bytes": 1 << 20, "part_count": 1}}
            case ("POST", "videos", "v", "uploads", "parts"):
                return {"parts": [{"part_number": 1, "url": f"{self.url}/part?signed"}]}
            case ("PUT", "part"):
                self.parts[1] = body
                return {}
            case ("POST", "videos", "v", "uploads", "complete"):
                self.videos["v"]["state"] = "indexed"
                return {}
            case ("DELETE", "videos", video):
                self.videos = {key: known for key, known in self.videos.items() if known["video_id"] != video}
                return {}
            case ("GET", "videos", "v"):
                return self.videos["v"]
            case ("GET", "videos", "v", "jobs"):
                return {"items": [{"state": "completed"}]}
            case ("GET", "videos", "v", "scenes"):
                return {"items": [{"scene_id": "s1", "start_ms": 0, "end_ms": 3990}, {"scene_id": "s2", "start_ms": 3990, "end_ms": 8000}]}
            case ("POST", "search"):
                return self.search(json.loads(body))
        raise AssertionError(f"{method} {path}")

    def search(self, asked: dict) -> dict:
        self.asked.append(asked)
        status = self.statuses.pop() if self.statuses else "ok"
        if asked["query"].startswith("tag:"):
            return {"items": [{"scene_id": "s1", "matches": []}], "channels": [{"channel": "filters", "status": "ok"}], "took_ms": 1}
        channels = asked.get("channels") or list(evaluate.CHANNELS)
        # Words is the only channel that finds anything.
        found = self.answers.get(asked["query"], []) if "words" in channels else []
        return {"items": [{"scene_id": scene, "matches": [{"channel": "words"}]} for scene in found],
                "channels": [{"channel": channel, "status": status} for channel in channels], "took_ms": 1}


class Whole(unittest.TestCase):
    QUERIES = [Query("phrase", "first", TUNED, {"film/1": 2}), Query("phrase", "second", HELD_OUT, {"film/2": 2}),
               Query("nothing", "noise", TUNED), Query("nothing", "hush", HELD_OUT), Query("written", "안녕", TUNED, {"film/1": 2}, "no Hangul"),
               Query("phrase", "third", SEEN, {"film/1": 2}), Query("phrase", "fourth", KNOWN, {"film/1": 2}),
               Query("phrase", "fifth", FRESH, {"film/1": 2}), Query("nothing", "calm", FRESH)]

    def setUp(self):
        self.heimdex = Heimdex()
        self.addCleanup(self.heimdex.close)
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = Path(place.name)
        (self.folder / FILM).write_bytes(b"film")
        (self.folder / "people").mkdir()
        for number in (1, 2):
            (self.folder / "people" / f"ann-{number}.jpg").write_bytes(bytes([number]))
        scenes = [{"number": number, "start_ms": 4000 * (number - 1), "end_ms": 4000 * number} for number in (1, 2)]
        (self.folder / "golden.json").write_text(json.dumps({
            "people": {"Ann Lee": ["people/ann-1.jpg", "people/ann-2.jpg"]}, "videos": [{"name": "film", "file": FILM, "scenes": scenes}]}))
        self.heimdex.answers = {"first": ["s1", "s2"], "second": ["s1", "s2"], "third": ["s2", "s1"], "fourth": ["s1"], "fifth": ["s1"], "noise": ["s2"]}

    def run_it(self, *more: str) -> tuple[int, str]:
        account = {"HEIMDEX_EMAIL": "ann@heimdex.example", "HEIMDEX_PASSWORD": "secret"}
        words, said = ["evaluate", self.heimdex.url, str(self.folder), str(self.folder / "out"), *more], io.StringIO()
        with (mock.patch.dict(os.environ, account), mock.patch.object(sys, "argv", words), mock.patch("queries.read", return_value=self.QUERIES),
              contextlib.redirect_stdout(said), contextlib.redirect_stderr(said)):
            return evaluate.main(), said.getvalue()

    def test_the_way_from_files_to_figures(self):
        status, said = self.run_it()
        self.assertEqual(status, 0, said)
        self.assertEqual(self.heimdex.parts[1], b"film")
        self.assertEqual(len(self.heimdex.photos["Ann-Lee"]), 2)
        results = json.loads((self.folder / "out" / "results.json").read_text())
        self.assertEqual((results["set"]["scenes"], results["set"]["matched"]), (2, 2))
        figures = results["figures"]
        self.assertEqual(figures["tuned"]["fused"]["every"]["mrr"], 1.0)
        self.assertEqual(figures["held_out"]["fused"]["every"]["mrr"], 0.5)
        self.assertEqual(figures["seen"]["fused"]["every"]["mrr"], 0.5)
        self.assertNotIn("nothing", figures["seen"]["fused"])
        self.assertEqual(figures["fresh"]["fused"]["every"], {"queries": 1, **{name: 1.0 for name in metrics.NAMES}})
        self.assertEqual(figures["fresh"]["fused"]["nothing"], {"queries": 1, "silent": 1.0, "hits": 0.0})
        self.assertEqual([row["set"] for row in results["queries"]], [query.set for query in self.QUERIES])
        self.assertEqual(figures["all"]["fused"]["every"]["queries"], 5)
        self.assertEqual(figures["all"]["meaning"]["every"]["mrr"], 0.0)
        self.assertEqual(figures["all"]["without words"]["every"]["mrr"], 0.0)
        self.assertEqual(figures["all"]["without meaning"]["every"]["mrr"], 4 / 5)
        self.assertEqual(figures["all"]["fused"]["nothing"], {"queries": 3, "silent": 2 / 3, "hits": 1 / 3})
        self.assertIn("1 queries are beyond", said)
        page = (self.folder / "out" / "results.html").read_text()
        self.assertIn("<svg", page)
        self.assertIn("<th>tuned<th>held out<th>seen<th>known<th>fresh", page)
        self.assertRegex(said, r"phrase +1\.00 1\.00 \(1\) +1\.00 0\.50 \(1\) +1\.00 0\.50 \(1\) +1\.00 1\.00 \(1\) +1\.00 1\.00 \(1\)")
        self.assertNotIn("http", page.replace("http-equiv", ""))

    def test_what_operators_find_is_no_channel_s_doing(self):
        api = evaluate.Api(self.heimdex.url)
        api.token = "token"
        [row] = evaluate.run(api, [Query("tag", "tag:cat", FRESH, {"film/1": 2})], {"film/1": "s1"}, ablations=True)
        self.assertEqual({way: found["figures"]["mrr"] for way, found in row["ways"].items() if way in ("fused", "tagged", "without tagged")},
                         {"fused": 1.0, "tagged": 0.0, "without tagged": 1.0})

    def test_each_query_is_asked_fused_alone_and_without(self):
        self.run_it()
        asked = [one.get("channels") for one in self.heimdex.asked if one["query"] == "first"]
        self.assertEqual(len(asked), 1 + 7 + 7)
        self.assertIn(["who"], asked)
        self.assertIn(["words", "meaning", "seen", "written", "tagged", "who"], asked)

    def test_a_second_run_sends_nothing_again(self):
        self.run_it()
        self.heimdex.parts.clear()
        status, said = self.run_it("--no-ablations")
        self.assertEqual((status, self.heimdex.parts), (0, {}), said)
        self.assertEqual(len(self.heimdex.photos["Ann-Lee"]), 2)

    def test_older_versions_of_the_set_go_and_other_videos_stay(self):
        old = {"video_id": "old", "original_filename": "film.ffffffffffff.mp4", "size_bytes": 1, "state": "indexed"}
        self.heimdex.videos["old"] = old
        self.assertEqual(self.run_it("--no-ablations")[0], 0)
        self.assertNotIn("old", self.heimdex.videos)
        self.heimdex.videos["mine"] = old | {"video_id": "mine", "original_filename": "holiday.mp4"}
        status, said = self.run_it("--no-ablations")
        self.assertEqual(status, 1)
        self.assertIn("holiday.mp4", said)
        self.assertIn("mine", self.heimdex.videos)

    def test_a_figure_below_its_floor_is_named_and_fails(self):
        floors = self.folder / "floors.toml"
        floors.write_text("[held_out.fused.every]\nmrr = 0.6\n[all.fused.nothing]\nsilent = 0.4\n[fresh.fused.phrase]\nqueries = 2\n")
        status, said = self.run_it("--floors", str(floors))
        self.assertEqual(status, 1)
        self.assertIn("held_out.fused.every.mrr is 0.500, below 0.600", said)
        self.assertIn("fresh.fused.phrase.queries is 1.000, below 2.000", said)
        self.assertNotIn("silent is", said)

    def test_a_video_that_failed_is_named(self):
        self.run_it()
        self.heimdex.videos["v"] |= {"state": "failed", "failure": {"code": "no_video"}}
        with mock.patch("client.find", return_value=self.heimdex.videos["v"]):
            status, said = self.run_it()
        self.assertEqual(status, 1)
        self.assertIn("film could not be indexed", said)


if __name__ == "__main__":
    unittest.main()
