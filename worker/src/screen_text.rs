//! Writing on screen over time: what was read in single pictures becomes rows with a beginning and an end.

use heimdex_db::{
    SceneId,
    moments::screen_texts::{Corners, ScreenText},
};
use heimdex_models::ocr::Line;

/// Two readings are of one text if so much of them agrees: 1 less the edit distance over the longer one's length.
const ALIKE: f64 = 0.8;
/// "About the same place": centres no further apart than this many heights of a line.
const NEAR_HEIGHTS: f32 = 1.5;
/// A text so long is known again wherever it has moved to.
const MOVES_FROM: usize = 4;
/// A reading may be missing in so many pictures before its text counts as gone.
const MAY_MISS: usize = 1;
/// Rows of one scene; of more, those that stand longest.
const MOST_ROWS: usize = 300;

/// What was read in one picture of a scene.
#[derive(Clone, Debug)]
pub struct Seen {
    pub at_ms: i64,
    pub lines: Vec<Line>,
}

/// One text as it goes on.
struct Row {
    best: Line,
    /// The best reading's text, [`folded`].
    folded: String,
    /// Where it was last.
    place: Place,
    /// Pictures in which it was seen first and last.
    first: usize,
    last: usize,
}

/// Merges what was read in a scene's pictures, given in order of time. A row begins with the first picture that shows it
/// (with the scene, if that is the scene's first) and ends with the next picture that does not, or with the scene: changes
/// between two pictures are not seen. Its text and corners are those of its surest reading. Lines with other digits are other
/// texts, so that each reading of a counter is found.
pub fn merge(scene_id: SceneId, (start_ms, end_ms): (i64, i64), pictures: &[Seen]) -> Vec<ScreenText> {
    let (mut open, mut rows): (Vec<Row>, Vec<Row>) = (Vec::new(), Vec::new());
    for (number, picture) in pictures.iter().enumerate() {
        let mut free: Vec<bool> = vec![true; open.len()];
        for line in &picture.lines {
            let (place, folded) = (Place::of(line), folded(&line.text));
            let candidates = (0..free.len()).filter(|&n| free[n] && goes_on(&open[n], &folded, place));
            let nearest =
                candidates.min_by(|&a, &b| place.distance(open[a].place).total_cmp(&place.distance(open[b].place)));
            match nearest {
                Some(n) => {
                    free[n] = false;
                    let row = &mut open[n];
                    (row.last, row.place) = (number, place);
                    if line.confidence > row.best.confidence {
                        row.best = line.clone();
                        row.folded = folded;
                    }
                }
                None => open.push(Row { best: line.clone(), folded, place, first: number, last: number }),
            }
        }
        let (gone, left) = open.into_iter().partition(|row| number - row.last > MAY_MISS);
        rows.extend::<Vec<Row>>(gone);
        open = left;
    }
    rows.extend(open);
    let time = |number: usize| pictures.get(number).map(|picture| picture.at_ms.clamp(start_ms, end_ms));
    let mut texts: Vec<ScreenText> = rows
        .into_iter()
        .map(|row| ScreenText {
            scene_id,
            start_ms: if row.first == 0 { start_ms } else { time(row.first).unwrap_or(start_ms) },
            end_ms: time(row.last + 1).unwrap_or(end_ms),
            text: row.best.text,
            confidence: row.best.confidence,
            corners: corners(&row.best.corners).into(),
        })
        .collect();
    if texts.len() > MOST_ROWS {
        texts.sort_by_key(|text| (text.start_ms - text.end_ms, text.start_ms));
        texts.truncate(MOST_ROWS);
    }
    texts.sort_by(|a, b| (a.start_ms, a.end_ms).cmp(&(b.start_ms, b.end_ms)).then_with(|| down(a).total_cmp(&down(b))));
    texts
}

fn down(text: &ScreenText) -> f32 {
    text.corners.0[0][1]
}

/// To four decimals, a third of a pixel in the largest pictures.
fn corners(given: &[(f32, f32); 4]) -> Corners {
    given.map(|(x, y)| [x, y].map(|n| (n * 10_000.0).round() / 10_000.0))
}

/// Whether a line that reads so, [`folded`], and stands there is the row's text.
fn goes_on(row: &Row, folded: &str, place: Place) -> bool {
    if place.is_near(row.place) {
        alike(&row.folded, folded)
    } else {
        row.folded == folded && folded.chars().count() >= MOVES_FROM
    }
}

/// Lowercase letters and digits: what readings of the same text agree in.
fn folded(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn alike(a: &str, b: &str) -> bool {
    let digits = |text: &str| text.chars().filter(|c| c.is_numeric()).collect::<String>();
    a == b || (digits(a) == digits(b) && strsim::normalized_levenshtein(a, b) >= ALIKE)
}

/// A line's middle and height, in units of the picture.
#[derive(Clone, Copy, Debug)]
struct Place {
    centre: (f32, f32),
    height: f32,
}

impl Place {
    fn of(line: &Line) -> Self {
        let mean = |at: fn(&(f32, f32)) -> f32| line.corners.iter().map(at).sum::<f32>() / 4.0;
        let [a, _, _, d] = line.corners;
        Self { centre: (mean(|c| c.0), mean(|c| c.1)), height: (d.0 - a.0).hypot(d.1 - a.1).max(0.01) }
    }

    fn distance(self, other: Self) -> f32 {
        (self.centre.0 - other.centre.0).hypot(self.centre.1 - other.centre.1)
    }

    fn is_near(self, other: Self) -> bool {
        self.distance(other) <= NEAR_HEIGHTS * self.height.max(other.height)
    }
}

#[cfg(test)]
#[path = "screen_text_tests.rs"]
mod tests;
