//! One search: channels at once, fused, a page cut out, the hits loaded.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use heimdex_db::{
    DbError, UserId,
    search::{self, Candidate, Filters, HitRow, ListedAfter, SOME_WORDS, Said, Tagged, Written},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    at_once::{CONNECTIONS, at_most},
    belief,
    evidence::evidence,
    fusion::{Fused, Offer, Ranked, cap_groups, fuse},
    moment::{Span, Spoken, moment, spans},
    more,
    nearest::{self, Wording},
};
use crate::{
    encoders::NoVector,
    error::{ApiError, Code},
    routes::videos::shape::signed,
    state::AppState,
};

/// A channel may take so long; then the others answer without it.
pub(super) const DEADLINE: Duration = Duration::from_secs(2);
/// Scenes a channel offers to be fused.
pub(super) const CANDIDATES: i64 = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    Words,
    Meaning,
    Seen,
    Written,
    Tagged,
    Who,
    Titled,
}

impl Channel {
    pub const ALL: [Self; 7] =
        [Self::Words, Self::Meaning, Self::Seen, Self::Written, Self::Tagged, Self::Who, Self::Titled];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Meaning => "meaning",
            Self::Seen => "seen",
            Self::Written => "written",
            Self::Tagged => "tagged",
            Self::Who => "who",
            Self::Titled => "titled",
        }
    }

    /// Between channels that believe in what they offer equally, chosen by the golden set; `super::kind` adds the
    /// kind of the query and the person's role.
    pub const fn default_weight(self) -> f64 {
        match self {
            Self::Words | Self::Written => 1.0,
            Self::Meaning => 1.3,
            Self::Seen => 0.9,
            Self::Tagged => 0.8,
            Self::Who => 1.25,
            Self::Titled => 0.6,
        }
    }
}

/// What is asked, parsed.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is looked for, without operators.
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
    /// In a search without words, which has no ranks but an order of its own.
    pub listed: Option<ListedAfter>,
}

#[derive(Serialize, ToSchema)]
pub struct ChannelReport {
    /// `words`, `meaning`, `seen`, `written`, `tagged`, `who` or `titled`; `filters` alone where there was nothing to look for
    pub(super) channel: &'static str,
    /// `ok`, `skipped` (no model, or switched off), `timeout` or `error`
    pub(super) status: &'static str,
    pub(super) candidates: usize,
    pub(super) took_ms: u64,
}

/// Whole milliseconds.
pub fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
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
    /// How probably it is what is looked for, by all channels that found it together, 0 to 1: calibrated with the offline models.
    confidence: f64,
    text: String,
    /// Parts of `text`, in UTF-16 code units.
    highlights: Vec<Span>,
    thumbnail_url: Option<String>,
    /// Which channels found it, and why.
    matches: Vec<Match>,
    /// Hits of its video that are on no page yet.
    pub more_in_video: usize,
}

#[derive(Clone, Serialize, ToSchema)]
pub struct Match {
    pub(super) channel: &'static str,
    /// From 1.
    pub(super) rank: usize,
    /// The channel's own measure.
    pub(super) score: f64,
    /// A sentence.
    pub(super) detail: String,
    /// What is written on screen, or the name of who is there.
    pub(super) quote: Option<String>,
    /// When it is seen or read, in milliseconds of the video.
    pub(super) at_ms: Option<i64>,
    /// Where the writing or the face is in the picture of that time: four corners `[x, y]`, clockwise from the upper left, in units of the
    /// picture's width and height.
    #[serde(rename = "box")]
    pub(super) corners: Option<[[f32; 2]; 4]>,
}

impl Match {
    pub(super) fn new(channel: &'static str, rank: usize, score: f64, detail: String) -> Self {
        Self { channel, rank, score, detail, quote: None, at_ms: None, corners: None }
    }
}

#[derive(Default)]
pub struct Answer {
    pub hits: Vec<Hit>,
    /// Where this page ended, if there is more.
    pub next: Option<After>,
    pub channels: Vec<ChannelReport>,
}

/// Asks every channel of the question at once.
pub async fn run(state: &AppState, owner: UserId, question: &Question) -> Result<Answer, ApiError> {
    let wording = Wording::new(&question.text);
    let asked = question.channels.iter().map(|&(channel, _)| ask(state, owner, question, &wording, channel));
    let answers = at_most(CONNECTIONS, asked).await;
    let mut reports = Vec::new();
    let mut ranked = Vec::new();
    let mut known: HashMap<Key, Known> = HashMap::new();
    for (&(channel, weight), (report, found)) in question.channels.iter().zip(answers) {
        let offers = found.iter().map(|Found { candidate, belief, .. }| Offer {
            id: key(candidate),
            score: candidate.score,
            belief: *belief,
        });
        ranked.push(Ranked { weight, offers: offers.collect() });
        for (place, Found { candidate, at_ms, detail, quote, .. }) in found.into_iter().enumerate() {
            let matched = Match::new(channel.as_str(), place + 1, candidate.score, detail);
            let known = known.entry(key(&candidate)).or_insert(Known { candidate, at_ms: None, matches: Vec::new() });
            known.at_ms = known.at_ms.or(at_ms);
            known.matches.push(Match { at_ms, quote, ..matched });
        }
        reports.push(report);
    }
    // No channel worked: an empty page would be a lie.
    let worked = reports.iter().any(|report| report.status == "ok");
    if !worked && reports.iter().any(|report| report.status != "skipped") {
        return Err(unavailable());
    }
    let least = match wording.is_read(state).await {
        true => belief::PAGE,
        false => belief::PAGE_OF_UNKNOWN_WORDS,
    };
    let all = cap_groups(believed(fuse(&ranked), least), question.per_video, |key| key.0);
    let (page, next) = cut(&all, question);
    let mut hits = present(state, owner, &wording, &page, &known).await?;
    more::tell(&mut hits, &all, &page);
    Ok(Answer { hits, next, channels: reports })
}

