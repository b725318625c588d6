//! The environment, read once at start. A wrong value stops the process and names its variable.

use std::{
    collections::HashMap, fmt::Display, net::SocketAddr, num::NonZeroUsize, path::PathBuf, str::FromStr, time::Duration,
};

use heimdex_db::{
    Stage,
    quotas::{LimitError, Limits},
    store::{S3Config, S3ConfigError},
};
use heimdex_models::image::DEFAULT_BATCH;
use secrecy::SecretString;

use crate::mail::MailConfig;

/// A variable that is missing or wrong.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{0} is not set")]
    Missing(&'static str),
    #[error("{name}: `{value}` is not {expected}")]
    Invalid { name: &'static str, value: String, expected: String },
    #[error(transparent)]
    Limit(#[from] LimitError),
    #[error(transparent)]
    S3(#[from] S3ConfigError),
}

/// Everything a worker is told from outside.
#[derive(Clone, Debug)]
pub struct Config {
    pub database_url: SecretString,
    pub s3: S3Config,
    pub scratch: ScratchConfig,
    pub models: ModelsConfig,
    /// Whether this deployment looks for faces at all.
    pub faces: bool,
    /// Where `/metrics` listens; `None` switches it off.
    pub metrics_bind: Option<SocketAddr>,
    /// Of this process; unique among all live ones.
    pub name: String,
    /// Which stages are served.
    pub stages: Vec<Stage>,
    /// How many jobs of a stage run at once; one where nothing is said.
    pub concurrency: HashMap<Stage, NonZeroUsize>,
    /// How long running stages may go on after a stop was asked for.
    pub grace: Duration,
    /// What each tier may use.
    pub limits: Limits,
    /// The program that is run as `media-child`; `None` is this program itself.
    pub media_child: Option<PathBuf>,
    /// `None`: this worker sends no mail.
    pub mail: Option<MailConfig>,
}

#[derive(Clone, Debug)]
pub struct ScratchConfig {
    pub dir: PathBuf,
    /// Over all files of this worker.
    pub max_bytes: u64,
}

/// More views in one run only take memory.
const MAX_IMAGE_BATCH: usize = 64;

/// Which model serves each kind; `None` switches the kind off.
#[derive(Clone, Debug)]
pub struct ModelsConfig {
    pub dir: PathBuf,
    pub asr: Option<String>,
    pub vad: Option<String>,
    pub text: Option<String>,
    pub image: Option<String>,
    pub ocr: Option<String>,
    /// Which tags there are; `None`: the built-in vocabulary.
    pub tags_file: Option<PathBuf>,
    pub face: Option<String>,
    pub expression: Option<String>,
    /// Threads of one inference, or inferences of one thread at once (faces). Some small models take one thread in any case.
    pub threads: usize,
    /// Pictures in one inference of the image model.
    pub image_batch: usize,
}

/// Where variables come from: the process' environment, or a map in tests.
pub trait Variables {
    fn get(&self, name: &'static str) -> Option<String>;
}

/// The process' environment. An empty variable counts as unset.
pub struct Environment;

impl Variables for Environment {
    fn get(&self, name: &'static str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }
}

impl Variables for HashMap<&'static str, String> {
    fn get(&self, name: &'static str) -> Option<String> {
        HashMap::get(self, name).cloned().filter(|value| !value.is_empty())
    }
}

impl Config {
    /// Reads every variable; the command line's choices come on top (see [`crate::cli`]).
    pub fn read(from: &impl Variables) -> Result<Self, ConfigError> {
        Ok(Self {
            database_url: from.get("DATABASE_URL").ok_or(ConfigError::Missing("DATABASE_URL"))?.into(),
            s3: S3Config::read(&|name| from.get(name))?,
            scratch: ScratchConfig {
                dir: from
                    .get("HEIMDEX_SCRATCH_DIR")
                    .map_or_else(|| std::env::temp_dir().join("heimdex-scratch"), PathBuf::from),
                max_bytes: optional(from, "HEIMDEX_SCRATCH_MAX_BYTES", "a number of bytes")?.unwrap_or(8 << 30),
            },
            models: ModelsConfig {
                dir: from
                    .get("HEIMDEX_MODELS_DIR")
                    .map(PathBuf::from)
                    .ok_or(ConfigError::Missing("HEIMDEX_MODELS_DIR"))?,
                asr: model(from, "HEIMDEX_ASR_MODEL", "whisper-tiny.en"),
                vad: model(from, "HEIMDEX_VAD_MODEL", "silero-vad-v6"),
                text: model(from, "HEIMDEX_TEXT_MODEL", "all-minilm-l6-v2"),
                image: model(from, "HEIMDEX_IMAGE_MODEL", "efficientnet-lite0-conse"),
                ocr: model(from, "HEIMDEX_OCR_MODEL", "pp-ocr-v6"),
                tags_file: from.get("HEIMDEX_TAGS_FILE").map(PathBuf::from),
                face: model(from, "HEIMDEX_FACE_MODEL", "blazeface-dlib"),
                expression: model(from, "HEIMDEX_EXPRESSION_MODEL", "fer-mini-xception"),
                threads: optional::<NonZeroUsize>(from, "HEIMDEX_MODEL_THREADS", "a number of threads")?
                    .map_or_else(cores, NonZeroUsize::get),
                image_batch: optional::<NonZeroUsize>(from, "HEIMDEX_IMAGE_BATCH", "a number of pictures")?
                    .map_or(DEFAULT_BATCH, |batch| batch.get().min(MAX_IMAGE_BATCH)),
            },
            faces: optional(from, "FEATURE_FACES", "true or false")?.unwrap_or(false),
            metrics_bind: match from.get("HEIMDEX_WORKER_METRICS_BIND").as_deref() {
                Some("none") => None,
                Some(value) => Some(parse("HEIMDEX_WORKER_METRICS_BIND", value, "an address and port, or `none`")?),
                None => Some(SocketAddr::from(([127, 0, 0, 1], 8482))),
            },
            name: default_name(),
            stages: Stage::ALL.to_vec(),
            concurrency: HashMap::new(),
            grace: Duration::from_secs(optional(from, "HEIMDEX_WORKER_GRACE_S", "a number of seconds")?.unwrap_or(20)),
            limits: Limits::read(&|name| from.get(name))?,
            media_child: None,
            mail: MailConfig::read(from)?,
        })
    }
}

fn parse<T: FromStr>(name: &'static str, value: &str, expected: impl Display) -> Result<T, ConfigError> {
    value.trim().parse().map_err(|_| ConfigError::Invalid {
        name,
        value: value.to_owned(),
        expected: expected.to_string(),
    })
}

fn optional<T: FromStr>(
    from: &impl Variables,
    name: &'static str,
    expected: &'static str,
) -> Result<Option<T>, ConfigError> {
    from.get(name).map(|value| parse(name, &value, expected)).transpose()
}

fn model(from: &impl Variables, name: &'static str, default: &str) -> Option<String> {
    Some(from.get(name).unwrap_or_else(|| default.to_owned())).filter(|id| id != "none")
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, NonZeroUsize::get)
}

/// `<host>-<pid>-<four random letters>`: a restarted container has its host and often its pid again.
fn default_name() -> String {
    let tail = uuid::Uuid::new_v4().simple().to_string();
    format!("{}-{}-{}", host(), std::process::id(), &tail[..4])
}

/// The machine's name, for people.
pub fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "localhost".to_owned(), |name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use heimdex_db::UserTier;

    use super::*;

    fn complete() -> HashMap<&'static str, String> {
        [
            ("DATABASE_URL", "postgres://u@localhost/db"),
            ("S3_ENDPOINT", "http://127.0.0.1:8490"),
            ("S3_ACCESS_KEY_ID", "key"),
            ("S3_SECRET_ACCESS_KEY", "secret"),
            ("HEIMDEX_MODELS_DIR", "/models"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into()
    }

    #[test]
    fn the_least_that_must_be_said_is_enough() {
        let config = Config::read(&complete()).unwrap();
        assert_eq!(config.models.asr.as_deref(), Some("whisper-tiny.en"));
        assert_eq!(config.models.image.as_deref(), Some("efficientnet-lite0-conse"));
        assert_eq!(config.stages.len(), 12);
        assert!(!config.faces, "faces are off until somebody switches them on");
        assert_eq!(config.limits.of(UserTier::Free).max_duration_s, Some(600));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for name in complete().into_keys() {
            let mut variables = complete();
            variables.remove(name);
            assert!(Config::read(&variables).unwrap_err().to_string().contains(name));
        }
        for (name, value) in [
            ("HEIMDEX_SCRATCH_MAX_BYTES", "much"),
            ("S3_ENDPOINT", "nowhere"),
            ("HEIMDEX_WORKER_METRICS_BIND", "here"),
            ("HEIMDEX_IMAGE_BATCH", "0"),
            ("FEATURE_FACES", "perhaps"),
            ("HEIMDEX_FREE_MAX_DURATION_S", "long"),
        ] {
            let mut variables = complete();
            variables.insert(name, value.to_owned());
            let message = Config::read(&variables).unwrap_err().to_string();
            assert!(message.contains(name) && message.contains(value), "{message}");
        }
    }

    #[test]
    fn a_kind_is_switched_off_with_none() {
        let mut variables = complete();
        variables.insert("HEIMDEX_ASR_MODEL", "none".to_owned());
        assert_eq!(Config::read(&variables).unwrap().models.asr, None);
    }
}
