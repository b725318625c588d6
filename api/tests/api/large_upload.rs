//! The largest upload of a free account, broken off and taken up by another process; nothing is ever held in memory whole.
//!
//! Everything is real and has a process of its own: the API, the S3 server, and two clients, of which the first is killed.

use std::{
    io::{Seek, SeekFrom, Write},
    path::Path,
    process::Stdio,
    time::Duration,
};

use heimdex_testing::{Server, TestDb, Wire, program};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::process::Command;

const GIB: u64 = 1 << 30;
/// What a server may use at its peak: a fraction of the file, whatever its parts.
const MEMORY_BYTES: u64 = 128 << 20;
/// The first client is killed when this much is under way.
const KILLED_AFTER_BYTES: u64 = 400 << 20;
const PATIENCE: Duration = Duration::from_secs(120);
const PASSWORD: &str = "correct horse battery";

/// Mostly holes, so that it costs no disk; a number in every MiB, so that no part is like another.
fn large_file(path: &Path) -> String {
    let mut file = std::fs::File::create(path).unwrap();
    file.set_len(GIB).unwrap();
    for at in (0..GIB).step_by(1 << 20) {
        file.seek(SeekFrom::Start(at + at % 4093)).unwrap();
        file.write_all(&at.to_le_bytes()).unwrap();
    }
    let mut hash = Sha256::new();
    std::io::copy(&mut std::fs::File::open(path).unwrap(), &mut HashWriter(&mut hash)).unwrap();
    hex::encode(hash.finalize())
}

struct HashWriter<'a>(&'a mut Sha256);

impl Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The client of `scripts/up`.
fn client(api: &str, file: &Path) -> Command {
    let script = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../scripts/lib/client.py");
    let mut command = Command::new("python3");
    command
        .args([script.as_os_str(), "--no-wait".as_ref(), api.as_ref(), file.as_os_str()])
        .envs([("HEIMDEX_EMAIL", "ann@example.org"), ("HEIMDEX_PASSWORD", PASSWORD)])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gigabyte_is_broken_off_and_sent_to_its_end_by_another_process() {
    let (db, folder) = (TestDb::new().await.unwrap(), tempfile::tempdir().unwrap());
    let (file, s3_root) = (folder.path().join("holiday.mp4"), folder.path().join("s3"));
    let sha256 = large_file(&file);

    let keys = [("S3_ACCESS_KEY_ID", "ann"), ("S3_SECRET_ACCESS_KEY", "secret"), ("S3_BUCKET", "videos")];
    let place = [("HEIMDEX_S3_BIND", "127.0.0.1:0"), ("HEIMDEX_S3_ROOT", s3_root.to_str().unwrap())];
    let s3 = Server::start(Command::new(program("heimdex-s3").unwrap()), &[&keys[..], &place].concat()).await.unwrap();
    let wire = Wire::to(s3.address().to_owned()).await;
    let (endpoint, public) = (format!("http://{}", s3.address()), format!("http://127.0.0.1:{}", wire.port()));
    let own = [
        ("DATABASE_URL", db.url()),
        ("S3_ENDPOINT", &endpoint),
        ("S3_PUBLIC_ENDPOINT", &public),
        ("HEIMDEX_API_BIND", "127.0.0.1:0"),
        ("HEIMDEX_METRICS_BIND", "127.0.0.1:0"),
        ("HEIMDEX_TEXT_MODEL", "none"),
        ("HEIMDEX_IMAGE_MODEL", "none"),
    ];
    let api = Server::start(Command::new(program("heimdex-api").unwrap()), &[&keys[..], &own].concat()).await.unwrap();
    let base = format!("http://{}", api.address());
    let http = reqwest::Client::new();
    let person =
        json!({ "email": "ann@example.org", "password": PASSWORD, "data": { "name": "Ann", "role": "creator" } });
    let signed_up = http.post(format!("{base}/auth/v1/signup")).json(&person).send().await.unwrap();
    let session: Value = signed_up.json().await.unwrap();
    let token = session["access_token"].as_str().unwrap_or_else(|| panic!("no session: {session}")).to_owned();
    let get = async |path: String| -> Value {
        http.get(format!("{base}{path}")).bearer_auth(&token).send().await.unwrap().json().await.unwrap()
    };

    let mut first = client(&base, &file).spawn().unwrap();
    tokio::time::timeout(PATIENCE, async {
        while wire.sent_bytes() < KILLED_AFTER_BYTES {
            assert_eq!(first.try_wait().unwrap(), None, "the first client ended by itself");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    first.kill().await.unwrap();

    let videos = get("/videos".to_owned()).await;
    assert_eq!((&videos["items"][0]["state"], videos["items"].as_array().unwrap().len()), (&json!("uploading"), 1));
    let video = videos["items"][0]["video_id"].as_str().unwrap().to_owned();
    let known = get(format!("/videos/{video}/uploads/parts")).await;
    let known = known["parts"].as_array().unwrap();
    assert!(known.len() > 30, "{} parts are stored", known.len());
    let rest = GIB - known.iter().map(|part| part["size_bytes"].as_u64().unwrap()).sum::<u64>();
    let before = wire.sent_bytes();

    let second = client(&base, &file).spawn().unwrap();
    let ended = tokio::time::timeout(PATIENCE, second.wait_with_output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{said}{}", String::from_utf8_lossy(&ended.stderr));
    assert!(said.contains("goes on where an earlier upload stopped"), "{said}");
    let again = wire.sent_bytes() - before;
    // What the killed one had handed to the kernel may still have come; a part sent twice would be more than that.
    assert!(again < rest + (8 << 20), "{again} bytes were sent for the {rest} that were missing");

    let done = get(format!("/videos/{video}")).await;
    assert_eq!((&done["state"], &done["size_bytes"]), (&json!("validating"), &json!(GIB)));
    let (api_peak, s3_peak) = (api.peak_memory_bytes().unwrap(), s3.peak_memory_bytes().unwrap());
    println!("peak memory: API {} MiB, S3 server {} MiB", api_peak >> 20, s3_peak >> 20);
    assert!(api_peak < MEMORY_BYTES, "the API held {api_peak} bytes");
    assert!(s3_peak < MEMORY_BYTES, "the S3 server held {s3_peak} bytes");

    let store = heimdex_db::store::Store::new(&heimdex_db::store::S3Config {
        endpoint: endpoint.parse().unwrap(),
        public_endpoint: endpoint.parse().unwrap(),
        region: "us-east-1".into(),
        bucket: "videos".into(),
        access_key_id: "ann".into(),
        secret_access_key: "secret".to_owned().into(),
    });
    let key = heimdex_db::keys::source(video.parse().unwrap());
    let url = store.presign_get(&key, PATIENCE, None, None).await.unwrap();
    let mut object = http.get(url).send().await.unwrap();
    assert_eq!(object.content_length(), Some(GIB));
    let mut hash = Sha256::new();
    while let Some(chunk) = object.chunk().await.unwrap() {
        hash.update(&chunk);
    }
    assert_eq!(hex::encode(hash.finalize()), sha256);
    assert!(s3.peak_memory_bytes().unwrap() < MEMORY_BYTES, "reading is bounded too");
}
