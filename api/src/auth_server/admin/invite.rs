//! `POST /invite`: an account for somebody who has not asked for it, and a mail that offers it.

use axum::{
    Json,
    extract::{RawQuery, State},
};
use heimdex_db::{
    audit::{self, Action, Actor, Event, Whom},
    auth_credentials,
};
use serde_json::Value;
use uuid::Uuid;

use super::{
    super::{
        Server,
        accounts::{self, NewAccount},
        body::{Body, query_value},
        error::AuthError,
        limits::Client,
        mails::{self, Letter},
    },
    Admin, user,
};

pub async fn invite(
    State(server): State<Server>,
    _admin: Admin,
    RawQuery(query): RawQuery,
    client: Client,
    body: Body,
) -> Result<Json<Value>, AuthError> {
    let (address, data) = (body.email()?, body.data()?);
    let redirect_to = server.links.redirect(query_value(query.as_deref(), "redirect_to").as_deref());
    let by = client.by(Actor::Project);
    let mut tx = server.pool.begin().await?;
    let account = match auth_credentials::find_by_email(&mut *tx, &address).await? {
        Some(account) if account.is_confirmed() => return Err(AuthError::email_exists()),
        Some(account) => account,
        None => {
            let new = NewAccount { id: Uuid::new_v4(), address: &address, password_hash: None, data, confirmed: false };
            accounts::create(&mut tx, new, &by).await?
        }
    };
    mails::send(&mut tx, &server, &account, Letter::Invitation { redirect_to: &redirect_to }).await?;
    audit::record(&mut *tx, &by, Event::new(Action::Invited, Whom::Account(account.id))).await?;
    let answer = user::present(&mut tx, account.id).await?;
    tx.commit().await?;
    Ok(answer)
}
