use proptest::prelude::*;

use super::super::signature::Grid;
use super::*;

const FPS: i64 = 30;
const GRID: Grid = Grid { width: 64, height: 36 };

/// A textured picture: blocks of brightness that depend on `seed`, shifted by `shift` cells, at `level` times full contrast.
fn picture(seed: u32, shift: usize, level: f32) -> Arc<Signature> {
    let texture = |x: usize, y: usize| {
        let cell = ((x + shift) / 5) as u32 * 7919 + (y / 5) as u32 * 104_729 + seed * 2_654_435;
        ((cell ^ (cell >> 7)).wrapping_mul(2_246_822_519) >> 24) as f32
    };
    let luma =
        (0..GRID.height * GRID.width).map(|n| (16.0 + texture(n % GRID.width, n / GRID.width) * 0.8 * level) as u8);
    let tint = 128.0 + ((seed * 37 % 80) as f32 - 40.0) * level;
    Arc::new(Signature::new(GRID, luma.collect(), vec![tint as u8; GRID.width * GRID.height / 2]))
}

fn mixed(a: &Signature, b: &Signature, share: f32) -> Arc<Signature> {
    let mix = |a: &[u8], b: &[u8]| -> Vec<u8> {
        a.iter().zip(b).map(|(&a, &b)| (f32::from(a) * (1.0 - share) + f32::from(b) * share).round() as u8).collect()
    };
    Arc::new(Signature::new(GRID, mix(&a.luma, &b.luma), mix(&a.chroma, &b.chroma)))
}

fn boundaries(pictures: &[Arc<Signature>]) -> Vec<(u64, Transition)> {
    let mut detector = Detector::new(Thresholds::default());
    for (n, signature) in pictures.iter().enumerate() {
        detector.push(Sample { frame: n as u64, us: n as i64 * 1_000_000 / FPS, signature: Arc::clone(signature) });
    }
    let end_us = pictures.len() as i64 * 1_000_000 / FPS;
    detector.finish(end_us, 500_000).into_iter().map(|b| (b.frame, b.kind)).collect()
}

#[test]
fn a_cut_is_found_at_its_picture() {
    let mut pictures = vec![picture(1, 0, 1.0); 40];
    pictures.extend(vec![picture(2, 0, 1.0); 40]);
    assert_eq!(boundaries(&pictures), [(40, Transition::Cut)]);
}

#[test]
fn a_dark_cut_counts_as_much_as_a_bright_one() {
    let mut pictures = vec![picture(1, 0, 0.3); 40];
    pictures.extend(vec![picture(2, 0, 0.3); 40]);
    assert_eq!(boundaries(&pictures), [(40, Transition::Cut)]);
}

#[test]
fn a_pan_is_no_cut() {
    let pictures: Vec<_> = (0..120).map(|n| picture(1, n, 1.0)).collect();
    assert_eq!(boundaries(&pictures), []);
}

/// Grass or fur: every pixel is its own, and a cell is the mean of eight by eight of them, beginning `shift` pixels to the right.
fn fine(shift: usize) -> Arc<Signature> {
    let pixel = |x: usize, y: usize| {
        let mixed = (x as u32).wrapping_mul(374_761_393) ^ (y as u32).wrapping_mul(668_265_263);
        let mixed = (mixed ^ (mixed >> 13)).wrapping_mul(1_274_126_177);
        // Patches of some pixels, so that their mean is not all the same grey.
        (mixed ^ (mixed >> 16)) & 0xff
    };
    let cell = |n: usize| {
        let (left, top) = (n % GRID.width * 8 + shift, n / GRID.width * 8);
        let sum: u32 = (0..64).map(|i| pixel((left + i % 8) / 6, (top + i / 8) / 6)).sum();
        (sum / 64) as u8
    };
    Arc::new(Signature::new(GRID, (0..GRID.width * GRID.height).map(cell).collect(), vec![128; 64 * 36 / 2]))
}

#[test]
fn a_still_that_glides_is_no_dissolve() {
    for pixels_a_second in [6, 12, 24, 48] {
        let pictures: Vec<_> = (0..150).map(|n| fine(n * pixels_a_second / FPS as usize)).collect();
        assert_eq!(boundaries(&pictures), [], "{pixels_a_second} pixels a second");
    }
}

#[test]
fn a_flash_is_no_cut() {
    let mut pictures = vec![picture(1, 0, 1.0); 90];
    for flash in &mut pictures[40..43] {
        *flash = Arc::new(Signature::new(GRID, vec![240; 64 * 36], vec![128; 64 * 36 / 2]));
    }
    assert_eq!(boundaries(&pictures), []);
}

#[test]
fn a_dissolve_ends_in_its_middle() {
    let (a, b) = (picture(1, 0, 1.0), picture(2, 0, 1.0));
    let mut pictures = vec![Arc::clone(&a); 60];
    pictures.extend((1..24).map(|n| mixed(&a, &b, n as f32 / 24.0)));
    pictures.extend(vec![b; 60]);
    let found = boundaries(&pictures);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0.abs_diff(72) <= 3 && found[0].1 == Transition::Dissolve, "{found:?}");
}

#[test]
fn a_fade_through_black_is_one_boundary() {
    let (a, b) = (picture(1, 0, 1.0), picture(2, 0, 1.0));
    let black = Arc::new(Signature::new(GRID, vec![16; 64 * 36], vec![128; 64 * 36 / 2]));
    let mut pictures = vec![Arc::clone(&a); 60];
    pictures.extend((1..=24).map(|n| mixed(&a, &black, n as f32 / 24.0)));
    pictures.extend((1..=24).map(|n| mixed(&black, &b, n as f32 / 24.0)));
    pictures.extend(vec![b; 60]);
    let found = boundaries(&pictures);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0.abs_diff(83) <= 2 && found[0].1 == Transition::Fade, "{found:?}");
}

#[test]
fn fading_in_from_black_at_the_start_is_no_boundary() {
    let a = picture(1, 0, 1.0);
    let black = Arc::new(Signature::new(GRID, vec![16; 64 * 36], vec![128; 64 * 36 / 2]));
    let mut pictures = vec![Arc::clone(&black); 10];
    pictures.extend((1..=24).map(|n| mixed(&black, &a, n as f32 / 24.0)));
    pictures.extend(vec![a; 60]);
    assert_eq!(boundaries(&pictures), []);
}

fn any_boundary() -> impl Strategy<Value = Boundary> {
    let kind = prop_oneof![Just(Transition::Cut), Just(Transition::Fade), Just(Transition::Dissolve)];
    (0_i64..20_000_000, kind).prop_map(|(us, kind)| Boundary {
        frame: (us / 33_333) as u64,
        us,
        kind,
        from_us: us,
        to_us: us,
    })
}

proptest! {
    #[test]
    fn merged_boundaries_are_ordered_and_apart(mut all in prop::collection::vec(any_boundary(), 0..60), min in 1_i64..3_000_000) {
        all.sort_by_key(|b| b.us);
        let merged = merge(&all, 20_000_000, min);
        prop_assert!(merged.windows(2).all(|w| w[1].us - w[0].us >= min));
        prop_assert!(merged.iter().all(|b| b.us >= min && b.us <= 20_000_000 - min && all.contains(b)));
        // Nothing that would still fit was dropped.
        for b in &all {
            let fits = b.us >= min && b.us <= 20_000_000 - min && merged.iter().all(|m| (m.us - b.us).abs() >= min);
            prop_assert!(!fits);
        }
    }
}
