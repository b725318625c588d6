//! The environment, read once at start into types. A wrong value stops the process and names the variable.

use std::{net::SocketAddr, path::PathBuf};

use heimdex_db::{
    quotas::{LimitError, Limits},
    store::{S3Config, S3ConfigError},
};
use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

use crate::auth_server::settings::Settings;

/// A variable that is missing or wrong.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{0} is not set")]
    Missing(&'static str),
    #[error("{name} is wrong: {reason}")]
    Wrong { name: &'static str, reason: String },
    #[error(transparent)]
    Limit(#[from] LimitError),
    #[error(transparent)]
    S3(#[from] S3ConfigError),
}

/// Everything `serve` needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    pub database_url: SecretString,
    pub s3: S3Config,
    pub auth: AuthConfig,
    /// Where the API listens; used by `main` only.
    pub bind: SocketAddr,
    /// Where the metrics listen, on their own.
    pub metrics_bind: SocketAddr,
    /// What browsers reach the API by. Without it, the request's own origin is used.
    pub public_url: Option<Url>,
    /// The built web app, if this process serves it.
    pub web_dir: Option<PathBuf>,
    pub models_dir: PathBuf,
    /// Id of the text model, or `None` to search by words alone.
    pub text_model: Option<String>,
    /// Id of the image model, or `None` to search without what is seen.
    pub image_model: Option<String>,
    /// Id of the dictionary that queries in other languages are read with for models of English, or `None`.
    pub dictionary: Option<String>,
    /// The program that is run as `media-child` to read pictures; `None` is this program itself.
    pub media_child: Option<PathBuf>,
    pub trusted_proxies: Vec<IpNet>,
    pub features: Features,
    /// What each tier may use.
    pub limits: Limits,
    pub database_connections: u32,
}

#[derive(Clone, Copy, Debug)]
pub struct Features {
    pub faces: bool,
}

/// Whose tokens are taken.
#[derive(Clone, Debug)]
pub struct AuthConfig {
    /// The Supabase project; without it the embedded auth server is on.
    pub supabase_url: Option<Url>,
    /// Given to the web app; never checked here.
    pub publishable_key: String,
    /// Turns HS256 on.
    pub legacy_jwt_secret: Option<SecretString>,
    /// Of the database webhook; without it there is none.
    pub webhook_secret: Option<SecretString>,
    /// Service role or secret key, for `sync-users` alone.
    pub secret_key: Option<SecretString>,
    /// `iss` must be this, exactly. With a Supabase project and no value: `{SUPABASE_URL}/auth/v1`.
    pub issuer: Option<String>,
    pub audience: String,
    /// Of the embedded auth server.
    pub embedded: Settings,
}

impl AuthConfig {
    pub fn is_embedded(&self) -> bool {
        self.supabase_url.is_none()
    }
}

/// Looks a variable up; empty counts as unset.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Config {
    /// Reads the process' environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(&|name| std::env::var(name).ok())
    }

    /// Reads from any source of variables.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        let env = Env(lookup);
        let supabase_url: Option<Url> = env.parse("SUPABASE_URL")?;
        let config = Self {
            database_url: env.text("DATABASE_URL").ok_or(ConfigError::Missing("DATABASE_URL"))?.into(),
            s3: S3Config::read(&|name| (env.0)(name))?,
            auth: AuthConfig {
                publishable_key: match env.text("SUPABASE_PUBLISHABLE_KEY") {
                    Some(key) => key,
                    None if supabase_url.is_some() => return Err(ConfigError::Missing("SUPABASE_PUBLISHABLE_KEY")),
                    None => "sb_publishable_heimdex".into(),
                },
                legacy_jwt_secret: env.long_secret("SUPABASE_JWT_SECRET", 32)?,
                webhook_secret: env.long_secret("SUPABASE_WEBHOOK_SECRET", 16)?,
                secret_key: env.text("SUPABASE_SECRET_KEY").map(Into::into),
                issuer: env.text("SUPABASE_JWT_ISSUER").or_else(|| supabase_url.as_ref().map(issuer_of)),
                audience: env.text("SUPABASE_JWT_AUDIENCE").unwrap_or_else(|| "authenticated".into()),
                embedded: Settings::read(&env)?,
                supabase_url,
            },
            bind: env.parse("HEIMDEX_API_BIND")?.unwrap_or_else(|| ([127, 0, 0, 1], 8480).into()),
            metrics_bind: loopback(
                "HEIMDEX_METRICS_BIND",
                env.parse("HEIMDEX_METRICS_BIND")?.unwrap_or_else(|| ([127, 0, 0, 1], 8481).into()),
            )?,
            public_url: env.parse("HEIMDEX_PUBLIC_URL")?,
            web_dir: env.text("HEIMDEX_WEB_DIR").map(PathBuf::from),
            models_dir: env.text("HEIMDEX_MODELS_DIR").map_or_else(|| PathBuf::from("models"), PathBuf::from),
            text_model: env.model("HEIMDEX_TEXT_MODEL", "all-minilm-l6-v2"),
            image_model: env.model("HEIMDEX_IMAGE_MODEL", "efficientnet-lite0-conse"),
            dictionary: env.model("HEIMDEX_DICTIONARY", "words-in-english"),
            media_child: env.text("HEIMDEX_MEDIA_CHILD").map(PathBuf::from),
            trusted_proxies: env.list("HEIMDEX_TRUSTED_PROXIES")?,
            features: Features { faces: env.parse("FEATURE_FACES")?.unwrap_or(false) },
            limits: Limits::read(&|name| (env.0)(name))?,
            database_connections: env.parse("HEIMDEX_API_DATABASE_CONNECTIONS")?.unwrap_or(16),
        };
        config.check_local_outbox()?;
        Ok(config)
    }

    /// Mails open accounts. They may be shown without signing in only where nobody but this machine's people can look.
    fn check_local_outbox(&self) -> Result<(), ConfigError> {
        let wrong = |reason: &str| Err(ConfigError::Wrong { name: "HEIMDEX_LOCAL_OUTBOX", reason: reason.to_owned() });
        if !self.auth.embedded.local_outbox {
            return Ok(());
        }
        if !self.auth.is_embedded() {
            return wrong("SUPABASE_URL is set, so there is no outbox");
        }
        if self.auth.embedded.smtp {
            return wrong("HEIMDEX_SMTP_URL is set, so mails are sent");
        }
        if !self.bind.ip().is_loopback() {
            return wrong("HEIMDEX_API_BIND is not a loopback address");
        }
        if !self.public_url.as_ref().is_none_or(is_loopback_url) {
            return wrong("HEIMDEX_PUBLIC_URL is not on this machine");
        }
        Ok(())
    }
}

