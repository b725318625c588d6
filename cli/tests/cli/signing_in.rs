//! Who asks: by password, by token, by nobody.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::{App, Machine, PASSWORD, Ran, token};

#[tokio::test]
async fn by_password_the_session_is_kept_and_ends_with_logout() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let machine = Machine::of(&app);
    let wrong = machine.typed(&["login", "--email", &ann.email, "--password-stdin"], "wrong horse").await;
    wrong.ended(3).says("Invalid login credentials");
    assert!(!machine.credentials().exists());

    let login = machine.typed(&["login", &app.base, "--email", &ann.email, "--password-stdin"], PASSWORD).await;
    login.done();
    assert_eq!(login.out, format!("Signed in to {} as ann@example.org.\n", app.base));
    let mode = std::fs::metadata(machine.credentials()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let who = machine.run(&["whoami"]).await;
    assert!(who.done().out.contains("ann@example.org") && who.out.contains("0 of 3 today"), "{}", who.out);

    let kept = std::fs::read_to_string(machine.credentials()).unwrap();
    machine.run(&["logout"]).await.done();
    machine.run(&["whoami"]).await.ended(3).says("Nobody is signed in");
    // The session is over at the server too, not only forgotten.
    std::fs::write(machine.credentials(), kept).unwrap();
    machine.run(&["whoami"]).await.ended(3);
}

#[tokio::test]
async fn by_token_and_the_environment_goes_before_what_is_kept() {
    let app = App::start().await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    let machine = Machine::of(&app);
    machine.typed(&["login", "--token-stdin"], "hx_nobodys").await.ended(3);
    let login = machine.typed(&["login", "--token-stdin", "--json"], &token(&ann, &["read"]).await).await;
    assert_eq!(login.done().json(), json!({ "server": app.base, "signed_in_by": "token", "email": "ann@example.org" }));
    let email = |who: Value| who["user"]["email"].clone();
    assert_eq!(email(machine.run(&["whoami", "--json"]).await.done().json()), "ann@example.org");
    let bens = token(&ben, &["read"]).await;
    assert_eq!(email(machine.run_with_token(&bens, &["whoami", "--json"]).await.done().json()), "ben@example.org");
    machine.run_with_token("hx_revoked", &["whoami"]).await.ended(3).says("unknown, expired or revoked");
}

#[tokio::test]
async fn two_commands_that_renew_a_session_at_once_trade_its_token_once() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let machine = Machine::signed_in(&app, &ann).await;
    let mut kept: Value = serde_json::from_slice(&std::fs::read(machine.credentials()).unwrap()).unwrap();
    let before = kept["servers"][&app.base].clone();
    kept["servers"][&app.base]["expires_at"] = json!(0);
    std::fs::write(machine.credentials(), kept.to_string()).unwrap();

    let (one, two, three) = tokio::join!(machine.run(&["whoami"]), machine.run(&["videos"]), machine.run(&["status"]));
    for ran in [one, two, three] {
        ran.done();
    }
    let kept: Value = serde_json::from_slice(&std::fs::read(machine.credentials()).unwrap()).unwrap();
    assert_ne!(kept["servers"][&app.base]["refresh_token"], before["refresh_token"]);
    let renewed: i64 =
        sqlx::query_scalar("SELECT max(refresh_counter) FROM auth_sessions").fetch_one(app.db.pool()).await.unwrap();
    assert_eq!(renewed, 1);
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_and_what_cannot_be_meant_is_refused() {
    let app = App::start().await;
    let machine = Machine::of(&app);
    for words in [&["videos"][..], &["search", "rain"], &["status"], &["export", "--account"]] {
        machine.run(words).await.ended(3).says("heimdex login");
    }
    let error: Value = serde_json::from_str(&machine.run(&["videos", "--json"]).await.ended(3).err).unwrap();
    assert_eq!(error["error"]["exit_code"], 3);
    machine.run(&["login", "http://example.org", "--email", "a@b.c"]).await.ended(2).says("--insecure-http");
    machine.run(&["status", "rain.mp4"]).await.ended(2);
    machine.run(&["nonsense"]).await.ended(2);
    // Somebody listens there, but no Heimdex.
    machine.run(&["login", &format!("{}/app", app.s3.endpoint()), "--token"]).await.ended(7);
    machine.run(&["--server", "http://127.0.0.1:1", "login", "--token"]).await.ended(7).says("cannot be reached");
    assert!(!machine.credentials().exists());
}

#[tokio::test]
async fn a_reader_who_has_enough_ends_it_quietly() {
    let app = App::start().await;
    let machine = Machine::of(&app);
    let mut command = machine.command(&["completions", "bash"]);
    let mut child = command.spawn().unwrap();
    // Closed before anything is written or in the midst of it: either is quiet.
    drop(child.stdout.take());
    let ended = child.wait_with_output().await.unwrap();
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(0), ""));
    let script = machine.run(&["completions", "zsh"]).await;
    assert!(script.done().out.starts_with("#compdef heimdex"), "{}", script.out);
}

#[tokio::test]
async fn a_proxy_does_not_see_what_is_meant_for_this_machine() {
    let app = App::start().await;
    let ann = app.user("ann").await;
    let machine = Machine::signed_in(&app, &ann).await;
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut command = machine.command(&["whoami"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(name, &address);
    }
    Ran::from(command.output().await.unwrap()).done();
    proxy.set_nonblocking(true).unwrap();
    assert!(proxy.accept().is_err(), "the session's token went to the proxy");
}