/// What is worth showing: nothing where no hit is as probable as `page`, however many there are.
fn believed(mut all: Vec<Fused<Key>>, page: f64) -> Vec<Fused<Key>> {
    let surest = all.iter().map(|fused| fused.surest).fold(0.0, f64::max);
    let least = if surest < page { f64::INFINITY } else { belief::HIT };
    all.retain(|fused| fused.belief >= least);
    all
}

/// Too many vectors, or too busy a database, for the deadline is no fault of anybody's.
pub(super) fn late(error: DbError) -> ApiError {
    if search::is_timeout(&error) { unavailable() } else { error.into() }
}

/// What was asked took longer than a search may.
pub(super) fn unavailable() -> ApiError {
    ApiError::new(Code::Unavailable).detail("The search could not be carried out; try again.").retry_after(2)
}

/// What a channel offers.
pub(super) struct Found {
    pub(super) candidate: Candidate,
    /// How probably it is what is looked for.
    pub(super) belief: f64,
    /// Where in the scene it is, if the channel knows.
    pub(super) at_ms: Option<i64>,
    /// Why, in a sentence.
    pub(super) detail: String,
    /// What is written, if that is why.
    pub(super) quote: Option<String>,
}

/// With what the channel makes of its own score.
pub(super) fn of(channel: Channel, found: Vec<Candidate>, believe: impl Fn(&Candidate) -> f64) -> Vec<Found> {
    let with = |candidate: Candidate| Found {
        belief: believe(&candidate),
        detail: detail(channel, &candidate),
        candidate,
        at_ms: None,
        quote: None,
    };
    found.into_iter().map(with).collect()
}

impl From<Written> for Found {
    fn from(written: Written) -> Self {
        let Written { candidate, text, at_ms } = written;
        let detail = match candidate.score {
            1.0.. => format!("shows “{text}”"),
            _ => format!("shows “{text}”, which is nearly that"),
        };
        Self { belief: belief::of_writing(candidate.score), candidate, at_ms: Some(at_ms), detail, quote: Some(text) }
    }
}

/// What all channels together know of a scene.
pub(super) struct Known {
    pub(super) candidate: Candidate,
    /// Of the first channel that knows.
    pub(super) at_ms: Option<i64>,
    pub(super) matches: Vec<Match>,
}

/// Video first, so that equal scores are in a sensible order.
pub(super) type Key = (Uuid, Uuid, Uuid);

pub(super) fn key(candidate: &Candidate) -> Key {
    (candidate.video_id.0, candidate.scene_id.0, candidate.run_id.0)
}

pub(super) fn cut(all: &[Fused<Key>], question: &Question) -> (Vec<Fused<Key>>, Option<After>) {
    let start = question.after.map_or(0, |after| {
        all.iter().position(|fused| fused.id.1 == after.scene_id).map_or(after.place, |place| place + 1)
    });
    let page: Vec<_> = all.iter().skip(start).take(question.limit).cloned().collect();
    let end = start + page.len();
    let next =
        page.last().filter(|_| end < all.len()).map(|last| After { scene_id: last.id.1, place: end, listed: None });
    (page, next)
}

