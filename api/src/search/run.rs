//! One search: channels at once, fused, a page cut out, the hits loaded.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use heimdex_db::{
    DbError, UserId,
    search::{self, Candidate, Embedding, Filters, HitRow, Near, Written},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    fusion::{Fused, Ranked, cap_groups, fuse},
    moment::{Span, Spoken, moment, spans},
};
use crate::{error::ApiError, routes::videos::shape::signed, state::AppState, text_model::NoVector};

/// A channel may take so long; then the others answer without it.
const DEADLINE: Duration = Duration::from_secs(2);
/// Scenes a channel offers to be fused.
const CANDIDATES: i64 = 200;
/// Cosine similarity below which a sentence says something else (all-MiniLM-L6-v2; unrelated sentences are around 0.0–0.15).
const FLOOR: f64 = 0.18;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    Words,
    Meaning,
    Written,
}

impl Channel {
    pub const ALL: [Self; 3] = [Self::Words, Self::Meaning, Self::Written];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Meaning => "meaning",
            Self::Written => "written",
        }
    }

    /// By role a person may weigh differently one day; what was said word for word is the surest.
    pub const fn default_weight(self) -> f64 {
        match self {
            Self::Words => 1.5,
            Self::Meaning => 1.0,
            Self::Written => 1.25,
        }
    }
}

/// What is asked, parsed.
#[derive(Clone, Debug)]
pub struct Question {
    pub text: String,
    pub channels: Vec<(Channel, f64)>,
    pub filters: Filters,
    pub per_video: usize,
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<After>,
}

/// The last hit of a page: the next begins behind it, or, if it is gone, at its place.
#[derive(Clone, Copy, Debug)]
pub struct After {
    pub scene_id: Uuid,
    pub place: usize,
}

#[derive(Serialize, ToSchema)]
pub struct ChannelReport {
    /// `words`, `meaning` or `written`
    channel: &'static str,
    /// `ok`, `skipped` (no model), `timeout` or `error`
    status: &'static str,
    candidates: usize,
    took_ms: u64,
}

#[derive(Serialize, ToSchema)]
pub struct Hit {
    pub scene_id: Uuid,
    pub video_id: Uuid,
    video_title: String,
    run_id: Uuid,
    start_ms: i64,
    end_ms: i64,
    /// Where the player should jump.
    at_ms: i64,
    /// Comparable within one search only.
    score: f64,
    text: String,
    /// Parts of `text`, in UTF-16 code units.
    highlights: Vec<Span>,
    thumbnail_url: Option<String>,
    /// Which channels found it, and why.
    matches: Vec<Match>,
}

#[derive(Clone, Serialize, ToSchema)]
pub struct Match {
    channel: &'static str,
    /// From 1.
    rank: usize,
    /// The channel's own measure.
    score: f64,
    /// A sentence.
    detail: String,
}

pub struct Answer {
    pub hits: Vec<Hit>,
    /// Where this page ended, if there is more.
    pub next: Option<After>,
    pub channels: Vec<ChannelReport>,
}

/// Asks every channel of the question at once.
pub async fn run(state: &AppState, owner: UserId, question: &Question) -> Result<Answer, ApiError> {
    let asked = question.channels.iter().map(|&(channel, _)| ask(state, owner, question, channel));
    let answers = futures::future::join_all(asked).await;
    let mut reports = Vec::new();
    let mut ranked = Vec::new();
    let mut known: HashMap<Key, Known> = HashMap::new();
    for (&(channel, weight), (report, found)) in question.channels.iter().zip(answers) {
        ranked.push(Ranked { weight, ids: found.iter().map(|found| key(&found.candidate)).collect() });
        for (place, Found { candidate, at_ms, detail }) in found.into_iter().enumerate() {
            let score = candidate.score;
            let known = known.entry(key(&candidate)).or_insert(Known { candidate, at_ms: None, matches: Vec::new() });
            known.at_ms = known.at_ms.or(at_ms);
            known.matches.push(Match { channel: channel.as_str(), rank: place + 1, score, detail });
        }
        reports.push(report);
    }
    // No channel worked: an empty page would be a lie.
    let worked = reports.iter().any(|report| report.status == "ok");
    if !worked && reports.iter().any(|report| report.status != "skipped") {
        return Err(ApiError::new(crate::error::Code::Unavailable)
            .detail("The search could not be carried out; try again.")
            .retry_after(2));
    }
    let all = cap_groups(fuse(&ranked), question.per_video, |key| key.0);
    let (page, next) = cut(&all, question);
    let hits = present(state, owner, &question.text, &page, &known).await?;
    Ok(Answer { hits, next, channels: reports })
}

