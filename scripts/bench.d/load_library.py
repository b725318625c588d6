"""Fills a Heimdex database with a made-up library (`library.py`), by COPY, and builds the indexes afterwards.

    load_library.py --database URL --models FOLDER --scenes N

Accounts that are there by their address keep their id; the others are made without a password. What has been loaded is noted in the
database, in a table of its own; a second call does nothing. The database must be one that nobody else uses, and its role a superuser's.
"""

import argparse
import asyncio
import struct
import sys
import time
import uuid
from itertools import repeat
from pathlib import Path

import asyncpg
import numpy as np
from library import VERSION, Batch, Library
from tenants import Owner, owners

TABLES = ["scenes", "text_windows", "scene_tags", "screen_texts", "face_tracks"]
NULL = b"\xff\xff\xff\xff"
SCENE_MS = 6000
FEW = 5000
"""Libraries of more vectors have an index of them."""
TEXT_TSV = """CREATE OR REPLACE FUNCTION bench_text_tsv() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.text_tsv := to_tsvector('english', NEW.text) || to_tsvector('simple', NEW.text);
    RETURN NEW;
END
$$"""


def field(value: bytes) -> bytes:
    return struct.pack(">i", len(value)) + value


def text(value: str) -> bytes:
    return field(value.encode())


def uuids(values: np.ndarray) -> list[bytes]:
    """uint8 [n, 16]."""
    return [b"\0\0\0\x10" + row.tobytes() for row in values]


def integers(values, kind: str) -> list[bytes]:
    """`kind` as in `struct`: i, q, f or d."""
    size = struct.calcsize(kind)
    pack = struct.Struct(f">i{kind}").pack
    return [pack(size, value) for value in np.asarray(values).tolist()]


def vectors(values: np.ndarray) -> list[bytes]:
    """pgvector's binary form: dimension, 0, the numbers."""
    dimension = values.shape[1]
    head = struct.pack(">ihh", 4 + 4 * dimension, dimension, 0)
    return [head + row.tobytes() for row in values.astype(">f4")]


async def copy(connection: asyncpg.Connection, table: str, columns: dict[str, list[bytes]]) -> None:
    """Rows of fields that are in binary form."""
    head = struct.pack(">h", len(columns))
    body = b"".join(map(b"".join, zip(repeat(head), *columns.values(), strict=False)))

    async def source():
        yield b"PGCOPY\n\xff\r\n\0" + bytes(8)
        yield body
        yield b"\xff\xff"

    await connection.copy_to_table(table, source=source(), columns=list(columns), format="binary")


async def account(connection: asyncpg.Connection, owner: Owner) -> bytes:
    found = await connection.fetchval("SELECT user_id FROM users WHERE lower(email) = $1 AND deleted_at IS NULL", owner.email)
    if found is None:
        found = await connection.fetchval(
            "INSERT INTO users (supabase_user_id, email, display_name, tier) VALUES (gen_random_uuid(), $1, $1, 'enterprise') RETURNING user_id",
            owner.email)
    return found.bytes


