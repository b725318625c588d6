//! Mail: one letter of the outbox, to SMTP.
//! Reads: payload `{"mail_id"}`. Writes: when it was sent; its text goes. Again: not sent twice, unless a worker died between.

use heimdex_db::{ledger::Task, mail};
use serde::Deserialize;

use crate::{
    mail::MailError,
    stage::{Outcome, StageContext, StageError},
};

#[derive(Deserialize)]
struct Payload {
    mail_id: i64,
}

pub async fn run(cx: &StageContext, task: &Task) -> Result<Outcome, StageError> {
    let Payload { mail_id } = super::payload(task)?;
    let Some(config) = &cx.config().mail else {
        return Err(StageError::transient("no_smtp", anyhow::anyhow!("HEIMDEX_SMTP_URL is not set for this worker")));
    };
    let Some(letter) = mail::find(cx.db(), mail_id).await? else { return Ok(Outcome::nothing("expired")) };
    if letter.sent_at.is_some() {
        return Ok(Outcome::nothing("sent before"));
    }
    config.send(&letter).await.map_err(|error| match error {
        MailError::Unreachable(_) => StageError::transient("smtp", error),
        MailError::Refused(_) | MailError::Unwritable(_) => StageError::Rejected {
            code: "mail_refused".into(),
            message: "The mail server did not take the mail.".into(),
            detail: format!("{:#}", anyhow::Error::from(error)),
        },
    })?;
    let mut tx = cx.fenced_tx().await?;
    mail::mark_sent(&mut *tx, mail_id).await?;
    cx.commit(tx).await?;
    Ok(Outcome::done())
}
