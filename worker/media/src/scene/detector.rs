//! Where one shot ends and the next begins, told from signatures alone. No pixels, no FFmpeg, no clock: pure logic.
//!
//! **Cuts.** Two neighbouring pictures are a cut when they differ much (mean absolute difference of luma and chroma), when that
//! difference stands out against the seconds around it (an adaptive threshold, as in PySceneDetect's `AdaptiveDetector`),
//! and when motion does not explain it (blocks are searched for in the other picture, as in Hampapur et al. 1995 and most
//! codecs) unless the colours changed too (histograms, Zhang et al., "Automatic Partitioning of Full-motion Video", 1993).
//! Dark, flat pictures differ less, so thresholds scale with contrast.
//!
//! **Flashes.** A difference that is undone within a third of a second is a flash or a dropped frame, not a cut.
//!
//! **Dissolves.** Between two unlike pictures up to 2 s apart with no cut between them, the pictures in the middle are tested for being
//! linear mixtures of both ends with a steadily growing share (the production model of Hampapur et al.); motion fails it. The
//! middle must also be as flat and as soft as such a mixture is, and the details of both ends must be of different things.
//!
//! **Fades.** Runs of black or white pictures between content; the boundary is the middle of the run, or its hard edge.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::scan::Sample;
use super::signature::{
    Difference, Signature, detail, detail_correlation, difference, is_relit, mixed_detail, mixed_variance, mixture,
    plain,
};

/// How one scene goes over into the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transition {
    /// The video starts or ends here.
    Edge,
    Cut,
    Dissolve,
    /// Through black or white.
    Fade,
}

/// All thresholds, in units of `signature::Difference`. Tuned on generated and real clips; see the crate's tests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Thresholds {
    /// Plain difference of a cut between pictures of normal contrast.
    pub cut: f32,
    /// How many times the surrounding difference a cut must be.
    pub ratio: f32,
    /// Difference that motion must leave over.
    pub moved: f32,
    /// Histogram difference that makes up for small motion leftovers.
    pub histogram: f32,
    /// Largest error of a mixture in a dissolve.
    pub mixture: f32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { cut: 14.0, ratio: 2.5, moved: 4.0, histogram: 0.25, mixture: 0.22 }
    }
}

impl Thresholds {
    /// Dark and flat pictures differ less: 1 for a luma deviation of 40 and more, down to 0.3.
    fn contrast(a: &Signature, b: &Signature) -> f32 {
        (a.spread.max(b.spread) / 40.0).clamp(0.3, 1.0)
    }

    /// Above this a gap is looked at exactly.
    pub(super) fn suspicion(&self, a: &Signature, b: &Signature) -> f32 {
        self.cut * 0.6 * Self::contrast(a, b)
    }

    /// Above this a picture counts as changed for choosing frames.
    pub(super) fn change(&self, a: &Signature, b: &Signature) -> f32 {
        self.cut * 0.8 * Self::contrast(a, b)
    }
}

/// A boundary: the first picture of the new scene.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Boundary {
    pub frame: u64,
    pub us: i64,
    pub kind: Transition,
    /// First and last moment that belongs to neither scene alone.
    pub from_us: i64,
    pub to_us: i64,
}

/// Luma deviation under which a picture is one colour, and means that make it black or white.
const BLANK_SPREAD: f32 = 4.0;
const BLACK_MEAN: f32 = 36.0;
const WHITE_MEAN: f32 = 220.0;

const FLASH_US: i64 = 340_000;
/// Neighbourhood of the adaptive threshold.
const AROUND_US: i64 = 500_000;
/// Spans over which dissolves are looked for.
const DISSOLVE_SPANS_US: [i64; 4] = [450_000, 800_000, 1_300_000, 2_100_000];
/// Pictures are tested for being the end of a dissolve this often.
const DISSOLVE_STEP_US: i64 = 100_000;
const WINDOW_US: i64 = 2_600_000;
/// How much more contrast than a mixture the middle of a dissolve may have.
const EXCESS_VARIANCE: f32 = 1.35;
/// The same of its details, to which grain and compression add a little of their own; a still that glides by half a cell has 1.25 times as many.
const EXCESS_DETAIL: f32 = 1.15;
/// Dissolves so close to one another, or to black, are parts of one transition.
const TOUCH_US: i64 = 300_000;
/// A run of black longer than this is a scene of its own.
const LONG_BLANK_US: i64 = 3_000_000;

#[derive(Debug, Clone, Copy)]
struct Step {
    frame: u64,
    us: i64,
    difference: f32,
}