/// What a channel offers.
struct Found {
    candidate: Candidate,
    /// Where in the scene it is, if the channel knows.
    at_ms: Option<i64>,
    /// Why, in a sentence.
    detail: String,
}

impl Found {
    fn of(channel: Channel, candidate: Candidate) -> Self {
        Self { detail: detail(channel, &candidate), candidate, at_ms: None }
    }
}

impl From<Written> for Found {
    fn from(written: Written) -> Self {
        let Written { candidate, text, at_ms } = written;
        let detail = match candidate.score {
            1.0.. => format!("shows “{text}”"),
            _ => format!("shows “{text}”, which is nearly that"),
        };
        Self { candidate, at_ms: Some(at_ms), detail }
    }
}

/// What all channels together know of a scene.
struct Known {
    candidate: Candidate,
    /// Of the first channel that knows.
    at_ms: Option<i64>,
    matches: Vec<Match>,
}

/// Video first, so that equal scores are in a sensible order.
type Key = (Uuid, Uuid, Uuid);

fn key(candidate: &Candidate) -> Key {
    (candidate.video_id.0, candidate.scene_id.0, candidate.run_id.0)
}

fn cut(all: &[Fused<Key>], question: &Question) -> (Vec<Fused<Key>>, Option<After>) {
    let start = question.after.map_or(0, |after| {
        all.iter().position(|fused| fused.id.1 == after.scene_id).map_or(after.place, |place| place + 1)
    });
    let page: Vec<_> = all.iter().skip(start).take(question.limit).cloned().collect();
    let end = start + page.len();
    let next = page.last().filter(|_| end < all.len()).map(|last| After { scene_id: last.id.1, place: end });
    (page, next)
}

async fn ask(state: &AppState, owner: UserId, question: &Question, channel: Channel) -> (ChannelReport, Vec<Found>) {
    let began = Instant::now();
    let answer = tokio::time::timeout(DEADLINE, async {
        match channel {
            Channel::Words => words(state, owner, question).await,
            Channel::Meaning => meaning(state, owner, question).await,
            Channel::Written => written(state, owner, question).await,
        }
    })
    .await;
    let (status, found) = match answer {
        Ok(Ok(found)) => ("ok", found),
        Ok(Err(Failure::Skipped)) => ("skipped", Vec::new()),
        Ok(Err(Failure::Db(error))) if search::is_timeout(&error) => ("timeout", Vec::new()),
        Ok(Err(Failure::Db(error))) => failed(channel, &error),
        Ok(Err(Failure::Model(error))) => failed(channel, &error),
        Err(_) => ("timeout", Vec::new()),
    };
    let took = began.elapsed();
    metrics::histogram!("heimdex_search_channel_seconds", "channel" => channel.as_str(), "status" => status)
        .record(took);
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    (ChannelReport { channel: channel.as_str(), status, candidates: found.len(), took_ms }, found)
}

