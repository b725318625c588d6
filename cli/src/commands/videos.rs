//! `heimdex videos`: the library as a list.

use serde_json::{Value, json};

use crate::{
    api::{types::Video, with_query},
    args::{self, Sort, State},
    context::Context,
    failure::Result,
    output::{
        Out, harmless,
        table::{Cell, Table},
        units::{clock, size, when},
    },
};

/// The API's most.
const PAGE: u32 = 100;

pub async fn run(cx: &Context<'_>, asked: &args::Videos) -> Result<()> {
    let state = asked.state.map_or("", |state| match state {
        State::Uploading => "uploading",
        State::Validating => "validating",
        State::Processing => "processing",
        State::Indexed => "indexed",
        State::Failed => "failed",
    });
    let sort = match asked.sort {
        Sort::Newest => "newest",
        Sort::Oldest => "oldest",
        Sort::Title => "title",
    };
    let title = asked.title.as_deref().unwrap_or("");
    let (mut items, mut cursor) = (Vec::new(), String::new());
    let wanted = asked.limit as usize;
    let more = loop {
        let limit = (asked.limit - u32::try_from(items.len()).unwrap_or(0)).min(PAGE).to_string();
        let query = [("limit", &*limit), ("state", state), ("q", title), ("sort", sort), ("cursor", &*cursor)];
        let mut page = cx.api.get(&with_query("/videos", &query)).await?;
        if let Value::Array(found) = page["items"].take() {
            items.extend(found);
        }
        match page["next_cursor"].as_str() {
            Some(next) if items.len() < wanted => next.clone_into(&mut cursor),
            next => break next.is_some(),
        }
    };
    if cx.out.json {
        return cx.out.document(&json!({ "items": items, "has_more": more }));
    }
    if items.is_empty() {
        cx.out.say("There are no such videos.");
        return Ok(());
    }
    let videos = items.into_iter().map(serde_json::from_value).collect::<serde_json::Result<Vec<Video>>>()?;
    for line in table(&videos, cx.out).render(cx.out.width) {
        cx.out.line(&line)?;
    }
    if more {
        cx.out.say(&format!("There are more; --limit {} shows them.", asked.limit.saturating_mul(2)));
    }
    Ok(())
}

fn table(videos: &[Video], out: &Out) -> Table {
    let mut table = Table::new(&["VIDEO", "TITLE", "STATE", "LENGTH", "SIZE", "ADDED"]).right(&[3, 4]).gives_way(&[1]);
    for video in videos {
        let state = state_of(video);
        let style = if video.state == "failed" { "31" } else { "0" };
        table.row(vec![
            video.video_id.to_string().into(),
            harmless(&video.title).into(),
            Cell::styled(state.clone(), out.styled(style, &state)),
            video.duration_ms.map_or("–".into(), clock).into(),
            size(video.size_bytes).into(),
            when(&video.created_at).into(),
        ]);
    }
    table
}

/// With how far it is, where something is going on.
pub fn state_of(video: &Video) -> String {
    match &video.progress {
        Some(progress) => format!("{} {} %", video.state, progress.percent),
        None => video.state.clone(),
    }
}