/// Whether an address names this machine for itself.
pub(crate) fn is_loopback_url(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// What GoTrue of a Supabase project puts into `iss`.
fn issuer_of(url: &Url) -> String {
    format!("{}/auth/v1", url.as_str().trim_end_matches('/'))
}

/// Metrics tell much about an installation and have no authentication.
fn loopback(name: &'static str, address: SocketAddr) -> Result<SocketAddr, ConfigError> {
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err(ConfigError::Wrong { name, reason: format!("{address} is not a loopback address") })
}

/// Where variables are looked up.
pub(crate) struct Env<'a>(Lookup<'a>);

impl Env<'_> {
    pub(crate) fn text(&self, name: &'static str) -> Option<String> {
        (self.0)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A model's id; `none` switches the kind off.
    fn model(&self, name: &'static str, default: &str) -> Option<String> {
        Some(self.text(name).unwrap_or_else(|| default.to_owned())).filter(|id| id != "none")
    }

    /// One that cannot be guessed: whoever has it is believed.
    fn long_secret(&self, name: &'static str, at_least: usize) -> Result<Option<SecretString>, ConfigError> {
        match self.text(name) {
            Some(secret) if secret.len() < at_least => {
                Err(ConfigError::Wrong { name, reason: format!("it must have at least {at_least} characters") })
            }
            secret => Ok(secret.map(Into::into)),
        }
    }

    pub(crate) fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, ConfigError> {
        self.text(name)
            .map(|value| value.parse().map_err(|e: T::Err| ConfigError::Wrong { name, reason: e.to_string() }))
            .transpose()
    }

    /// Comma-separated networks or single addresses.
    fn list(&self, name: &'static str) -> Result<Vec<IpNet>, ConfigError> {
        let text = self.text(name).unwrap_or_default();
        text.split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(|item| {
                item.parse::<IpNet>().or_else(|_| item.parse::<std::net::IpAddr>().map(IpNet::from)).map_err(|_| {
                    ConfigError::Wrong { name, reason: format!("`{item}` is neither an address nor a network") }
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minimal(name: &str) -> Option<String> {
        Some(
            match name {
                "DATABASE_URL" => "postgres://u@localhost/x",
                "S3_ENDPOINT" => "http://127.0.0.1:8490",
                "S3_ACCESS_KEY_ID" | "S3_SECRET_ACCESS_KEY" => "key",
                _ => return None,
            }
            .to_owned(),
        )
    }

    #[test]
    fn the_embedded_default_needs_four_variables() {
        let config = Config::read(&minimal).unwrap();
        assert!(config.auth.is_embedded());
        assert_eq!(config.s3.public_endpoint, config.s3.endpoint);
        assert_eq!(config.text_model.as_deref(), Some("all-minilm-l6-v2"));
        assert_eq!(config.image_model.as_deref(), Some("efficientnet-lite0-conse"));
        assert_eq!(config.dictionary.as_deref(), Some("words-in-english"));
    }

    #[test]
    fn a_wrong_value_names_its_variable() {
        for (name, value) in [
            ("S3_ENDPOINT", "not a url"),
            ("HEIMDEX_API_BIND", "here"),
            ("HEIMDEX_METRICS_BIND", "0.0.0.0:9000"),
            ("HEIMDEX_TRUSTED_PROXIES", "10.0.0.0/8, nobody"),
            ("FEATURE_FACES", "perhaps"),
            ("HEIMDEX_AUTH_OTP_S", "0"),
            ("HEIMDEX_AUTH_AUTOCONFIRM", "yes"),
            ("SUPABASE_SECRET_KEY", "sb_secret_short"),
            ("SUPABASE_SECRET_KEY", "a key that is long enough but of another kind"),
            ("SUPABASE_JWT_SECRET", "short"),
            ("SUPABASE_WEBHOOK_SECRET", "short"),
            ("HEIMDEX_PRO_UPLOADS_PER_DAY", "many"),
        ] {
            let error = Config::read(&|n| if n == name { Some(value.into()) } else { minimal(n) }).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn mails_are_shown_without_signing_in_on_this_machine_only() {
        let with = |name: &'static str, value: &'static str| {
            Config::read(&move |n| match n {
                "HEIMDEX_LOCAL_OUTBOX" => Some("true".into()),
                "HEIMDEX_SMTP_FROM" => Some("heimdex@example.org".into()),
                n if n == name => Some(value.into()),
                n => minimal(n),
            })
        };
        assert!(with("HEIMDEX_PUBLIC_URL", "http://localhost:8480").is_ok());
        for (name, value) in [
            ("HEIMDEX_SMTP_URL", "smtp://mail.example.org"),
            ("HEIMDEX_API_BIND", "0.0.0.0:8480"),
            ("HEIMDEX_PUBLIC_URL", "https://heimdex.example.org"),
        ] {
            let error = with(name, value).unwrap_err().to_string();
            assert!(error.contains("HEIMDEX_LOCAL_OUTBOX"), "{error}");
        }
    }

    #[test]
    fn a_supabase_project_sets_the_issuer() {
        let config = Config::read(&|n| match n {
            "SUPABASE_URL" => Some("https://abc.supabase.co/".into()),
            "SUPABASE_PUBLISHABLE_KEY" => Some("sb_publishable_x".into()),
            _ => minimal(n),
        })
        .unwrap();
        assert_eq!(config.auth.issuer.as_deref(), Some("https://abc.supabase.co/auth/v1"));
    }
}
