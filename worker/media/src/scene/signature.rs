//! A picture reduced to what cut detection needs: area means of luma and chroma on a coarse grid.
//!
//! Means over areas, read straight from the decoder's planes on every n-th row, cost a tenth of a scaler and, unlike
//! picking single pixels, do not jump when noise or fine texture moves.

use ffmpeg_next as ffmpeg;

use crate::av::planes::{Plane, Planes};
use crate::av::scale::Scaler;
use crate::error::Result;

/// Cells along the long side of the luma grid; chroma has half as many.
pub(super) const LONG_CELLS: usize = 64;
/// Rows read per row of cells.
const ROWS_PER_CELL: usize = 6;

/// Size of the luma grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    pub width: usize,
    pub height: usize,
}

impl Grid {
    pub(super) fn for_picture(width: usize, height: usize) -> Self {
        let long = width.max(height).max(1);
        let cells = |side: usize| (((side * LONG_CELLS + long / 2) / long).div_ceil(2) * 2).clamp(4, LONG_CELLS);
        Self { width: cells(width), height: cells(height) }
    }

    fn chroma(self) -> Self {
        Self { width: self.width / 2, height: self.height / 2 }
    }
}

/// Area means, 0–255, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Signature {
    pub grid: Grid,
    pub luma: Vec<u8>,
    /// Both chroma grids, one after the other, each a quarter of the luma grid.
    pub chroma: Vec<u8>,
    /// Mean of luma.
    pub mean: f32,
    /// Standard deviation of luma over the grid.
    pub spread: f32,
}

impl Signature {
    pub(super) fn new(grid: Grid, luma: Vec<u8>, chroma: Vec<u8>) -> Self {
        let n = luma.len().max(1) as f32;
        let sum: u32 = luma.iter().map(|&l| u32::from(l)).sum();
        let squares: u32 = luma.iter().map(|&l| u32::from(l) * u32::from(l)).sum();
        let mean = sum as f32 / n;
        let spread = (squares as f32 / n - mean * mean).max(0.0).sqrt();
        Self { grid, luma, chroma, mean, spread }
    }
}

/// Computes signatures and keeps its buffers.
pub(super) struct Reducer {
    grid: Grid,
    scaler: Scaler,
    columns: Vec<u16>,
    row: Vec<u8>,
}

impl Reducer {
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { grid: Grid::for_picture(width, height), scaler: Scaler::new(), columns: Vec::new(), row: Vec::new() }
    }

    pub(super) fn reduce(&mut self, frame: &ffmpeg::frame::Video) -> Result<Signature> {
        let grid = self.grid;
        let small = grid.chroma();
        let mut luma = vec![0; grid.width * grid.height];
        let mut chroma = vec![128; small.width * small.height * 2];
        match Planes::of(frame) {
            Some(planes) => {
                self.average(&planes.luma, grid, &mut luma);
                if let Some([u, v]) = &planes.chroma {
                    let (first, second) = chroma.split_at_mut(small.width * small.height);
                    self.average(u, small, first);
                    self.average(v, small, second);
                }
            }
            None => {
                let planes = self.scaler.yuv444(frame, grid.width, grid.height)?;
                luma.copy_from_slice(&planes[0]);
                let halves = planes[1..].iter().flat_map(|plane| {
                    (0..small.height)
                        .flat_map(move |y| (0..small.width).map(move |x| plane[(2 * y) * grid.width + 2 * x]))
                });
                for (out, value) in chroma.iter_mut().zip(halves) {
                    *out = value;
                }
            }
        }
        Ok(Signature::new(grid, luma, chroma))
    }

    /// Area means of `plane` on `grid`. Columns are summed down the rows first, which compilers turn into vector code.
    fn average(&mut self, plane: &Plane<'_>, grid: Grid, out: &mut [u8]) {
        let edge = |n: usize, cells: usize, size: usize| n * size / cells;
        self.columns.resize(plane.width, 0);
        self.row.resize(plane.width, 0);
        for cell_y in 0..grid.height {
            let top = edge(cell_y, grid.height, plane.height);
            let bottom = edge(cell_y + 1, grid.height, plane.height).max(top + 1).min(plane.height);
            let step = ((bottom.saturating_sub(top)) / ROWS_PER_CELL).max(1);
            self.columns.fill(0);
            let mut rows = 0;
            for y in (top..bottom).step_by(step).take(200) {
                rows += 1;
                match plane.row8(y) {
                    Some(row) => add_row(&mut self.columns, row),
                    None => {
                        plane.copy_row(y, &mut self.row);
                        add_row(&mut self.columns, &self.row);
                    }
                }
            }
            for cell_x in 0..grid.width {
                let left = edge(cell_x, grid.width, plane.width).min(plane.width.saturating_sub(1));
                let right = edge(cell_x + 1, grid.width, plane.width).max(left + 1).min(plane.width);
                let sum: u32 = self.columns[left..right].iter().map(|&c| u32::from(c)).sum();
                let count = (rows * (right - left)).max(1) as u32;
                out[cell_y * grid.width + cell_x] = ((sum + count / 2) / count) as u8;
            }
        }
    }
}