async def videos(connection: asyncpg.Connection, library: Library, owner: Owner, user: bytes,
                 random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Makes the owner's videos with one visible run each; their ids and their runs' ids."""
    count = -(-owner.scenes // owner.scenes_a_video)
    ids, runs = (random.integers(0, 256, (count, 16), np.uint8) for _ in range(2))
    as_hex = [[bytes(row).hex() for row in values] for values in (ids, runs)]
    titles = [" ".join(library.words[random.integers(100, 5000, 3)]).capitalize() for _ in range(count)]
    await connection.execute(
        """INSERT INTO videos (video_id, owner_id, title, state, original_filename, mime_type, declared_size_bytes, part_size_bytes, part_count,
                               current_run_id, created_at, indexed_at)
           SELECT id::uuid, encode($1, 'hex')::uuid, title, 'indexed', 'recording-' || n || '.mp4', 'video/mp4', 1, 1, 1, run::uuid,
                  now() - n * interval '1 hour', now()
           FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS given (id, run, title, n)""", user, *as_hex, titles)
    await connection.execute(
        """INSERT INTO runs (run_id, video_id, reason, state, language, visible_at, finished_at)
           SELECT run::uuid, id::uuid, 'initial', 'completed', 'en', now(), now() FROM unnest($1::text[], $2::text[]) AS given (id, run)""", *as_hex)
    await connection.execute(
        """INSERT INTO video_metadata (video_id, container, duration_ms, width, height, fps, video_codec)
           SELECT id::uuid, 'mp4', $2, 1280, 720, 25, 'h264' FROM unnest($1::text[]) AS given (id)""",
        as_hex[0], owner.scenes_a_video * SCENE_MS)
    return ids, runs


async def write(connection: asyncpg.Connection, library: Library, owner: Owner, user: bytes, people: list[bytes],
                places: tuple[np.ndarray, np.ndarray], batch: Batch, random: np.random.Generator) -> None:
    video = batch.ordinals // owner.scenes_a_video
    inside = batch.ordinals % owner.scenes_a_video
    count = len(batch.ordinals)
    ids, runs = uuids(places[0][video]), uuids(places[1][video])
    scenes = uuids(random.integers(0, 256, (count, 16), np.uint8))
    owns = b"\0\0\0\x10" + user
    starts, ends = integers(inside * SCENE_MS, "q"), integers((inside + 1) * SCENE_MS, "q")
    affect = [field(b'\x01{"valence":{"value":%.2f},"arousal":{"value":%.2f},"energy":{"value":%.2f}}' % tuple(row)) for row in batch.affect]
    await copy(connection, "scenes", {
        "run_id": runs, "scene_id": scenes, "video_id": ids, "owner_id": [owns] * count, "ordinal": integers(inside, "i"),
        "start_ms": starts, "end_ms": ends, "text": [text(one) for one in batch.texts], "language": [text("en")] * count,
        "image_vec": vectors(batch.images), "image_model": [text(library.image_model)] * count, "affect": affect})

    def of(rows, values):
        return [values[row] for row in rows]

    rows = batch.window_scenes.tolist()
    ordinals = [int(at > 0 and rows[at - 1] == row) for at, row in enumerate(rows)]
    await copy(connection, "text_windows", {
        "run_id": of(rows, runs), "scene_id": of(rows, scenes), "owner_id": [owns] * len(rows), "ordinal": integers(ordinals, "i"),
        "start_ms": of(rows, starts), "end_ms": of(rows, ends), "text": [text(batch.texts[row]) for row in rows],
        "text_vec": vectors(batch.windows), "text_model": [text(library.text_model.name)] * len(rows)})
    rows = [row for row, tags in enumerate(batch.tags) for _ in tags]
    tags = [tag for tags in batch.tags for tag in tags]
    await copy(connection, "scene_tags", {
        "run_id": of(rows, runs), "scene_id": of(rows, scenes), "owner_id": [owns] * len(rows), "source": [text("bench")] * len(rows),
        "tag": [text(library.tags[tag]) for tag, _ in tags], "score": integers([score for _, score in tags], "f")})
    rows = [row for row, _ in batch.written]
    box = field(b"\x01[[0.1,0.1],[0.9,0.1],[0.9,0.2],[0.1,0.2]]")
    await copy(connection, "screen_texts", {
        "run_id": of(rows, runs), "scene_id": of(rows, scenes), "owner_id": [owns] * len(rows), "start_ms": of(rows, starts),
        "end_ms": of(rows, ends), "text": [text(line) for _, line in batch.written],
        "confidence": integers([0.9] * len(rows), "f"), "box": [box] * len(rows)})
    rows = [row for row, *_ in batch.faces]
    seen, pictures = ([face[place] for face in batch.faces] for place in (2, 3))
    await copy(connection, "face_tracks", {
        "run_id": of(rows, runs), "track_no": integers(inside[rows], "i"), "scene_id": of(rows, scenes), "owner_id": [owns] * len(rows),
        "start_ms": of(rows, starts), "end_ms": of(rows, ends), "faces": integers(seen, "i"), "frames": integers(pictures, "i"),
        "quality": integers([0.8] * len(rows), "f"), "face_model": [text("bench")] * len(rows),
        "person_id": [people[person] for _, person, *_ in batch.faces], "similarity": integers([0.7] * len(rows), "f")})


async def named(connection: asyncpg.Connection, library: Library, owner: Owner, user: bytes, random: np.random.Generator) -> list[bytes]:
    """People with two words as a name; as fields."""
    ids = random.integers(0, 256, (owner.people, 16), np.uint8)
    names = [" ".join(library.words[random.integers(2000, len(library.words), 2)]).title() for _ in range(owner.people)]
    fields = uuids(ids)
    await copy(connection, "face_profiles", {
        "person_id": fields, "owner_id": [b"\0\0\0\x10" + user] * owner.people, "display_name": [text(name) for name in names]})
    return fields


async def build(connection: asyncpg.Connection, definitions: list[str], library: Library, cores: int) -> None:
    """As the migrations and `heimdex_db::vector_indexes` build them."""
    await connection.execute(f"SET maintenance_work_mem = '2500MB'; SET max_parallel_maintenance_workers = {max(cores - 1, 0)}")
    models = [(library.text_model.name, "text", "text_windows", "text_vec", "text_model"),
              (library.image_model, "image", "scenes", "image_vec", "image_model")]
    for model, kind, table, column, model_column in models:
        await connection.execute("INSERT INTO vector_models (model, kind, dimension) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                                 model, kind, library.dimension)
        large = await connection.fetch(f"SELECT owner_id FROM {table} WHERE {model_column} = $1 GROUP BY owner_id HAVING count(*) > $2 ORDER BY count(*)",
                                       model, FEW)
        definitions += [f"CREATE INDEX near_{kind}_{uuid.uuid5(row['owner_id'], model).hex} ON {table} USING hnsw "
                        f"(({column}::halfvec({library.dimension})) halfvec_cosine_ops) WITH (m = 16, ef_construction = 200) "
                        f"WHERE {model_column} = '{model}' AND owner_id = '{row['owner_id']}'" for row in large]
    for definition in definitions:
        began = time.monotonic()
        await connection.execute(definition)
        say(f"{time.monotonic() - began:6.0f} s  {definition[:110]}")


def say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


async def load(url: str, models: Path, scenes: int, cores: int) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("SET statement_timeout = 0; SET client_min_messages = warning")
    await connection.execute("""CREATE TABLE IF NOT EXISTS bench_library (scenes bigint NOT NULL, whole boolean NOT NULL);
                                ALTER TABLE bench_library ADD COLUMN IF NOT EXISTS version integer NOT NULL DEFAULT 1;
                                ALTER TABLE bench_library ENABLE ROW LEVEL SECURITY""")
    loaded = await connection.fetchrow("SELECT scenes, whole, version FROM bench_library")
    if loaded is not None and loaded["version"] != VERSION:
        raise SystemExit(f"the library there is of version {loaded['version']}, not {VERSION}: remove its folder and start again")
    if loaded is not None and loaded["whole"]:
        await connection.close()
        if loaded["scenes"] != scenes:
            raise SystemExit(f"the database has a library of {loaded['scenes']} scenes, not {scenes}")
        return
    # From here on indexes are missing until the end, whether or not there are scenes yet.
    if loaded is not None or await connection.fetchval("SELECT EXISTS (SELECT FROM scenes)"):
        raise SystemExit("a load of this database broke off, or it is somebody's: remove the folder of the library and start again")
    await connection.execute("INSERT INTO bench_library VALUES ($1, false, $2)", scenes, VERSION)
    began = time.monotonic()
    library = Library(models)
    # Rows refer to each other as they should; that each is checked, and told to listeners, would take longer than the rows.
    await connection.execute("SET session_replication_role = replica")
    definitions = await connection.fetch(
        """SELECT x.indexrelid::regclass::text AS name, pg_get_indexdef(x.indexrelid) AS definition FROM pg_index x
           WHERE x.indrelid = ANY($1::text[]::regclass[]) AND NOT x.indisunique""", TABLES)
    for row in definitions:
        await connection.execute(f"DROP INDEX {row['name']}")
    await connection.execute(TEXT_TSV)
    await connection.execute("CREATE TRIGGER bench_text_tsv BEFORE INSERT ON scenes FOR EACH ROW EXECUTE FUNCTION bench_text_tsv()")
    await connection.execute("ALTER TABLE scenes ENABLE ALWAYS TRIGGER bench_text_tsv")
    done, told = 0, began
    for number, owner in enumerate(owners(scenes)):
        random = np.random.default_rng([7, number])
        # One transaction an owner: small ones would pay for the disk fifty scenes at a time.
        async with connection.transaction():
            user = await account(connection, owner)
            people = await named(connection, library, owner, user, random)
            places = await videos(connection, library, owner, user, random)
            for batch in library.batches(number, owner):
                await write(connection, library, owner, user, people, places, batch, random)
                done += len(batch.ordinals)
                if time.monotonic() - told > 10:
                    told = time.monotonic()
                    say(f"{done} scenes after {told - began:.0f} s")
    await connection.execute("DROP TRIGGER bench_text_tsv ON scenes")
    await connection.execute("DROP FUNCTION bench_text_tsv")
    await connection.executemany(
        """INSERT INTO tag_labels (tag, language, label, place, config, phrase) VALUES ($1, 'en', $1, 0, 'english', phraseto_tsquery('english', $1))
           ON CONFLICT DO NOTHING""", [(tag,) for tag in library.tags])
    say(f"{done} scenes are there after {time.monotonic() - began:.0f} s; now the indexes")
    await build(connection, [row["definition"] for row in definitions], library, cores)
    await connection.execute("VACUUM (ANALYZE)")
    await connection.execute("UPDATE bench_library SET whole = true")
    # What is written down now is not written down while somebody measures.
    await connection.execute("CHECKPOINT")
    await connection.close()
    say(f"loaded in {time.monotonic() - began:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--scenes", type=int, required=True)
    parser.add_argument("--threads", type=int, default=2, help="to build the indexes with (2)")
    options = parser.parse_args()
    asyncio.run(load(options.database, options.models, options.scenes, options.threads))


if __name__ == "__main__":
    main()