fn failed(channel: Channel, error: &(dyn std::error::Error + 'static)) -> (&'static str, Vec<Found>) {
    tracing::error!(error, channel = channel.as_str(), "a search channel failed");
    ("error", Vec::new())
}

enum Failure {
    Skipped,
    Db(DbError),
    Model(NoVector),
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

async fn words(state: &AppState, owner: UserId, question: &Question) -> Result<Vec<Found>, Failure> {
    let found = search::words(&state.pool, owner, &question.text, &question.filters, CANDIDATES, DEADLINE).await?;
    Ok(found.into_iter().map(|candidate| Found::of(Channel::Words, candidate)).collect())
}

async fn written(state: &AppState, owner: UserId, question: &Question) -> Result<Vec<Found>, Failure> {
    let found = search::written(&state.pool, owner, &question.text, &question.filters, CANDIDATES, DEADLINE).await?;
    Ok(found.into_iter().map(Found::from).collect())
}

async fn meaning(state: &AppState, owner: UserId, question: &Question) -> Result<Vec<Found>, Failure> {
    let Some(model) = state.text_model.id() else { return Err(Failure::Skipped) };
    let vector = state.text_model.embed_query(&question.text).await.map_err(|error| match error {
        NoVector::Off | NoVector::Loading => Failure::Skipped,
        error => Failure::Model(error),
    })?;
    let query = Embedding { model: model.to_owned(), vector };
    let near = Near { except: None, floor: FLOOR, limit: CANDIDATES };
    let found = search::meaning(&state.pool, owner, &query, &question.filters, near, DEADLINE).await?;
    Ok(found.into_iter().map(|candidate| Found::of(Channel::Meaning, candidate)).collect())
}

fn detail(channel: Channel, candidate: &Candidate) -> String {
    match channel {
        Channel::Words if candidate.score >= 1.0 => "says it word for word".into(),
        Channel::Words if candidate.score > 0.01 => "says these words".into(),
        Channel::Words => "says some of these words".into(),
        Channel::Meaning => format!("says something alike ({:.2})", candidate.score),
        Channel::Written => "shows these words".into(),
    }
}

/// Loads what is shown of a page of hits, in its order.
async fn present(
    state: &AppState,
    owner: UserId,
    query: &str,
    page: &[Fused<Key>],
    known: &HashMap<Key, Known>,
) -> Result<Vec<Hit>, ApiError> {
    let candidates: Vec<Candidate> =
        page.iter().filter_map(|fused| known.get(&fused.id)).map(|known| known.candidate).collect();
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows: HashMap<(Uuid, Uuid), HitRow> = search::hits(&state.pool, owner, query, &candidates)
        .await?
        .into_iter()
        .map(|row| ((row.run_id.0, row.scene_id.0), row))
        .collect();
    let mut hits = Vec::with_capacity(page.len());
    for fused in page {
        let (_, scene, run) = fused.id;
        // Deleted since the channels answered.
        let Some(row) = rows.remove(&(run, scene)) else { continue };
        let words: Vec<Spoken<'_>> = row
            .words
            .iter()
            .map(|word| Spoken { start_ms: word.start_ms, text: &word.text, matches: word.matches })
            .collect();
        let known = known.get(&fused.id);
        let at_ms = moment(query, &words).or(known.and_then(|known| known.at_ms)).unwrap_or(row.start_ms);
        hits.push(Hit {
            scene_id: scene,
            video_id: row.video_id.0,
            video_title: row.video_title,
            run_id: run,
            start_ms: row.start_ms,
            end_ms: row.end_ms,
            at_ms,
            score: fused.score,
            highlights: spans(&row.text, &row.marked),
            text: row.text,
            thumbnail_url: signed(&state.store, row.thumbnail_key.as_deref()).await?,
            matches: known.map(|known| known.matches.clone()).unwrap_or_default(),
        });
    }
    Ok(hits)
}

/// Scenes that say something alike to one, best first.
pub async fn similar(
    state: &AppState,
    owner: UserId,
    scene: heimdex_db::SceneId,
    limit: i64,
) -> Result<Vec<Hit>, ApiError> {
    let Ok(query) = search::pooled(&state.pool, owner, scene).await? else {
        return Err(ApiError::new(crate::error::Code::NoVectors));
    };
    let found = search::meaning(
        &state.pool,
        owner,
        &query,
        &Filters::default(),
        Near { except: Some(scene), floor: FLOOR, limit },
        DEADLINE,
    )
    .await?;
    let known: HashMap<Key, Known> = found
        .iter()
        .enumerate()
        .map(|(place, candidate)| {
            let detail = detail(Channel::Meaning, candidate);
            let matches = vec![Match { channel: "meaning", rank: place + 1, score: candidate.score, detail }];
            (key(candidate), Known { candidate: *candidate, at_ms: None, matches })
        })
        .collect();
    let page = fuse(&[Ranked { weight: 1.0, ids: found.iter().map(key).collect() }]);
    present(state, owner, "", &page, &known).await
}
