//! `heimdex search`: moments as a table, or the API's own answer with `--json`.

use serde_json::{Value, json};

use crate::{
    api::{Call, types::Hit, with_query},
    args,
    context::Context,
    failure::{Failure, Result},
    output::{
        caret, harmless, highlight, said,
        table::{Cell, Table},
        units::clock,
    },
};

/// The API's most.
const PAGE: u32 = 50;
/// Where there is no terminal to be measured.
const WIDTH: usize = 100;
/// Columns of text that are always left to what was said.
const LEAST_TEXT: usize = 24;

pub async fn run(cx: &Context<'_>, asked: &args::Search) -> Result<()> {
    let query = asked.query.join(" ");
    let limit = asked.open.map_or(asked.limit, |place| place.max(asked.limit));
    let answer = match ask(cx, asked, &query, limit).await {
        Err(failure) => {
            underline(cx, &failure, &query);
            return Err(failure);
        }
        other => other?,
    };
    if cx.out.json {
        return cx.out.document(&answer);
    }
    for note in answer["notes"].as_array().into_iter().flatten() {
        cx.out.say(&harmless(note["detail"].as_str().unwrap_or_default()));
    }
    for channel in answer["channels"].as_array().into_iter().flatten() {
        if let (Some(name), Some(status @ ("timeout" | "error"))) =
            (channel["channel"].as_str(), channel["status"].as_str())
        {
            let name = harmless(name);
            cx.out.say(&format!("Note: the channel “{name}” gave no answer ({status}); there may be more."));
        }
    }
    let hits: Vec<Hit> = serde_json::from_value(answer["items"].clone())?;
    if let Some(place) = asked.open {
        let hit = hits.get(place as usize - 1);
        let hit = hit.ok_or_else(|| Failure::NotFound(format!("There is no moment number {place}.")))?;
        return cx.out.line(&link(cx, hit));
    }
    if hits.is_empty() {
        cx.out.say("Nothing was found.");
        return Ok(());
    }
    for line in table(cx, &hits).render(cx.out.width) {
        cx.out.line(&line)?;
    }
    if answer["next_cursor"].is_string() {
        cx.out.say(&format!("There are more; --limit {} shows them.", limit.saturating_mul(2).min(500)));
    }
    Ok(())
}

/// The first page as the API gives it, with the items of further pages until there are enough.
async fn ask(cx: &Context<'_>, asked: &args::Search, query: &str, limit: u32) -> Result<Value> {
    let mut body = json!({ "query": query });
    if !asked.video.is_empty() {
        body["filters"] = json!({ "video_ids": asked.video.iter().map(|video| video.0).collect::<Vec<_>>() });
    }
    let mut whole: Option<Value> = None;
    let mut found = 0_u32;
    loop {
        body["limit"] = json!((limit - found).min(PAGE));
        let mut page = cx.api.json(&Call::post("/search", body.clone())).await?;
        found += page["items"].as_array().map_or(0, |items| u32::try_from(items.len()).unwrap_or(u32::MAX));
        let next = page["next_cursor"].clone();
        let is_empty = page["items"].as_array().is_none_or(Vec::is_empty);
        let answer = match whole.take() {
            None => page,
            Some(mut before) => {
                if let (Some(items), Value::Array(more)) = (before["items"].as_array_mut(), page["items"].take()) {
                    items.extend(more);
                }
                before["next_cursor"] = next.clone();
                before
            }
        };
        if found >= limit || is_empty || !next.is_string() {
            return Ok(answer);
        }
        body["cursor"] = next;
        whole = Some(answer);
    }
}

/// A mistake of the query language, shown where it is.
fn underline(cx: &Context<'_>, failure: &Failure, query: &str) {
    let Failure::Problem(problem) = failure else { return };
    let place = |name: &str| problem.extra.get(name)?.as_u64().and_then(|place| usize::try_from(place).ok());
    if let (Some(column), Some(end), false) = (place("column"), place("column_end"), cx.out.json) {
        for line in caret::underlined(query, column, end, cx.out.width.unwrap_or(WIDTH)) {
            said(&line);
        }
    }
}

/// The dashboard's page with the player at the moment.
fn link(cx: &Context<'_>, hit: &Hit) -> String {
    let at = hit.at_ms.to_string();
    cx.api.server.url(&with_query(&format!("/app/videos/{}", hit.video_id), &[("t", &*at)]))
}

fn table(cx: &Context<'_>, hits: &[Hit]) -> Table {
    let mut table = Table::new(&["TIME", "VIDEO", "WHY", "WHAT IS SAID"]).right(&[0]).gives_way(&[1, 2]);
    // What is said is cut around the word that was found, so it gets what the others leave.
    let room = cx.out.width.map(|width| (width / 2).max(LEAST_TEXT));
    for hit in hits {
        let (plain, printed) = highlight::excerpt(&hit.text, &hit.highlights, room);
        let text = if cx.out.color { Cell::styled(plain, printed) } else { plain.into() };
        table.row(vec![clock(hit.at_ms).into(), harmless(&hit.video_title).into(), why(hit).into(), text]);
    }
    table
}

/// The sentences of the channels that found it.
fn why(hit: &Hit) -> String {
    let sentences = hit.matches.iter().map(|found| match harmless(&found.detail) {
        empty if empty.is_empty() => found.channel.clone(),
        sentence => sentence,
    });
    sentences.collect::<Vec<_>>().join("; ")
}