#[inline]
fn add_row(columns: &mut [u16], row: &[u8]) {
    for (column, &value) in columns.iter_mut().zip(row) {
        *column += u16::from(value);
    }
}

/// How unlike two pictures are.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Difference {
    /// Mean absolute difference of cells: luma plus both chromas, 0–765.
    pub plain: f32,
    /// Mean luma difference of blocks after each has moved to where it fits best: what motion does not explain.
    pub moved: f32,
    /// Share of cells whose brightness or colour class has no counterpart, 0–1.
    pub histogram: f32,
}

fn sum_absolute(a: &[u8], b: &[u8]) -> u32 {
    a.iter().zip(b).map(|(&a, &b)| u32::from(a.abs_diff(b))).sum()
}

/// `Difference::plain` alone; cheap enough for every pair.
pub(super) fn plain(a: &Signature, b: &Signature) -> f32 {
    let luma = sum_absolute(&a.luma, &b.luma) as f32 / a.luma.len().max(1) as f32;
    // Two chroma grids with a quarter of the cells each.
    let chroma = sum_absolute(&a.chroma, &b.chroma) as f32 * 2.0 / a.chroma.len().max(1) as f32;
    luma + chroma
}

/// All three measures; costs some 100 µs.
pub(super) fn difference(a: &Signature, b: &Signature) -> Difference {
    Difference { plain: plain(a, b), moved: moved(a, b), histogram: histogram(a, b) }
}

const BLOCK: usize = 8;
const REACH_X: isize = 6;
const REACH_Y: isize = 4;

fn moved(a: &Signature, b: &Signature) -> f32 {
    let Grid { width, height } = a.grid;
    if b.grid != a.grid || width < BLOCK || height < BLOCK {
        return plain(a, b);
    }
    let (mut total, mut blocks) = (0.0, 0);
    let starts = |size: usize| (0..=(size - BLOCK)).step_by(BLOCK.min(size - BLOCK + 1));
    for top in starts(height) {
        for left in starts(width) {
            let mut best = u32::MAX;
            for dy in -REACH_Y..=REACH_Y {
                let Some(y) = top.checked_add_signed(dy).filter(|&y| y + BLOCK <= height) else { continue };
                for dx in -REACH_X..=REACH_X {
                    let Some(x) = left.checked_add_signed(dx).filter(|&x| x + BLOCK <= width) else { continue };
                    let mut sum = 0;
                    for row in 0..BLOCK {
                        let here = &b.luma[(top + row) * width + left..][..BLOCK];
                        let there = &a.luma[(y + row) * width + x..][..BLOCK];
                        sum += sum_absolute(here, there);
                    }
                    best = best.min(sum);
                }
            }
            total += best as f32 / (BLOCK * BLOCK) as f32;
            blocks += 1;
        }
    }
    total / blocks.max(1) as f32
}

fn histogram(a: &Signature, b: &Signature) -> f32 {
    let luma = unmatched(&a.luma, &b.luma, 16);
    let half = a.chroma.len() / 2;
    let u = unmatched(&a.chroma[..half], &b.chroma[..half], 8);
    let v = unmatched(&a.chroma[half..], &b.chroma[half..], 8);
    luma.max(u).max(v)
}

/// One minus histogram intersection, classes of `width` values.
fn unmatched(a: &[u8], b: &[u8], width: u8) -> f32 {
    let mut counts = [0_i32; 256];
    for &value in a {
        counts[usize::from(value / width)] += 1;
    }
    for &value in b {
        counts[usize::from(value / width)] -= 1;
    }
    let left: i32 = counts.iter().map(|count| count.abs()).sum();
    left as f32 / (a.len() + b.len()).max(1) as f32
}