struct Suspect {
    step: usize,
    found: Difference,
    contrast: f32,
    before: Arc<Signature>,
    /// Details of one picture are not in the other: across real cuts they correlate by less than 0.05, across fast motion
    /// past a standing foreground by 0.2 and more.
    other_things: bool,
    /// Something much like `before` came back within a flash's time, or never went.
    undone: bool,
}

struct Blank {
    first_frame: u64,
    from_us: i64,
    to_us: i64,
    /// The picture after the run's last.
    next: Option<(u64, i64)>,
    white: bool,
}

impl Blank {
    /// A few white pictures are a flash, not a fade.
    fn is_flash(&self) -> bool {
        self.white && self.to_us - self.from_us < FLASH_US
    }
}

struct Dissolve {
    from_us: i64,
    to_us: i64,
    middle_frame: u64,
    middle_us: i64,
    /// Plain difference of both ends: parts of a dissolve are mixtures too, but their ends are closer.
    apart: f32,
    error: f32,
}

/// Takes samples in display order and remembers what may be a boundary; `finish` decides.
pub(super) struct Detector {
    thresholds: Thresholds,
    window: VecDeque<Sample>,
    steps: Vec<Step>,
    suspects: Vec<Suspect>,
    blanks: Vec<Blank>,
    dissolves: Vec<Dissolve>,
    next_dissolve_test: i64,
}

impl Detector {
    pub(super) fn new(thresholds: Thresholds) -> Self {
        Self {
            thresholds,
            window: VecDeque::new(),
            steps: Vec::new(),
            suspects: Vec::new(),
            blanks: Vec::new(),
            dissolves: Vec::new(),
            next_dissolve_test: i64::MIN,
        }
    }

    pub(super) fn push(&mut self, sample: Sample) {
        // Broken clocks run backwards; such a picture cannot be placed.
        if self.window.back().is_some_and(|last| sample.us <= last.us || sample.frame <= last.frame) {
            return;
        }
        self.note_blank(&sample);
        if let Some(last) = self.window.back() {
            let step = plain(&last.signature, &sample.signature);
            let is_suspect = step >= self.thresholds.suspicion(&last.signature, &sample.signature);
            self.steps.push(Step { frame: sample.frame, us: sample.us, difference: step });
            self.settle_flashes(&sample);
            if is_suspect {
                self.suspect(&sample);
            }
        }
        self.test_dissolve(&sample);
        self.window.push_back(sample);
        while self.window.front().zip(self.window.back()).is_some_and(|(a, b)| b.us - a.us > WINDOW_US) {
            self.window.pop_front();
        }
    }

    fn note_blank(&mut self, sample: &Sample) {
        let signature = &sample.signature;
        let is_white = signature.mean >= WHITE_MEAN;
        let is_blank = signature.spread < BLANK_SPREAD && (signature.mean <= BLACK_MEAN || is_white);
        match self.blanks.last_mut().filter(|blank| blank.next.is_none()) {
            Some(blank) if is_blank => blank.to_us = sample.us,
            Some(blank) => blank.next = Some((sample.frame, sample.us)),
            None if is_blank => self.blanks.push(Blank {
                first_frame: sample.frame,
                from_us: sample.us,
                to_us: sample.us,
                next: None,
                white: is_white,
            }),
            None => {}
        }
    }

    fn suspect(&mut self, sample: &Sample) {
        let Some(last) = self.window.back() else { return };
        let found = difference(&last.signature, &sample.signature);
        // Back to what was there before a flash?
        let undone = self
            .window
            .iter()
            .rev()
            .skip(1)
            .take_while(|old| sample.us - old.us <= FLASH_US)
            .any(|old| plain(&old.signature, &sample.signature) < found.plain * 0.5);
        self.suspects.push(Suspect {
            step: self.steps.len() - 1,
            found,
            contrast: Thresholds::contrast(&last.signature, &sample.signature),
            before: Arc::clone(&last.signature),
            other_things: detail_correlation(&last.signature, &sample.signature).is_none_or(|c| c < 0.12),
            undone: undone || is_relit(&last.signature, &sample.signature),
        });
    }

    fn settle_flashes(&mut self, sample: &Sample) {
        for suspect in self.suspects.iter_mut().rev() {
            if sample.us - self.steps[suspect.step].us > FLASH_US {
                break;
            }
            if !suspect.undone && plain(&suspect.before, &sample.signature) < suspect.found.plain * 0.5 {
                suspect.undone = true;
            }
        }
    }

