//! `heimdex whoami`: the person, and what they have used of what they may.

use serde_json::json;

use crate::{
    context::Context,
    failure::Result,
    output::{
        harmless,
        units::{clock, size, when},
    },
};

pub async fn run(cx: &Context<'_>) -> Result<()> {
    let (user, usage) = tokio::try_join!(cx.api.get("/users/me"), cx.api.get("/users/me/usage"))?;
    if cx.out.json {
        return cx.out.document(&json!({ "server": cx.api.server.as_str(), "user": user, "usage": usage }));
    }
    let text = |name: &str| user[name].as_str().map(harmless).unwrap_or_default();
    let number = |name: &str| usage[name].as_u64().unwrap_or(0);
    let uploads = &usage["uploads_today"];
    let used = uploads["used"].as_u64().unwrap_or(0);
    let today = match uploads["limit"].as_u64() {
        Some(limit) => {
            format!(
                "{used} of {limit} today, again from {}",
                uploads["resets_at"].as_str().map(|at| when(&harmless(at))).unwrap_or_default()
            )
        }
        None => format!("{used} today, no limit"),
    };
    let longest =
        usage["max_duration_s"].as_u64().map_or("any length".into(), |s| format!("up to {}", clock(s * 1000)));
    for (name, value) in [
        ("Server", cx.api.server.as_str().to_owned()),
        ("Name", text("display_name")),
        ("Email", text("email")),
        ("Tier", text("tier")),
        ("Videos", format!("{}, {}", number("video_count"), size(number("storage_bytes")))),
        ("Uploads", today),
        ("A video", format!("up to {}, {longest}", size(number("max_size_bytes")))),
    ] {
        cx.out.line(&format!("{}{value}", cx.out.styled("2", &format!("{name:<9}"))))?;
    }
    Ok(())
}
