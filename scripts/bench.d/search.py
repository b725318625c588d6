"""Search over a made-up library of skewed tenants: latency at a steady rate, recall against exact search, throughput against the plain query.

Requests are sent when they are due, whether or not those before are answered (open loop), and their time counts from when they were due.
A channel that did not answer in time is counted, with the time that it took.
"""

import asyncio
import http.client
import itertools
import json
import os
import statistics
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import load_library
import numpy as np
import report
from judging import expected
from library import Library
from machine import versions
from tenants import owners

RATE, WARM_S, SECONDS, TURN_S = 10, 20, 60, 10
PEERS_AT_ONCE = 2
SHARES = {"largest": 0.4, "large": 0.2, "middle": 0.15, "thousandth": 0.1, "small": 0.15}
"""Who asks how often: of twenty in a row just so many."""
MOST_MS = {"every channel, with embedding": 80, "without embedding": 50}
"""At the 95th percentile."""
LEAST_RECALL, LEAST_RATIO = 0.95, 20
JUDGED = {"largest": "largest", "thousandth": "median of those above fifty", "small": "small"}
RECALL_QUERIES = 40
PEERS_QUERIES = 1000
"""Different ones, in turn."""
WORD_CHANNELS = ["words", "written", "tagged", "who", "titled"]
PLAIN = """WITH q AS MATERIALIZED (SELECT websearch_to_tsquery('english', $2) AS words, $3::text::vector AS near)
SELECT s.scene_id, 0.4 * ts_rank(s.text_tsv, q.words) + 0.4 * (1 - COALESCE(w.text_vec <=> q.near, 1)) + 0.2 * (1 - (s.image_vec <=> q.near)) AS score
FROM q CROSS JOIN scenes s JOIN videos v ON v.current_run_id = s.run_id LEFT JOIN text_windows w USING (run_id, scene_id)
WHERE s.owner_id = $1 AND v.state <> 'deleted' ORDER BY score DESC LIMIT 20"""


@dataclass
class Tenant:
    kind: str
    email: str
    scenes: int
    user: str = ""
    token: str = ""
    scene_ids: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


@dataclass
class Answered:
    """What one request was, and how its channels fared."""

    part: str
    took_ms: dict[str, float] = field(default_factory=dict)
    unanswered: list[str] = field(default_factory=list)
    """Channels that ran out of time or failed."""


@dataclass
class Figures:
    whole: dict[str, list[float]] = field(default_factory=dict)
    """Milliseconds of each request from when it was due, by its part of the pass."""
    channels: dict[str, list[float]] = field(default_factory=dict)
    """Milliseconds by the channel's own report."""
    unanswered: dict[str, int] = field(default_factory=dict)
    """How often, by channel."""

    def add(self, answered: Answered, milliseconds: float) -> None:
        self.whole.setdefault(answered.part, []).append(float(milliseconds))
        for channel, took in answered.took_ms.items():
            self.channels.setdefault(channel, []).append(took)
        for channel in answered.unanswered:
            self.unanswered[channel] = self.unanswered.get(channel, 0) + 1

    def p95(self) -> float:
        """Of the slowest part: quick requests of another kind do not make up for it."""
        return max(float(np.percentile(values, 95)) for values in self.whole.values())


class Unavailable(Exception):
    """Not one channel answered in time."""


class Client:
    """The API with a connection a thread."""

    def __init__(self, base: str):
        self._where = urlsplit(base)
        self._local = threading.local()

    def ask(self, token: str, method: str, path: str, body: dict | None) -> dict:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection(self._where.netloc, timeout=30)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        reply = connection.getresponse()
        text = reply.read()
        if reply.status == 503:
            raise Unavailable
        if reply.status != 200:
            raise SystemExit(f"{method} {path}: {reply.status} {text.decode(errors='replace')[:300]}")
        return json.loads(text)

    def search(self, tenant: Tenant, query: str, **more: object) -> dict:
        began = time.monotonic()
        try:
            return self.ask(tenant.token, "POST", "/search", {"query": query, **more})
        except Unavailable:
            took = (time.monotonic() - began) * 1000
            return {"items": [], "channels": [{"channel": "all of them", "status": "timeout", "took_ms": took}]}