    /// Is this picture the end of a dissolve?
    fn test_dissolve(&mut self, end: &Sample) {
        if end.us < self.next_dissolve_test {
            return;
        }
        self.next_dissolve_test = end.us + DISSOLVE_STEP_US;
        let mut best: Option<Dissolve> = None;
        for span in DISSOLVE_SPANS_US {
            let start = self.window.partition_point(|sample| sample.us < end.us - span);
            let Some(from) = self.window.get(start).filter(|from| end.us - from.us > span * 3 / 4) else { continue };
            if let Some(found) = self.dissolve_between(start, from, end)
                && best.as_ref().is_none_or(|best| found.apart > best.apart * 1.05)
            {
                best = Some(found);
            }
        }
        self.dissolves.extend(best);
    }

    fn dissolve_between(&self, start: usize, from: &Sample, end: &Sample) -> Option<Dissolve> {
        let limits = &self.thresholds;
        let (a, b) = (&from.signature, &end.signature);
        let contrast = Thresholds::contrast(a, b);
        let apart = plain(a, b);
        if apart < limits.cut * contrast {
            return None;
        }
        let middle: Vec<&Sample> = self.window.range(start + 1..).collect();
        if middle.len() < 4 {
            return None;
        }
        // One step that carries most of the change is a cut, not a mixture.
        let largest = self.steps.iter().rev().take(middle.len() + 1).map(|step| step.difference).fold(0.0, f32::max);
        if largest > apart * 0.45 {
            return None;
        }
        let (mut error, mut previous, mut halfway) = (0.0_f32, 0.0_f32, None);
        for sample in &middle {
            let (share, off) = mixture(a, &sample.signature, b);
            if share < previous - 0.08 || off > limits.mixture * 1.4 {
                return None;
            }
            if halfway.is_none() && share >= 0.5 {
                let (picture, spread) = (&sample.signature, sample.signature.spread);
                if spread * spread > mixed_variance(a, b, share) * EXCESS_VARIANCE
                    || detail(picture) > mixed_detail(a, b, share) * EXCESS_DETAIL
                {
                    return None;
                }
                halfway = Some(sample);
            }
            error += off / middle.len() as f32;
            previous = previous.max(share);
        }
        let found = difference(a, b);
        let unlike = found.moved >= limits.moved * contrast
            && (found.histogram > 0.1 || found.moved >= 2.0 * limits.moved * contrast);
        // The same details in another light are one scene; without details nothing can be told apart from a moving light.
        let other_things = detail_correlation(a, b).is_some_and(|correlation| correlation < 0.6);
        if error > limits.mixture || !unlike || !other_things {
            return None;
        }
        let halfway = halfway?;
        Some(Dissolve {
            from_us: from.us,
            to_us: end.us,
            middle_frame: halfway.frame,
            middle_us: halfway.us,
            apart,
            error,
        })
    }

    /// All boundaries in order, at least `min_scene_us` apart and from both ends.
    pub(super) fn finish(self, end_us: i64, min_scene_us: i64) -> Vec<Boundary> {
        let cuts = self.cuts();
        let fades = self.fades(&cuts, end_us);
        let dissolves = self.dissolve_boundaries(&cuts);
        // Black runs swallow the cuts inside and at their edges: one way out of a scene is one boundary.
        let inside_fade = |us: i64| fades.iter().any(|fade| us >= fade.from_us && us <= fade.to_us);
        let mut all: Vec<Boundary> = cuts.into_iter().filter(|cut| !inside_fade(cut.us)).collect();
        all.extend(dissolves);
        all.extend(fades);
        all.sort_by_key(|boundary| boundary.us);
        merge(&all, end_us, min_scene_us)
    }

    fn cuts(&self) -> Vec<Boundary> {
        let limits = &self.thresholds;
        let is_cut = |suspect: &&Suspect| {
            let Difference { plain, moved, histogram } = suspect.found;
            let c = suspect.contrast;
            if suspect.undone || plain < limits.cut * c {
                return false;
            }
            let around = self.around(suspect.step);
            let stands_out = plain >= limits.ratio * around;
            let unexplained = moved >= limits.moved * c;
            let recoloured = histogram >= limits.histogram;
            stands_out && unexplained && (recoloured || (moved >= 2.0 * limits.moved * c && suspect.other_things))
        };
        let boundary = |suspect: &Suspect| {
            let Step { frame, us, .. } = self.steps[suspect.step];
            Boundary { frame, us, kind: Transition::Cut, from_us: us, to_us: us }
        };
        self.suspects.iter().filter(is_cut).map(boundary).collect()
    }

    /// Mean difference of the steps around one, without the largest other one (which may be the next cut).
    fn around(&self, step: usize) -> f32 {
        let us = self.steps[step].us;
        let near = |other: &Step| (other.us - us).abs() <= AROUND_US;
        let before = self.steps[..step].iter().rev().take_while(|other| near(other));
        let after = self.steps[step + 1..].iter().take_while(|other| near(other));
        let (mut sum, mut count, mut largest) = (0.0_f32, 0, 0.0_f32);
        for other in before.chain(after) {
            sum += other.difference;
            count += 1;
            largest = largest.max(other.difference);
        }
        match count {
            0 | 1 => 0.0,
            _ => (sum - largest) / (count - 1) as f32,
        }
    }