/// How well `middle` is a mixture of `a` and `b`: the share of `b`, and the error of that mixture relative to the
/// distance between `a` and `b` (0: exactly a mixture). Dissolves and fades mix, motion does not.
pub(super) fn mixture(a: &Signature, middle: &Signature, b: &Signature) -> (f32, f32) {
    let (mut dot, mut square) = (0_i64, 0_i64);
    for ((&a, &m), &b) in a.luma.iter().zip(&middle.luma).zip(&b.luma) {
        let (am, ab) = (i64::from(m) - i64::from(a), i64::from(b) - i64::from(a));
        dot += am * ab;
        square += ab * ab;
    }
    if square == 0 {
        return (0.0, 1.0);
    }
    let share = dot as f32 / square as f32;
    let mut error = 0.0_f32;
    for ((&a, &m), &b) in a.luma.iter().zip(&middle.luma).zip(&b.luma) {
        let (a, m, b) = (f32::from(a), f32::from(m), f32::from(b));
        let off = m - a - share * (b - a);
        error += off * off;
    }
    (share, (error / square as f32).sqrt())
}

fn covariance(a: &Signature, b: &Signature) -> f32 {
    let products: u32 = a.luma.iter().zip(&b.luma).map(|(&a, &b)| u32::from(a) * u32::from(b)).sum();
    products as f32 / a.luma.len().max(1) as f32 - a.mean * b.mean
}

/// Luma variance that a mixture with `share` of `b` has, from the variances of both and their covariance. Unlike pictures
/// cancel out in a dissolve, so its middle is flatter than its ends; what merely moves or turns keeps its contrast.
pub(super) fn mixed_variance(a: &Signature, b: &Signature, share: f32) -> f32 {
    let rest = 1.0 - share;
    rest * rest * a.spread * a.spread + share * share * b.spread * b.spread + 2.0 * share * rest * covariance(a, b)
}

/// The same picture, darker or brighter: luma correlates and hues stay. Fades, flashes and exposure do this, cuts do not.
pub(super) fn is_relit(a: &Signature, b: &Signature) -> bool {
    let flat = a.spread.min(b.spread) < 1.0;
    !flat && covariance(a, b) > 0.85 * a.spread * b.spread && hues_agree(a, b)
}

/// Chroma points the same way from grey in most cells, or there is hardly any.
fn hues_agree(a: &Signature, b: &Signature) -> bool {
    let (mut dot, mut aa, mut bb) = (0_i64, 0_i64, 0_i64);
    for (&a, &b) in a.chroma.iter().zip(&b.chroma) {
        let (a, b) = (i64::from(a) - 128, i64::from(b) - 128);
        (dot, aa, bb) = (dot + a * b, aa + a * a, bb + b * b);
    }
    let grey = 9 * a.chroma.len() as i64;
    (aa < grey && bb < grey) || dot as f64 > 0.8 * (aa as f64 * bb as f64).sqrt()
}

/// Correlation of details (what is left of luma when the mean around each cell is taken away), −1 to 1. `None` when one
/// picture has next to none.
pub(super) fn detail_correlation(a: &Signature, b: &Signature) -> Option<f32> {
    let (dot, aa, bb) = details(a, b);
    let least = 16 * a.luma.len() as i64;
    (aa > least && bb > least).then(|| (dot as f64 / (aa as f64 * bb as f64).sqrt()) as f32)
}

/// How much detail a picture has, for comparing with [`mixed_detail`].
pub(super) fn detail(picture: &Signature) -> f32 {
    details(picture, picture).1 as f32
}

/// How much detail a mixture with `share` of `b` has. A picture that glides by less than a cell looks like a mixture of its first and last
/// place, of fine textures as well as of soft edges, but keeps its details; a mixture of unlike pictures loses up to half of them.
pub(super) fn mixed_detail(a: &Signature, b: &Signature, share: f32) -> f32 {
    let (dot, aa, bb) = details(a, b);
    let rest = 1.0 - share;
    rest * rest * aa as f32 + share * share * bb as f32 + 2.0 * share * rest * dot as f32
}

/// Sums over all cells but those at the edge of the products of both pictures' details, of the squares of `a`'s and of `b`'s.
fn details(a: &Signature, b: &Signature) -> (i64, i64, i64) {
    let Grid { width, height } = a.grid;
    let (mut dot, mut aa, mut bb) = (0_i64, 0_i64, 0_i64);
    for y in 1..height.saturating_sub(1) {
        for n in y * width + 1..(y + 1) * width - 1 {
            let detail = |luma: &[u8]| {
                let around = [n - 1, n + 1, n - width, n + width].into_iter().map(|m| i64::from(luma[m])).sum::<i64>();
                4 * i64::from(luma[n]) - around
            };
            let (a, b) = (detail(&a.luma), detail(&b.luma));
            (dot, aa, bb) = (dot + a * b, aa + a * a, bb + b * b);
        }
    }
    (dot, aa, bb)
}
