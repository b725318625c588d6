//! Who may look after the installation, and the history of what they did.

use heimdex_db::{
    DbError,
    audit::By,
    role_profiles::{self, RoleType},
};
use serde_json::{Value, json};

use crate::support::{App, Person};

/// What `heimdex-api grant` does.
async fn grant(app: &App, person: &Person, role: RoleType) {
    let mut tx = app.db.pool().begin().await.unwrap();
    let user = role_profiles::only_by_email(&mut *tx, &person.email).await.unwrap();
    role_profiles::grant(&mut tx, user, role, None, &By::command()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn id(person: &Person) -> String {
    person.get("/users/me").await.body["user_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn only_the_table_makes_an_operator() {
    let app = App::start().await;
    // Whatever they say of themselves.
    let session = app
        .sign_up(&json!({ "email": "eve@example.org", "password": "correct horse battery",
            "data": { "name": "Eve", "role_profiles": ["admin"], "is_admin": true } }))
        .await;
    let eve = Person::new(&app, &session.assert_status(200).body);
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    grant(&app, &ann, RoleType::Operator).await;
    let someone = id(&ben).await;
    for path in ["/admin/users", "/admin/audit"] {
        eve.get(path).await.assert_problem(403, "forbidden");
        app.anonymous("GET", path, None).await.assert_problem(401, "unauthenticated");
        // Her token is older than the grant: the table counts.
        ann.get(path).await.assert_status(200);
    }
    // An operator looks, an admin decides.
    let change = json!({ "role_profiles": { "operator": true } });
    for person in [&eve, &ann] {
        person.patch(&format!("/admin/users/{someone}"), change.clone()).await.assert_problem(403, "forbidden");
    }
    grant(&app, &ann, RoleType::Admin).await;
    let changed = ann
        .patch(&format!("/admin/users/{someone}"), json!({ "role_profiles": { "operator": true }, "tier": "pro" }))
        .await;
    assert_eq!(changed.assert_status(200).body["role_profiles"], json!(["member", "operator"]));
    assert_eq!(changed.body["tier"], "pro");
    ben.get("/admin/users").await.assert_status(200);
    ann.patch(&format!("/admin/users/{someone}"), json!({ "role_profiles": { "operator": false } }))
        .await
        .assert_status(200);
    ben.get("/admin/users").await.assert_problem(403, "forbidden");
    // A switched-off row is none.
    for (path, body, code) in [
        (format!("/admin/users/{someone}"), json!({ "role_profiles": { "king": true } }), 400),
        (format!("/admin/users/{someone}"), json!({ "tier": "gold" }), 400),
        (format!("/admin/users/{}", uuid::Uuid::new_v4()), change.clone(), 404),
        ("/admin/users/me".to_owned(), change.clone(), 404),
    ] {
        assert_eq!(ann.patch(&path, body).await.status, code, "{path}");
    }
}

#[tokio::test]
async fn the_last_admin_stays() {
    let app = App::start().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    grant(&app, &ann, RoleType::Admin).await;
    let (anns, bens) = (id(&ann).await, id(&ben).await);
    let resign = json!({ "role_profiles": { "admin": false } });
    let refused = ann.patch(&format!("/admin/users/{anns}"), resign.clone()).await;
    assert_eq!(refused.assert_problem(409, "conflict").body["conflict"], "last_admin");
    ann.delete("/users/me").await.assert_problem(409, "conflict");
    let mut tx = app.db.pool().begin().await.unwrap();
    let refused = role_profiles::revoke(&mut tx, anns.parse().unwrap(), RoleType::Admin, &By::command()).await;
    assert!(matches!(refused, Err(DbError::Conflict("last_admin"))));
    drop(tx);
    // Two admins who remove one another at once: one of them stays.
    ann.patch(&format!("/admin/users/{bens}"), json!({ "role_profiles": { "admin": true } })).await.assert_status(200);
    let (of_ben, of_ann) = (format!("/admin/users/{bens}"), format!("/admin/users/{anns}"));
    let (one, two) = tokio::join!(ann.patch(&of_ben, resign.clone()), ben.patch(&of_ann, resign.clone()));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    // The second is told so, or is no admin any more when it is looked at.
    assert!(statuses[0] == 200 && matches!(statuses[1], 403 | 409), "{statuses:?}");
    let admins: i64 =
        sqlx::query_scalar("SELECT count(*) FROM user_role_profiles WHERE role_type = 'admin' AND enabled")
            .fetch_one(app.db.pool())
            .await
            .unwrap();
    assert_eq!(admins, 1);
}

#[tokio::test]
async fn accounts_are_listed_a_page_at_a_time() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    grant(&app, &ann, RoleType::Operator).await;
    for n in 0..5 {
        app.user(&format!("person{n}")).await;
    }
    app.user("gone").await.delete("/users/me").await.assert_status(202);
    let (mut emails, mut path) = (Vec::new(), "/admin/users?limit=2&q=PERSON".to_owned());
    loop {
        let page = ann.get(&path).await.assert_status(200).body.clone();
        emails.extend(page["items"].as_array().unwrap().iter().map(|item| item["email"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/admin/users?limit=2&q=PERSON&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(emails, (0..5).rev().map(|n| format!("person{n}@example.org")).collect::<Vec<_>>());
    let operators = ann.get("/admin/users?role_profile=operator").await.body;
    assert_eq!(operators["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&operators["items"][0]["email"], &operators["items"][0]["video_count"]),
        (&json!("ann@example.org"), &json!(0))
    );
    let dead = ann.get("/admin/users?deleted=true").await.body;
    assert_eq!((dead["items"].as_array().unwrap().len(), &dead["items"][0]["email"]), (1, &Value::Null));
    for wrong in ["limit=0", "limit=101", "role_profile=king", "tier=gold", "cursor=x", "q=%00"] {
        assert_eq!(ann.get(&format!("/admin/users?{wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn everything_that_changes_an_account_is_in_the_history() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    grant(&app, &ann, RoleType::Admin).await;
    let ben = app.user("ben").await;
    let bens = id(&ben).await;
    ben.patch("/users/me", json!({ "display_name": "Benjamin" })).await.assert_status(200);
    // The same again changes nothing.
    ben.patch("/users/me", json!({ "display_name": "Benjamin" })).await.assert_status(200);
    let made = ben.post("/users/me/tokens", json!({ "name": "script", "scopes": ["read"] })).await;
    let script = made.assert_status(201).body["token"].as_str().unwrap().to_owned();
    ben.delete(&format!("/users/me/tokens/{}", made.body["token_id"].as_str().unwrap())).await.assert_status(204);
    ben.get("/users/me/export").await.assert_status(200);
    ann.patch(&format!("/admin/users/{bens}"), json!({ "tier": "pro", "role_profiles": { "operator": true } }))
        .await
        .assert_status(200);
    ben.delete("/users/me").await.assert_status(202);

    let history = ann.get(&format!("/admin/audit?subject_id={bens}&limit=200")).await;
    let lines = history.assert_status(200).body["items"].as_array().unwrap().clone();
    let actions: Vec<_> = lines.iter().rev().map(|line| line["action"].as_str().unwrap()).collect();
    let expected = [
        "profile_changed",
        "api_token_made",
        "api_token_revoked",
        "account_exported",
        "role_profile_granted",
        "tier_set",
        "account_deleted",
    ];
    let of_these: Vec<_> = actions.iter().filter(|action| expected.contains(action)).copied().collect();
    assert_eq!(of_these, expected, "{actions:?}");
    assert!(!history.text.contains(&script) && !history.text.contains(&script[3..]), "a secret is in the history");
    let line = |action: &str| lines.iter().find(|line| line["action"] == action).unwrap();
    assert_eq!(
        (&line("profile_changed")["before"]["display_name"], &line("profile_changed")["after"]["display_name"]),
        (&json!("ben"), &json!("Benjamin"))
    );
    assert_eq!(
        (&line("tier_set")["before"], &line("tier_set")["after"]),
        (&json!({ "tier": "free" }), &json!({ "tier": "pro" }))
    );
    assert_eq!(
        (&line("tier_set")["actor_email"], &line("tier_set")["actor_kind"]),
        (&json!("ann@example.org"), &json!("person"))
    );
    assert_eq!(line("account_deleted")["ip"], "127.0.0.1");
    assert!(line("account_deleted")["request_id"].is_string());

    // By pages and by action; the command on the host is told from people.
    let first = ann.get("/admin/audit?action=role_profile_granted&limit=1").await.body;
    assert_eq!(first["items"][0]["subject_id"], bens);
    let next = ann
        .get(&format!(
            "/admin/audit?action=role_profile_granted&limit=1&cursor={}",
            first["next_cursor"].as_str().unwrap()
        ))
        .await
        .body;
    assert_eq!((&next["items"][0]["actor_kind"], &next["next_cursor"]), (&json!("command"), &Value::Null));
    for wrong in ["action=nothing", "limit=0", "cursor=x", "subject_id=x", "since=yesterday"] {
        assert_eq!(ann.get(&format!("/admin/audit?{wrong}")).await.status, 400, "{wrong}");
    }
}
