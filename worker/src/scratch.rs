//! Local disk: one folder per worker, bounded, with nothing left behind.
//!
//! A source is fetched once per worker and shared by the stages that read it; it goes when no stage of its run needs it,
//! or, least recently used first, when room is wanted. Everything else lives in a folder per attempt.

use std::{
    collections::HashMap,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use heimdex_db::{
    VideoId, keys,
    store::{Store, StoreError},
};
use tokio::sync::{Notify, OnceCell};

use crate::config::ScratchConfig;

/// How long a stage waits for others to give room back before it is tried again later.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    #[error("{wanted} bytes of scratch space did not become free; HEIMDEX_SCRATCH_MAX_BYTES is {max}")]
    Full { wanted: u64, max: u64 },
    #[error("{wanted} bytes of scratch space are needed, more than HEIMDEX_SCRATCH_MAX_BYTES ({max})")]
    TooSmall { wanted: u64, max: u64 },
    #[error("scratch space: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The worker's scratch folder. Cheap to clone.
#[derive(Clone)]
pub struct Scratch(Arc<Inner>);

struct Inner {
    root: PathBuf,
    max_bytes: u64,
    state: Mutex<State>,
    /// Told whenever bytes are given back.
    freed: Notify,
    /// Held for the life of the process; a folder whose lock can be had belongs to nobody.
    _lock: File,
}

#[derive(Default)]
struct State {
    used_bytes: u64,
    sources: HashMap<VideoId, Arc<Source>>,
}

/// A source that is here, or being fetched.
struct Source {
    path: PathBuf,
    fetched: OnceCell<Reservation>,
    readers: Mutex<Readers>,
}

struct Readers {
    count: usize,
    last_used: Instant,
}

impl Scratch {
    /// Makes this worker's folder, and removes those of workers that are gone.
    pub fn open(config: &ScratchConfig, worker: &str) -> Result<Self, ScratchError> {
        std::fs::create_dir_all(&config.dir)?;
        sweep(&config.dir)?;
        let safe: String =
            worker.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' }).collect();
        let root = config.dir.join(format!("worker-{safe}"));
        let lock = claim(&root)?;
        Ok(Self(Arc::new(Inner {
            root,
            max_bytes: config.max_bytes,
            state: Mutex::default(),
            freed: Notify::new(),
            _lock: lock,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes promised to someone.
    pub fn used_bytes(&self) -> u64 {
        self.state().used_bytes
    }

    /// The source of a video, fetched unless it is here already. Several may ask at once; one fetches.
    pub async fn source(&self, store: &Store, video: VideoId, size_bytes: u64) -> Result<SourceLease, ScratchError> {
        let source = {
            let mut state = self.state();
            let source = state.sources.entry(video).or_insert_with(|| {
                Arc::new(Source {
                    path: self.0.root.join(format!("source-{video}-{}", uuid::Uuid::now_v7().simple())),
                    fetched: OnceCell::new(),
                    readers: Mutex::new(Readers { count: 0, last_used: Instant::now() }),
                })
            });
            readers(source).count += 1;
            Arc::clone(source)
        };
        // From here on the reader is counted, so that the file is not evicted under it.
        let lease = SourceLease { scratch: self.clone(), video, source };
        lease
            .source
            .fetched
            .get_or_try_init(|| async {
                let reservation = self.reserve(size_bytes).await?;
                let fetched = store.get_file(&keys::source(video), &lease.source.path, size_bytes).await;
                if let Err(error) = fetched {
                    remove_file(&lease.source.path);
                    return Err(ScratchError::from(error));
                }
                Ok(reservation)
            })
            .await?;
        Ok(lease)
    }

    /// Whether a video's source is here, or is being fetched.
    pub fn has_source(&self, video: VideoId) -> bool {
        self.state().sources.contains_key(&video)
    }

    /// Drops a video's source unless somebody reads it.
    pub fn forget_source(&self, video: VideoId) {
        let mut state = self.state();
        if state.sources.get(&video).is_some_and(|source| readers(source).count == 0) {
            let source = state.sources.remove(&video);
            drop(state);
            if let Some(source) = source {
                remove_file(&source.path);
            }
        }
    }

    /// Drops sources nobody has read for a while.
    pub fn forget_idle(&self, idle: Duration) {
        let videos: Vec<_> = {
            let state = self.state();
            let is_idle = |source: &Source| {
                let readers = readers(source);
                readers.count == 0 && readers.last_used.elapsed() >= idle
            };
            state.sources.iter().filter(|(_, source)| is_idle(source)).map(|(video, _)| *video).collect()
        };
        for video in videos {
            self.forget_source(video);
        }
    }

    /// A folder of its own for an attempt, with room for `bytes`; removed when dropped.
    pub async fn folder(&self, bytes: u64) -> Result<Folder, ScratchError> {
        let reservation = self.reserve(bytes).await?;
        let dir = tempfile::Builder::new().prefix("attempt-").tempdir_in(&self.0.root)?;
        Ok(Folder { dir, _reservation: reservation })
    }

    /// Room for `bytes`: evicts idle sources, then waits for others to finish.
    async fn reserve(&self, bytes: u64) -> Result<Reservation, ScratchError> {
        let max = self.0.max_bytes;
        if bytes > max {
            return Err(ScratchError::TooSmall { wanted: bytes, max });
        }
        let waiting = async {
            loop {
                let freed = self.0.freed.notified();
                if let Some(reservation) = self.try_reserve(bytes) {
                    return reservation;
                }
                freed.await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.map_err(|_| ScratchError::Full { wanted: bytes, max })
    }

    fn try_reserve(&self, bytes: u64) -> Option<Reservation> {
        loop {
            let mut state = self.state();
            if state.used_bytes + bytes <= self.0.max_bytes {
                state.used_bytes += bytes;
                return Some(Reservation { scratch: self.clone(), bytes });
            }
            let oldest = state
                .sources
                .iter()
                .filter(|(_, source)| readers(source).count == 0)
                .min_by_key(|(_, source)| readers(source).last_used)
                .map(|(video, _)| *video)?;
            drop(state);
            self.forget_source(oldest);
        }
    }

    /// Removes what workers that are gone have left on this machine.
    pub fn sweep_dead(&self) {
        if let Some(dir) = self.0.root.parent()
            && let Err(error) = sweep(dir)
        {
            tracing::warn!(%error, "could not sweep scratch space");
        }
    }

    /// Removes the worker's folder; what is still open there is nobody's any more.
    pub fn close(&self) {
        self.sweep_dead();
        if let Err(error) = std::fs::remove_dir_all(&self.0.root) {
            tracing::warn!(%error, "could not remove the scratch folder");
        }
    }
}

fn readers(source: &Source) -> MutexGuard<'_, Readers> {
    source.readers.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remove_file(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "could not remove a scratch file");
    }
}

/// Makes a worker's folder and takes its lock.
fn claim(root: &Path) -> io::Result<File> {
    for _ in 0..20 {
        std::fs::create_dir_all(root)?;
        let path = root.join("lock");
        let lock = File::create(&path)?;
        // Another worker's sweep may have come between making the folder and locking it, and removed it.
        if lock.try_lock().is_ok() && path.exists() {
            return Ok(lock);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, format!("{} belongs to a worker of the same name", root.display())))
}

/// Removes the folders of workers that are gone: those whose lock can be had.
fn sweep(dir: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let named = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("worker-"));
        let Ok(lock) = File::open(path.join("lock")) else { continue };
        if named && lock.try_lock().is_ok() {
            tracing::info!(path = %path.display(), "removing the scratch folder of a worker that is gone");
            match std::fs::remove_dir_all(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Bytes promised; given back when dropped.
struct Reservation {
    scratch: Scratch,
    bytes: u64,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut state = self.scratch.state();
        state.used_bytes = state.used_bytes.saturating_sub(self.bytes);
        drop(state);
        self.scratch.0.freed.notify_waiters();
    }
}

/// A source that stays on disk as long as this is held.
pub struct SourceLease {
    scratch: Scratch,
    video: VideoId,
    source: Arc<Source>,
}

impl SourceLease {
    pub fn path(&self) -> &Path {
        &self.source.path
    }
}

impl Drop for SourceLease {
    fn drop(&mut self) {
        let unfetched = {
            let mut readers = readers(&self.source);
            readers.count -= 1;
            readers.last_used = Instant::now();
            readers.count == 0 && !self.source.fetched.initialized()
        };
        if unfetched {
            self.scratch.forget_source(self.video);
        }
        self.scratch.0.freed.notify_waiters();
    }
}

/// A folder of one attempt; removed when dropped.
pub struct Folder {
    dir: tempfile::TempDir,
    _reservation: Reservation,
}

impl Folder {
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(dir: &Path, worker: &str, max_bytes: u64) -> Scratch {
        Scratch::open(&ScratchConfig { dir: dir.to_owned(), max_bytes }, worker).unwrap()
    }

    #[tokio::test]
    async fn a_folder_goes_with_its_attempt_and_gives_its_room_back() {
        let dir = tempfile::tempdir().unwrap();
        let scratch = scratch(dir.path(), "a", 100);
        let folder = scratch.folder(60).await.unwrap();
        let path = folder.path().to_owned();
        assert!(path.is_dir());
        assert!(matches!(scratch.folder(101).await, Err(ScratchError::TooSmall { .. })));

        // The second waits until the first has gone.
        let second = tokio::spawn({
            let scratch = scratch.clone();
            async move { scratch.folder(60).await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(folder);
        second.await.unwrap().unwrap();
        assert!(!path.exists());
        assert_eq!(scratch.used_bytes(), 0);
    }

    #[test]
    fn what_dead_workers_left_is_removed_and_what_live_ones_hold_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let alive = scratch(dir.path(), "alive", 1);
        let dead = dir.path().join("worker-dead");
        std::fs::create_dir(&dead).unwrap();
        std::fs::write(dead.join("lock"), "").unwrap();
        std::fs::write(dead.join("source-x"), "bytes").unwrap();
        let stranger = dir.path().join("holiday-photos");
        std::fs::create_dir(&stranger).unwrap();

        scratch(dir.path(), "new", 1);
        assert!(!dead.exists());
        assert!(stranger.exists());
        assert!(alive.0.root.exists());
    }
}