    /// Boundaries in black or white runs. Runs at either end of the video have none.
    fn fades(&self, cuts: &[Boundary], end_us: i64) -> Vec<Boundary> {
        let first_us = self.steps.first().map_or(0, |step| step.us);
        let mut fades = Vec::new();
        for blank in &self.blanks {
            if blank.is_flash() {
                continue;
            }
            let at_start = blank.from_us <= first_us;
            let Some((next_frame, next_us)) = blank.next.filter(|_| !at_start && blank.to_us < end_us) else {
                continue;
            };
            let entered_by_cut = cuts.iter().any(|cut| cut.us == blank.from_us);
            let left_by_cut = cuts.iter().any(|cut| cut.us == next_us);
            if blank.to_us - blank.from_us > LONG_BLANK_US {
                // Long black is a scene: both its edges are boundaries.
                let edge = |frame, us| Boundary { frame, us, kind: Transition::Fade, from_us: us, to_us: us };
                fades.extend([edge(blank.first_frame, blank.from_us), edge(next_frame, next_us)]);
                continue;
            }
            let (frame, us) = match (entered_by_cut, left_by_cut) {
                (_, true) => (next_frame, next_us),
                (true, false) => (blank.first_frame, blank.from_us),
                (false, false) => ((blank.first_frame + next_frame) / 2, (blank.from_us + next_us) / 2),
            };
            let kind = if entered_by_cut && left_by_cut { Transition::Cut } else { Transition::Fade };
            fades.push(Boundary { frame, us, kind, from_us: blank.from_us, to_us: next_us });
        }
        fades
    }

    /// One boundary for each group of dissolves that touch: parts of one are mixtures too, the whole has the most unlike
    /// ends. A group that leads to or from black or white is the ramp of a fade.
    fn dissolve_boundaries(&self, cuts: &[Boundary]) -> Vec<Boundary> {
        let mut groups: Vec<(i64, i64, &Dissolve)> = Vec::new();
        for dissolve in &self.dissolves {
            if cuts.iter().any(|cut| (dissolve.from_us..=dissolve.to_us).contains(&cut.us)) {
                continue;
            }
            match groups.last_mut() {
                Some((from, to, best)) if dissolve.from_us <= *to + TOUCH_US => {
                    (*from, *to) = ((*from).min(dissolve.from_us), (*to).max(dissolve.to_us));
                    let better = dissolve.apart > best.apart * 1.05
                        || (dissolve.apart > best.apart * 0.95 && dissolve.error < best.error);
                    if better {
                        *best = dissolve;
                    }
                }
                _ => groups.push((dissolve.from_us, dissolve.to_us, dissolve)),
            }
        }
        let is_ramp = |from: i64, to: i64| {
            let mut blanks = self.blanks.iter().filter(|blank| !blank.is_flash());
            blanks.any(|blank| from - TOUCH_US <= blank.to_us && to + TOUCH_US >= blank.from_us)
        };
        groups
            .into_iter()
            .filter(|&(from, to, _)| !is_ramp(from, to))
            .map(|(_, _, d)| Boundary {
                frame: d.middle_frame,
                us: d.middle_us,
                kind: Transition::Dissolve,
                from_us: d.from_us,
                to_us: d.to_us,
            })
            .collect()
    }
}

/// Drops boundaries that would leave a scene shorter than `min_scene_us`: of two that are too close, the surer kind stays (a cut
/// before a fade before a dissolve), and of two of a kind the first.
pub(super) fn merge(sorted: &[Boundary], end_us: i64, min_scene_us: i64) -> Vec<Boundary> {
    let mut kept: Vec<Boundary> = Vec::new();
    for kind in [Transition::Cut, Transition::Fade, Transition::Dissolve] {
        for boundary in sorted.iter().filter(|boundary| boundary.kind == kind) {
            let place = kept.partition_point(|other| other.us < boundary.us);
            let far =
                |other: Option<&Boundary>| other.is_none_or(|other| (boundary.us - other.us).abs() >= min_scene_us);
            let inside = boundary.us >= min_scene_us && boundary.us <= end_us - min_scene_us;
            if inside && far(kept.get(place)) && far(place.checked_sub(1).and_then(|n| kept.get(n))) {
                kept.insert(place, *boundary);
            }
        }
    }
    kept
}

#[cfg(test)]
#[path = "detector_tests.rs"]
mod tests;