async fn ask(
    state: &AppState,
    owner: UserId,
    question: &Question,
    wording: &Wording<'_>,
    channel: Channel,
) -> (ChannelReport, Vec<Found>) {
    let began = Instant::now();
    let answer = tokio::time::timeout(DEADLINE, async {
        match channel {
            Channel::Words => words(state, owner, question).await,
            Channel::Meaning => nearest::meaning(state, owner, question, wording).await,
            Channel::Seen => nearest::seen(state, owner, question, wording).await,
            Channel::Written => written(state, owner, question).await,
            Channel::Tagged => tagged(state, owner, question).await,
            Channel::Who => who(state, owner, question).await,
            Channel::Titled => titled(state, owner, question).await,
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
    (ChannelReport { channel: channel.as_str(), status, candidates: found.len(), took_ms: millis(took) }, found)
}

fn failed(channel: Channel, error: &(dyn std::error::Error + 'static)) -> (&'static str, Vec<Found>) {
    tracing::error!(error, channel = channel.as_str(), "a search channel failed");
    ("error", Vec::new())
}

pub(super) enum Failure {
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
    let found = found.into_iter().map(|Said { candidate, share }| Found {
        belief: belief::of_words(candidate.score, share.unwrap_or(0.0)),
        detail: detail(Channel::Words, &candidate),
        candidate,
        at_ms: None,
        quote: None,
    });
    Ok(found.collect())
}

async fn written(state: &AppState, owner: UserId, question: &Question) -> Result<Vec<Found>, Failure> {
    let found = search::written(&state.pool, owner, &question.text, &question.filters, CANDIDATES, DEADLINE).await?;
    Ok(found.into_iter().map(Found::from).collect())
}

async fn who(state: &AppState, owner: UserId, question: &Question) -> Result<Vec<Found>, Failure> {
    if !state.config.features.faces {
        return Err(Failure::Skipped);
    }
    let found = search::who(&state.pool, owner, &question.text, &question.filters, CANDIDATES, DEADLINE).await?;
    Ok(of(Channel::Who, found, |candidate| belief::of_people(candidate.score)))
}

async fn tagged(state: &AppState, owner: UserId, question: &Question) -> Result<Vec<Found>, Failure> {
    let found = search::tagged(&state.pool, owner, &question.text, &question.filters, CANDIDATES, DEADLINE).await?;
    let found = found.into_iter().map(|Tagged { candidate, share }| Found {
        belief: belief::of_tags(candidate.score, share),
        detail: detail(Channel::Tagged, &candidate),
        candidate,
        at_ms: None,
        quote: None,
    });
    Ok(found.collect())
}

async fn titled(state: &AppState, owner: UserId, question: &Question) -> Result<Vec<Found>, Failure> {
    let found = search::titled(&state.pool, owner, &question.text, &question.filters, CANDIDATES, DEADLINE).await?;
    Ok(of(Channel::Titled, found, |candidate| belief::of_title(candidate.score)))
}

pub(super) fn detail(channel: Channel, candidate: &Candidate) -> String {
    match channel {
        Channel::Words if candidate.score >= 1.0 => "says it word for word".into(),
        Channel::Words if candidate.score > SOME_WORDS => "says these words".into(),
        Channel::Words => "says some of these words".into(),
        Channel::Tagged => format!("shows it ({:.2})", candidate.score),
        Channel::Who => "shows somebody who is named".into(),
        Channel::Meaning => format!("says something alike ({:.2})", candidate.score),
        Channel::Seen => format!("looks like it ({:.2})", candidate.score),
        Channel::Written => "shows these words".into(),
        Channel::Titled if candidate.score >= 1.0 => "is of a video that is called so".into(),
        Channel::Titled => "is of a video that is called nearly so".into(),
    }
}

/// Loads what is shown of a page of hits, in its order.
pub(super) async fn present(
    state: &AppState,
    owner: UserId,
    wording: &Wording<'_>,
    page: &[Fused<Key>],
    known: &HashMap<Key, Known>,
) -> Result<Vec<Hit>, ApiError> {
    let query = wording.text;
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
    let by = |fused: &Fused<Key>, channel: Channel| {
        known.get(&fused.id).is_some_and(|known| known.matches.iter().any(|found| found.channel == channel.as_str()))
    };
    let shown: Vec<Candidate> = page
        .iter()
        .filter(|fused| by(fused, Channel::Seen))
        .filter_map(|fused| known.get(&fused.id).map(|known| known.candidate))
        .collect();
    let seen_at = match shown.is_empty() || query.is_empty() {
        true => HashMap::new(),
        false => nearest::moments(state, owner, wording, &shown).await?,
    };
    let mut shown = evidence(state, owner, query, page, known).await?;
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
        // Where it is said, if that is why it was found; else where it is written; else where it is seen best.
        let known = known.get(&fused.id);
        let spoken = moment(query, &words);
        let said = spoken.filter(|_| by(fused, Channel::Words));
        let written = known.and_then(|known| known.at_ms);
        let seen = seen_at.get(&(run, scene)).copied();
        let at_ms = said.or(written).or(seen).or(spoken).unwrap_or(row.start_ms);
        let mut matches = known.map(|known| known.matches.clone()).unwrap_or_default();
        for matched in &mut matches {
            if let Some(shown) = shown.remove(&(run, scene, matched.channel)) {
                matched.quote = Some(shown.quote);
                matched.at_ms = Some(shown.at_ms);
                matched.corners = Some(shown.corners);
            } else if matched.channel == Channel::Seen.as_str() {
                matched.at_ms = seen.or(matched.at_ms);
            } else if matched.channel == Channel::Words.as_str() {
                matched.at_ms = spoken;
            }
        }
        hits.push(Hit {
            scene_id: scene,
            video_id: row.video_id.0,
            video_title: row.video_title,
            run_id: run,
            start_ms: row.start_ms,
            end_ms: row.end_ms,
            at_ms,
            score: fused.score,
            confidence: fused.belief,
            highlights: spans(&row.text, &row.marked),
            text: row.text,
            thumbnail_url: signed(&state.store, row.thumbnail_key.as_deref()).await?,
            matches,
            more_in_video: 0,
        });
    }
    Ok(hits)
}
