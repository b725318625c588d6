//! How the embedded auth server behaves: what GoTrue takes from `GOTRUE_*`.

use std::time::Duration;

use heimdex_db::auth_sessions::Lifetime;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::config::{ConfigError, Env};

const DAY_S: u64 = 24 * 3600;

/// Read from the environment; meaningless where a Supabase project is configured.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where people are led when nothing better is known; by default the dashboard of this API.
    pub site_url: Option<Url>,
    /// Further places people may be led to; `*` stands for anything but `.` and `/`, `**` for anything.
    pub redirect_urls: Vec<String>,
    /// `sb_secret_…`: opens the admin calls. Without it they are closed.
    pub secret_key: Option<SecretString>,
    /// Whether strangers may sign up.
    pub signup: bool,
    /// Sign-ups are confirmed without a mail.
    pub autoconfirm: bool,
    /// Both mailboxes must agree to a change of address.
    pub secure_email_change: bool,
    /// A new password needs the present one, except in a session that a mail opened.
    pub require_current_password: bool,
    /// A new password needs a nonce from a mail where the session is older than a day.
    pub reauthenticate: bool,
    /// How long the six digits and the link are good.
    pub otp_ttl: Duration,
    /// Seconds an access token is good for.
    pub access_token_s: i64,
    pub sessions: Lifetime,
    /// Between two mails of a kind to one mailbox.
    pub mail_interval: Duration,
    /// Over all mailboxes.
    pub mails_per_hour: i32,
    /// Mail is handed to SMTP (by a worker); otherwise it stays in the outbox.
    pub smtp: bool,
    /// The dashboard on this machine may show the outbox.
    pub local_outbox: bool,
}

impl Settings {
    pub(crate) fn read(env: &Env<'_>) -> Result<Self, ConfigError> {
        let smtp = env.text("HEIMDEX_SMTP_URL").is_some();
        // The workers send; but it shows here first that nobody would know from whom.
        if smtp && env.text("HEIMDEX_SMTP_FROM").is_none() {
            return Err(ConfigError::Missing("HEIMDEX_SMTP_FROM"));
        }
        let seconds = |name, default: u64| -> Result<Duration, ConfigError> {
            Ok(Duration::from_secs(env.parse(name)?.unwrap_or(default)))
        };
        let limit = |name, default| -> Result<Option<Duration>, ConfigError> {
            Ok(Some(seconds(name, default)?).filter(|limit| !limit.is_zero()))
        };
        let flag = |name, default| -> Result<bool, ConfigError> { Ok(env.parse(name)?.unwrap_or(default)) };
        let access_token_s = env.parse("HEIMDEX_AUTH_ACCESS_TOKEN_S")?.unwrap_or(3600);
        if !(30..=604_800).contains(&access_token_s) {
            return Err(wrong("HEIMDEX_AUTH_ACCESS_TOKEN_S", "it is not from 30 to 604800"));
        }
        let otp_ttl = seconds("HEIMDEX_AUTH_OTP_S", 3600)?;
        if !(1..=DAY_S).contains(&otp_ttl.as_secs()) {
            return Err(wrong("HEIMDEX_AUTH_OTP_S", "it is not from 1 to 86400"));
        }
        Ok(Self {
            site_url: env.parse("HEIMDEX_SITE_URL")?,
            redirect_urls: env
                .text("HEIMDEX_AUTH_REDIRECT_URLS")
                .map(|list| list.split(',').map(|url| url.trim().to_owned()).filter(|url| !url.is_empty()).collect())
                .unwrap_or_default(),
            // A project's own is of whatever form the project gives it.
            secret_key: match env.text("SUPABASE_URL") {
                Some(_) => None,
                None => env.text("SUPABASE_SECRET_KEY").map(secret_key).transpose()?,
            },
            signup: flag("HEIMDEX_AUTH_SIGNUP", true)?,
            // Where mail goes out, an address is proved before it counts.
            autoconfirm: flag("HEIMDEX_AUTH_AUTOCONFIRM", !smtp)?,
            secure_email_change: flag("HEIMDEX_AUTH_SECURE_EMAIL_CHANGE", true)?,
            require_current_password: flag("HEIMDEX_AUTH_REQUIRE_CURRENT_PASSWORD", false)?,
            reauthenticate: flag("HEIMDEX_AUTH_REAUTHENTICATE", false)?,
            otp_ttl,
            access_token_s,
            sessions: Lifetime {
                at_most: limit("HEIMDEX_AUTH_SESSION_MAX_S", 0)?,
                idle: limit("HEIMDEX_AUTH_SESSION_IDLE_S", 30 * DAY_S)?,
            },
            mail_interval: seconds("HEIMDEX_AUTH_MAIL_INTERVAL_S", 60)?,
            mails_per_hour: env.parse("HEIMDEX_AUTH_MAILS_PER_HOUR")?.unwrap_or(if smtp { 30 } else { 1000 }),
            smtp,
            local_outbox: flag("HEIMDEX_LOCAL_OUTBOX", false)?,
        })
    }
}

fn secret_key(key: String) -> Result<SecretString, ConfigError> {
    // Short keys can be guessed; the prefix keeps a publishable key from being given the wrong power.
    if key.starts_with("sb_secret_") && key.len() >= 32 {
        Ok(key.into())
    } else {
        Err(wrong("SUPABASE_SECRET_KEY", "it does not begin with `sb_secret_`, or is shorter than 32 characters"))
    }
}

fn wrong(name: &'static str, reason: &str) -> ConfigError {
    ConfigError::Wrong { name, reason: reason.to_owned() }
}

/// Whether a key is the secret one; takes the same time however much of it is right.
pub fn is_secret_key(settings: &Settings, given: &str) -> bool {
    settings.secret_key.as_ref().is_some_and(|key| {
        aws_lc_rs::constant_time::verify_slices_are_equal(key.expose_secret().as_bytes(), given.as_bytes()).is_ok()
    })
}
