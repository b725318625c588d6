//! Turning the signing keys while people are signed in.

use heimdex_api::auth::own_keys::{KeyError, OwnKeys};
use heimdex_db::audit::By;
use serde_json::Value;

use crate::support::{App, PASSWORD, Person};

async fn published(app: &App) -> Vec<String> {
    let reply = app.anonymous("GET", "/auth/v1/.well-known/jwks.json", None).await;
    assert_eq!(reply.header("cache-control"), "public, max-age=600");
    let keys = reply.body["keys"].as_array().unwrap();
    for key in keys {
        assert_eq!(
            (key["kty"].as_str(), key["alg"].as_str(), key["use"].as_str()),
            (Some("EC"), Some("ES256"), Some("sig"))
        );
        assert_eq!((key.get("d"), key["key_ops"].clone()), (None, serde_json::json!(["verify"])));
    }
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// Until the running server has heard of it.
async fn until_published(app: &App, expected: &[&str]) {
    let mut expected: Vec<String> = expected.iter().map(|kid| (*kid).to_owned()).collect();
    expected.sort();
    for _ in 0..6000 {
        let mut kids = published(app).await;
        kids.sort();
        if kids == expected {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the server has not heard of {expected:?}");
}

fn kid_of(token: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn keys_turn_and_nobody_is_signed_out_before_the_old_one_is_revoked() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let first = kid_of(&ann.token);
    // The command works beside the running server.
    let command = OwnKeys::load_or_make(app.db.pool().clone()).await.unwrap();
    let by = By::command();
    assert!(matches!(command.rotate(false, &by).await, Err(KeyError::NoStandby)));
    let second = command.make_standby(&by).await.unwrap();
    assert!(matches!(command.make_standby(&by).await, Err(KeyError::StandbyExists(kid)) if kid == second));
    until_published(&app, &[&first, &second]).await;
    assert_eq!(
        kid_of(Person::new(&app, &app.sign_in(&ann.email, PASSWORD).await.body).token.as_str()),
        first,
        "standby does not sign"
    );
    // Not before everybody can know it.
    assert!(matches!(command.rotate(false, &by).await, Err(KeyError::TooEarly(_))));
    sqlx::query("UPDATE auth_signing_keys SET changed_at = now() - interval '21 minutes'")
        .execute(app.db.pool())
        .await
        .unwrap();
    assert_eq!(command.rotate(false, &by).await.unwrap(), second);

    let mut renewed = Person::new(&app, &app.refresh(&ann.refresh_token).await.body);
    while kid_of(&renewed.token) == first {
        renewed = Person::new(&app, &app.refresh(&renewed.refresh_token).await.body);
    }
    assert_eq!(kid_of(&renewed.token), second);
    renewed.get("/users/me").await.assert_status(200);
    ann.get("/users/me").await.assert_status(200);

    let hour = chrono::TimeDelta::hours(1);
    assert!(matches!(command.revoke(&second, hour, true, &by).await, Err(KeyError::InUse(_))));
    assert!(matches!(command.revoke("nothing", hour, true, &by).await, Err(KeyError::Unknown(_))));
    assert!(matches!(command.revoke(&first, hour, false, &by).await, Err(KeyError::TooEarly(_))));
    command.revoke(&first, hour, true, &by).await.unwrap();
    until_published(&app, &[&second]).await;
    let pem: String = sqlx::query_scalar("SELECT private_pem FROM auth_signing_keys WHERE state = 'revoked'")
        .fetch_one(app.db.pool())
        .await
        .unwrap();
    assert_eq!(pem, "", "the private half of a revoked key is gone");
    let states: Vec<String> = command.list().await.unwrap().into_iter().map(|key| key.state).collect();
    assert_eq!(states, ["in_use", "revoked"]);
    assert_eq!(app.noted("signing_keys_rotated").await, 4);
}