class Questions:
    """What people ask, each time something else: topics, frequent words, phrases, things, names, writing."""

    def __init__(self, library: Library, seed: int):
        self._library, self._random = library, np.random.default_rng(seed)

    def next(self, tenant: Tenant) -> str:
        library, random = self._library, self._random
        topic = library.words[library.topics[random.integers(len(library.topics))]]
        common = library.words[random.integers(100, 2000)]
        kind = random.choice(["topic", "question", "word", "thing", "name", "line"], p=[0.3, 0.2, 0.2, 0.15, 0.05, 0.1])
        match kind:
            case "topic":
                return " ".join(random.choice(topic, 3, replace=False))
            case "question":
                return f"where do they talk about the {topic[random.integers(len(topic))]} and {common}"
            case "word":
                return str(common)
            case "thing":
                return f"a {library.tags[random.integers(len(library.tags))]}"
            case "name" if tenant.names:
                return tenant.names[random.integers(len(tenant.names))]
            case "line" if tenant.lines:
                return tenant.lines[random.integers(len(tenant.lines))]
        return str(topic[0])


def main() -> None:
    parser = report.arguments(__doc__)
    parser.add_argument("--python", help="as for the others")
    parser.add_argument("--api", required=True, help="a running API of the embedded default")
    parser.add_argument("--database", required=True, help="its database, with a superuser's role")
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--scenes", type=int, required=True)
    options = parser.parse_args()

    tenants = [Tenant(kind, f"{kind}-1@bench.example", next(one.scenes for one in owners(options.scenes) if one.email.startswith(f"{kind}-1@")))
               for kind in SHARES]
    client = Client(options.api)
    sign_in(client, options.api, tenants)
    asyncio.run(load_library.load(options.database, options.models, options.scenes, options.threads))
    document = report.start(f"Search over {options.scenes} scenes", versions("asyncpg", "numpy", "onnxruntime"))
    sign_in(client, options.api, tenants)
    library = Library(options.models)
    asyncio.run(know(options.database, tenants))

    asyncio.run(warm(options.database))
    figures: dict[str, Figures] = {}
    for name, send in passes(client, library, tenants).items():
        open_loop(send, tenants, WARM_S)
        figures[name] = open_loop(send, tenants, SECONDS)
    print(f"\n  {RATE} requests/s for {SECONDS} s each, after reading the library into memory and {WARM_S} s of warming up; milliseconds")
    rows = []
    for name, found in figures.items():
        rows.append([name, "", "", "", "", ""])
        for part, took in found.whole.items():
            rows.append([f"  {part}", str(len(took)), *percentiles(took), ""])
        for channel, took in sorted(found.channels.items()):
            rows.append([f"    {channel}", str(len(took)), *percentiles(took), str(found.unanswered.get(channel, 0))])
    report.table(["", "requests", "p50", "p95", "p99", "unanswered"], rows)
    for name, most in MOST_MS.items():
        p95, lost = figures[name].p95(), sum(figures[name].unanswered.values())
        print(f"  {name}: p95 {p95:.0f} ms (wanted: at most {most}, and every channel answers: {yes(p95 <= most and not lost)})")

    recalls = asyncio.run(recall(options.database, client, library, tenants))
    report.table(["recall@10 against exact", "scenes", "channel", "queries", "recall"],
                 [[JUDGED[kind], str(scenes), channel, str(queries), "–" if share is None else f"{share:.3f}"]
                  for kind, scenes, channel, queries, share in recalls])
    worst = min((share for *_, share in recalls if share is not None), default=0.0)
    print(f"  the least is {worst:.3f} (wanted: at least {LEAST_RECALL}: {yes(worst >= LEAST_RECALL)})")
    rates = asyncio.run(throughput(options.database, client, library, tenants, options.rounds))
    report.table([f"{PEERS_AT_ONCE} at once, in turns", "ours/s", "plain query/s", "ratio", "unanswered"],
                 [[name, f"{ours:.1f}", f"{plain:.2f}", f"{ours / plain:.0f}×", str(lost)] for name, ours, plain, lost in rates])
    worst = min(ours / plain for _, ours, plain, _ in rates)
    print(f"  the least is {worst:.0f}× (wanted: at least {LEAST_RATIO}×: {yes(worst >= LEAST_RATIO)})")
    print(f"\n  the plain query:\n{PLAIN}")
    if options.json:
        document |= {"latency_ms": {name: asdict(found) for name, found in figures.items()},
                     "recall_at_10": recalls, "throughput_per_s": rates, "plain_query": PLAIN}
        options.json.write_text(json.dumps(document, indent=1) + "\n")


def yes(is_so: bool) -> str:
    return "yes" if is_so else "NO"


