//! Handing mail to SMTP (RFC 5321): one message, one connection, a deadline.

use std::time::Duration;

use heimdex_db::mail::Mail;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::config::{ConfigError, Variables};

/// For one answer of the server; the task's own deadline bounds the whole.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where mail goes out, and from whom.
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// `smtps://user:password@host`, `smtp://…?tls=required`, or, on this machine, `smtp://host:port`.
    url: SecretString,
    from: Mailbox,
}

/// Why a mail could not be handed over.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// It will not be taken another time either.
    #[error("the mail server refused it: {0}")]
    Refused(String),
    #[error("it cannot be written as a mail")]
    Unwritable(#[source] anyhow::Error),
    #[error("the mail server cannot be had")]
    Unreachable(#[from] lettre::transport::smtp::Error),
}

impl MailConfig {
    /// `None` without `HEIMDEX_SMTP_URL`.
    pub fn read(from: &impl Variables) -> Result<Option<Self>, ConfigError> {
        let Some(url) = from.get("HEIMDEX_SMTP_URL") else { return Ok(None) };
        // The value may hold a password and is not repeated.
        let wrong = |expected: &str| ConfigError::Invalid {
            name: "HEIMDEX_SMTP_URL",
            value: "…".to_owned(),
            expected: expected.to_owned(),
        };
        let parsed: Url = url.parse().map_err(|_| wrong("a URL"))?;
        let here = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let sealed = parsed.scheme() == "smtps"
            || parsed.query_pairs().any(|(name, value)| name == "tls" && value == "required");
        if parsed.password().is_some() && !sealed && !here {
            return Err(wrong("sealed: a password would be sent in the clear; use smtps:// or ?tls=required"));
        }
        let name = "HEIMDEX_SMTP_FROM";
        let sender = from.get(name).ok_or(ConfigError::Missing(name))?;
        let expected = "an address, as in `Heimdex <heimdex@example.org>`".to_owned();
        let this = Self {
            from: sender.parse().map_err(|_| ConfigError::Invalid { name, value: sender, expected })?,
            url: url.into(),
        };
        this.transport().map_err(|_| wrong("smtp://… or smtps://…"))?;
        Ok(Some(this))
    }

    fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, lettre::transport::smtp::Error> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(self.url.expose_secret())?;
        Ok(builder.timeout(Some(PATIENCE)).build())
    }

    /// Hands a mail over. A mail that is handed over twice, because a process died in between, has the same Message-ID.
    pub async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let unwritable = |error: anyhow::Error| MailError::Unwritable(error);
        let id =
            format!("<heimdex-{}-{}@{}>", mail.mail_id, mail.created_at.timestamp_micros(), self.from.email.domain());
        let message = Message::builder()
            .from(self.from.clone())
            .to(mail.recipient.parse().map_err(|error: lettre::address::AddressError| unwritable(error.into()))?)
            .subject(&mail.subject)
            .message_id(Some(id))
            .date(mail.created_at.into())
            .header(ContentType::TEXT_PLAIN)
            .body(mail.body.clone())
            .map_err(|error| unwritable(error.into()))?;
        match self.transport()?.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(MailError::Refused(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn read(url: &str, from: &str) -> Result<Option<MailConfig>, ConfigError> {
        let variables: HashMap<&'static str, String> =
            [("HEIMDEX_SMTP_URL", url.to_owned()), ("HEIMDEX_SMTP_FROM", from.to_owned())].into();
        MailConfig::read(&variables)
    }

    #[test]
    fn a_wrong_mail_server_is_named_and_its_password_is_not() {
        let me = "Heimdex <heimdex@example.org>";
        for good in [
            "smtp://127.0.0.1:2525",
            "smtps://u:secret@mail.example.org",
            "smtp://u:secret@mail.example.org?tls=required",
        ] {
            assert!(read(good, me).unwrap().is_some(), "{good}");
        }
        assert!(read("", me).unwrap().is_none());
        for (url, from, name) in [
            ("mail.example.org", me, "HEIMDEX_SMTP_URL"),
            ("https://u:secret@mail.example.org", me, "HEIMDEX_SMTP_URL"),
            ("smtp://u:secret@mail.example.org", me, "HEIMDEX_SMTP_URL"),
            ("smtp://127.0.0.1:2525", "nobody", "HEIMDEX_SMTP_FROM"),
            ("smtp://127.0.0.1:2525", "", "HEIMDEX_SMTP_FROM"),
        ] {
            let message = read(url, from).unwrap_err().to_string();
            assert!(message.contains(name) && !message.contains("secret"), "{message}");
        }
    }
}