def sign_in(client: Client, api: str, tenants: list[Tenant]) -> None:
    """Also makes the person known to the database, by a first request."""
    for tenant in tenants:
        body = json.dumps({"email": tenant.email, "password": os.environ["HEIMDEX_PASSWORD"]}).encode()
        request = urllib.request.Request(f"{api}/auth/v1/token?grant_type=password", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            tenant.token = json.load(response)["access_token"]
        tenant.user = client.ask(tenant.token, "GET", "/users/me", None)["user_id"]


async def warm(database: str) -> None:
    """Reads the library into PostgreSQL's buffers, indexes last so that they stay, as it is on a server that has been up for a while: the
    requests of a warm-up would take an hour to meet every page."""
    connection = await asyncpg.connect(database, timeout=30)
    await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
    await connection.execute("SELECT pg_prewarm(oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i') ORDER BY relkind = 'i', oid",
                             timeout=900)
    await connection.close()


async def know(database: str, tenants: list[Tenant]) -> None:
    """What there is to ask for in a tenant's library; from all over it, since ids are random."""
    connection = await asyncpg.connect(database)
    for tenant in tenants:
        scenes = await connection.fetch("SELECT scene_id FROM scenes WHERE owner_id = $1 AND text <> '' ORDER BY scene_id LIMIT 500", tenant.user)
        tenant.scene_ids = [str(row["scene_id"]) for row in scenes]
        names = await connection.fetch("SELECT display_name FROM face_profiles WHERE owner_id = $1 ORDER BY person_id", tenant.user)
        tenant.names = [row["display_name"] for row in names]
        lines = await connection.fetch("SELECT text FROM screen_texts WHERE owner_id = $1 ORDER BY scene_id LIMIT 200", tenant.user)
        tenant.lines = [row["text"] for row in lines]
    await connection.close()


def passes(client: Client, library: Library, tenants: list[Tenant]) -> dict:
    """By name a function of a tenant and a query that sends one request, and where the queries come from."""
    questions = Questions(library, 11)
    turn = itertools.count()

    def everything(tenant: Tenant, query: str) -> Answered:
        return answered("search", client.search(tenant, query))

    def no_embedding(tenant: Tenant, query: str) -> Answered:
        # Every other one compares vectors that are there: those of a scene.
        number = next(turn)
        if number % 2:
            return answered("by words", client.search(tenant, query, channels=WORD_CHANNELS))
        scene, began = tenant.scene_ids[number // 2 % len(tenant.scene_ids)], time.monotonic()
        found = Answered("like a scene")
        try:
            client.ask(tenant.token, "GET", f"/scenes/{scene}/similar", None)
        except Unavailable:
            found.unanswered.append("similar")
        found.took_ms["similar"] = (time.monotonic() - began) * 1000
        return found

    return {"every channel, with embedding": (everything, questions), "without embedding": (no_embedding, questions)}


def answered(part: str, answer: dict) -> Answered:
    found = Answered(part)
    for channel in answer["channels"]:
        if channel["status"] != "skipped":
            found.took_ms[channel["channel"]] = channel["took_ms"]
        if channel["status"] not in ("ok", "skipped"):
            found.unanswered.append(channel["channel"])
    return found


def open_loop(send: tuple, tenants: list[Tenant], seconds: int) -> Figures:
    """Requests at random times, at a steady rate."""
    function, questions = send
    # Arrivals at random: a rate of ten is not one every tenth of a second.
    due = np.cumsum(np.random.default_rng(23).exponential(1 / RATE, RATE * seconds)).tolist()
    asked = [(at, tenant, questions.next(tenant)) for at, tenant in zip(due, mix(tenants, len(due)))]
    figures, lock = Figures(), threading.Lock()

    def one(at: float, tenant: Tenant, query: str) -> None:
        found = function(tenant, query)
        took = (time.monotonic() - began - at) * 1000
        with lock:
            figures.add(found, took)

    # As many threads as requests: none waits for a thread, which would be our queue and not theirs.
    with ThreadPoolExecutor(len(asked)) as pool:
        began = time.monotonic()
        sent = []
        for at, tenant, query in asked:
            time.sleep(max(0.0, began + at - time.monotonic()))
            sent.append(pool.submit(one, at, tenant, query))
        for future in sent:
            future.result()
    return figures


def percentiles(values: list[float]) -> list[str]:
    return [f"{np.percentile(values, share):.0f}" for share in (50, 95, 99)]


async def recall(database: str, client: Client, library: Library, tenants: list[Tenant]) -> list[tuple[str, int, str, int, float | None]]:
    """Kind of tenant, scenes, channel, queries that were judged, and the mean share: of the ten nearest of the tenant's scenes that exact
    search finds, and that are near enough to be shown, those that are among the first ten of the channel."""
    connection = await asyncpg.connect(database)
    found = []
    for tenant in tenants:
        if tenant.kind not in JUDGED:
            continue
        questions, shares = Questions(library, 31), {"meaning": [], "seen": []}
        for query in (questions.next(tenant) for _ in range(RECALL_QUERIES)):
            for channel, table, column, embed in (("meaning", "text_windows", "text_vec", library.text_model.embed),
                                                  ("seen", "scenes", "image_vec", library.embed_for_pictures)):
                vector = str(embed([query])[0].tolist())
                # A scene has a few windows of text at most, of which the nearest counts; to group half a million takes longer than to sort out these.
                # A parameter's text would be read for each row once the plan is a general one; that of a subquery is read once.
                rows = await connection.fetch(
                    f"""WITH q AS MATERIALIZED (SELECT $2::text::vector AS near)
                        SELECT s.scene_id, 1 - (s.{column} <=> (SELECT near FROM q)) AS score FROM {table} s WHERE s.owner_id = $1
                        ORDER BY s.{column} <=> (SELECT near FROM q) LIMIT 100""", tenant.user, vector)
                nearest: dict[str, float] = {}
                for row in rows:
                    nearest.setdefault(str(row["scene_id"]), row["score"])
                exact = expected(list(nearest.items())[:10])
                if not exact:
                    continue
                answer = client.search(tenant, query, channels=[channel], limit=10, per_video=1000)
                # One that ran out of time has found nothing, which counts.
                ours = {item["scene_id"] for item in answer["items"]}
                shares[channel].append(len(ours & exact) / len(exact))
        found += [(tenant.kind, tenant.scenes, channel, len(values), statistics.mean(values) if values else None)
                  for channel, values in shares.items()]
    await connection.close()
    return found


async def throughput(database: str, client: Client, library: Library, tenants: list[Tenant],
                     rounds: int) -> list[tuple[str, float, float, int]]:
    """Requests a second in a closed loop, ours whole (over HTTP, embedding included) and the plain query by itself (its vectors are made
    beforehand, and each is planned for its tenant), in turns, both asked the same; and how many channels of ours did not answer."""
    pool = await asyncpg.create_pool(database, min_size=PEERS_AT_ONCE, max_size=PEERS_AT_ONCE,
                                     server_settings={"plan_cache_mode": "force_custom_plan", "jit": "off"})
    loop = asyncio.get_running_loop()
    threads = ThreadPoolExecutor(PEERS_AT_ONCE)

    async def rate(one) -> float:
        async def ask() -> float:
            began, done = time.monotonic(), 0
            while time.monotonic() - began < TURN_S:
                await one()
                done += 1
            # By its own clock: the last request of a slow one goes on when the others have stopped.
            return done / (time.monotonic() - began)

        return sum(await asyncio.gather(*(ask() for _ in range(PEERS_AT_ONCE))))

    found = []
    for name, whose in {"the largest tenant": itertools.repeat(tenants[0], PEERS_QUERIES), "the mix": mix(tenants, PEERS_QUERIES)}.items():
        questions = Questions(library, 47)
        asked = [(tenant, questions.next(tenant)) for tenant in whose]
        embedded = library.text_model.embed([query for _, query in asked])
        of_ours = itertools.cycle(asked)
        of_plain = itertools.cycle([(tenant.user, query, str(vector.tolist())) for (tenant, query), vector in zip(asked, embedded)])
        lost = 0

        async def ours() -> None:
            nonlocal lost
            tenant, query = next(of_ours)
            answer = await loop.run_in_executor(threads, client.search, tenant, query)
            lost += len(answered("search", answer).unanswered)

        async def plain() -> None:
            await pool.fetch(PLAIN, *next(of_plain))

        turns = [(await rate(ours), await rate(plain)) for _ in range(rounds)]
        found.append((name, *(statistics.median(values) for values in zip(*turns)), lost))
    await pool.close()
    threads.shutdown()
    return found


def mix(tenants: list[Tenant], count: int) -> list[Tenant]:
    """By their shares, shuffled within every twenty: somebody who gets through a few only meets the same mix."""
    twenty = [tenant for tenant in tenants for _ in range(round(SHARES[tenant.kind] * 20))]
    random = np.random.default_rng(53)
    return [twenty[number] for _ in range(0, count, 20) for number in random.permutation(20)][:count]


if __name__ == "__main__":
    main()
