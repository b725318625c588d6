//! Where writing may be: a cheap look for strokes, so that the detector, which costs by the pixel, sees only those places.
//!
//! A stroke has two edges, so a tile crossed by writing has many steps from dark to light and as many back, and steps between
//! rows as well (the idea of stroke-based text detectors, Epshtein et al., "Detecting Text in Natural Scenes with Stroke Width
//! Transform", CVPR 2010). Textures pass too; the detector decides. `scripts/bench ocr` says how
//! much of a picture is left to look at, and what looking costs.

use image::{GrayImage, Luma};
use imageproc::region_labelling::{Connectivity, connected_components};

use crate::picture::{Part, Picture};

/// Size of a tile, pixels.
const TILE: (usize, usize) = (32, 16);
/// Samples of a tile that two pictures are compared by: means of 4 × 4 pixels.
const CELL: usize = 4;
const CELLS: usize = (TILE.0 / CELL) * (TILE.1 / CELL);
/// A step: luma (0–255) two pixels apart.
const STEP: i16 = 55;
/// Steps of each kind in a tile with strokes, of 512 places.
const LEAST_STEPS: u16 = 8;
/// The second look is at a quarter of the size, for writing whose strokes are wider than a tile.
const COARSE: usize = 4;
/// Cells that differ by so much in luma are other cells; one may do so by itself in compressed video.
const CHANGED: u8 = 24;
const CHANGED_CELLS: usize = 2;

/// The tiles of a picture that may have writing.
#[derive(Clone)]
pub struct Strokes {
    columns: usize,
    rows: usize,
    marked: Vec<bool>,
    /// For each tile its cells' mean luma.
    cells: Vec<[u8; CELLS]>,
}

impl Strokes {
    /// Looks at a picture once.
    pub fn of(picture: Picture<'_>) -> Self {
        let luma = luma(picture);
        let (width, height) = (picture.width(), picture.height());
        let (columns, rows) = (width.div_ceil(TILE.0), height.div_ceil(TILE.1));
        let mut marked = tiles_with_strokes(&luma, width, height);
        let (small, small_width, small_height) = shrink(&luma, width, height, COARSE);
        let coarse_columns = small_width.div_ceil(TILE.0);
        for (index, _) in tiles_with_strokes(&small, small_width, small_height).iter().enumerate().filter(|(_, m)| **m)
        {
            let (left, top) = (index % coarse_columns * COARSE, index / coarse_columns * COARSE);
            for row in top..(top + COARSE).min(rows) {
                marked[row * columns + left..row * columns + (left + COARSE).min(columns)].fill(true);
            }
        }
        Self { columns, rows, marked, cells: cells(&small, small_width, small_height, columns, rows) }
    }

    /// No tile has strokes.
    pub fn is_empty(&self) -> bool {
        !self.marked.contains(&true)
    }

    /// How much of the picture may have writing, 0 to 1.
    pub fn share(&self) -> f64 {
        self.marked.iter().filter(|&&marked| marked).count() as f64 / self.marked.len().max(1) as f64
    }

    /// Whether two pictures of one size show the same wherever either may have writing.
    pub fn same_as(&self, other: &Self) -> bool {
        if (self.columns, self.rows) != (other.columns, other.rows) {
            return false;
        }
        let tiles = self.marked.iter().zip(&other.marked).zip(self.cells.iter().zip(&other.cells));
        tiles
            .filter(|((a, b), _)| **a || **b)
            .all(|(_, (a, b))| a.iter().zip(b).filter(|(a, b)| a.abs_diff(**b) > CHANGED).count() < CHANGED_CELLS)
    }

    /// Rectangles, in pixels, that hold every marked tile with a tile's margin; none overlaps another.
    pub(super) fn parts(&self) -> Vec<Part> {
        let mut grid = GrayImage::new(as_u32(self.columns), as_u32(self.rows));
        for (index, _) in self.marked.iter().enumerate().filter(|(_, marked)| **marked) {
            let (column, row) = (index % self.columns, index / self.columns);
            for y in row.saturating_sub(1)..(row + 2).min(self.rows) {
                for x in column.saturating_sub(1)..(column + 2).min(self.columns) {
                    grid.put_pixel(as_u32(x), as_u32(y), Luma([255]));
                }
            }
        }
        bounds_of_components(&grid, TILE)
    }
}

/// Rectangles around the connected white parts of a picture whose pixels are `scale` pixels wide and high; those that overlap
/// become one.
pub(super) fn bounds_of_components(mask: &GrayImage, scale: (usize, usize)) -> Vec<Part> {
    let labels = connected_components(mask, Connectivity::Eight, Luma([0]));
    let mut bounds: Vec<Option<[u32; 4]>> = Vec::new();
    for (x, y, label) in labels.enumerate_pixels().filter(|(_, _, label)| label[0] > 0) {
        let index = label[0] as usize;
        if bounds.len() <= index {
            bounds.resize(index + 1, None);
        }
        let [left, top, right, bottom] = bounds[index].get_or_insert([x, y, x + 1, y + 1]);
        (*left, *top) = ((*left).min(x), (*top).min(y));
        (*right, *bottom) = ((*right).max(x + 1), (*bottom).max(y + 1));
    }
    let (wide, high) = (scale.0 as f64, scale.1 as f64);
    let parts = bounds.into_iter().flatten().map(|[left, top, right, bottom]| Part {
        left: f64::from(left) * wide,
        top: f64::from(top) * high,
        width: f64::from(right - left) * wide,
        height: f64::from(bottom - top) * high,
    });
    merge_overlapping(parts.collect())
}

/// Rectangles that overlap are replaced by the one around them, until none does.
pub(super) fn merge_overlapping(mut parts: Vec<Part>) -> Vec<Part> {
    let mut at = 0;
    while at < parts.len() {
        let one = parts[at];
        match parts[at + 1..].iter().position(|other| overlap(one, *other)) {
            Some(offset) => {
                let other = parts.swap_remove(at + 1 + offset);
                parts[at] = around(one, other);
                // What was looked at before may overlap the larger one.
                at = 0;
            }
            None => at += 1,
        }
    }
    parts
}

fn overlap(a: Part, b: Part) -> bool {
    a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height
}

fn around(a: Part, b: Part) -> Part {
    let (left, top) = (a.left.min(b.left), a.top.min(b.top));
    let (right, bottom) = ((a.left + a.width).max(b.left + b.width), (a.top + a.height).max(b.top + b.height));
    Part { left, top, width: right - left, height: bottom - top }
}

fn as_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Luma by ITU-R BT.601 weights, 0–255.
fn luma(picture: Picture<'_>) -> Vec<u8> {
    let weigh = |p: &[u8]| ((u32::from(p[0]) * 77 + u32::from(p[1]) * 150 + u32::from(p[2]) * 29) >> 8) as u8;
    picture.rgb().chunks_exact(3).map(weigh).collect()
}

/// For each tile whether it has enough steps up, down and between rows. Tiles at the right and bottom edge may be smaller.
fn tiles_with_strokes(luma: &[u8], width: usize, height: usize) -> Vec<bool> {
    let (columns, rows) = (width.div_ceil(TILE.0), height.div_ceil(TILE.1));
    let mut counts = vec![[0_u16; 3]; columns * rows];
    if width < 3 || height < 3 {
        return vec![false; columns * rows];
    }
    let (mut up, mut down, mut across) = (vec![0_u8; width], vec![0_u8; width], vec![0_u8; width]);
    for y in 1..height - 1 {
        let here = &luma[y * width..][..width];
        let (above, below) = (&luma[(y - 1) * width..][..width], &luma[(y + 1) * width..][..width]);
        // Whole rows of bytes, so that compilers make vector code of it.
        let pairs = here[..width - 2].iter().zip(&here[2..]);
        for ((up, down), (&left, &right)) in up[1..].iter_mut().zip(&mut down[1..]).zip(pairs) {
            let step = i16::from(right) - i16::from(left);
            *up = u8::from(step > STEP);
            *down = u8::from(step < -STEP);
        }
        for (across, (&a, &b)) in across.iter_mut().zip(above.iter().zip(below)) {
            *across = u8::from(a.abs_diff(b) > STEP as u8);
        }
        let sum = |row: &[u8]| row.iter().map(|&n| u16::from(n)).sum::<u16>();
        let tiles = &mut counts[y / TILE.1 * columns..][..columns];
        let cut = up.chunks(TILE.0).zip(down.chunks(TILE.0)).zip(across.chunks(TILE.0));
        for (count, ((up, down), across)) in tiles.iter_mut().zip(cut) {
            count[0] += sum(up);
            count[1] += sum(down);
            count[2] += sum(across);
        }
    }
    counts.iter().map(|count| count.iter().all(|&n| n >= LEAST_STEPS)).collect()
}

/// Means of `by` × `by` pixels; what is left at the right and bottom edge is dropped, but nothing becomes empty.
fn shrink(luma: &[u8], width: usize, height: usize, by: usize) -> (Vec<u8>, usize, usize) {
    let (small_width, small_height) = ((width / by).max(1), (height / by).max(1));
    let mut small = Vec::with_capacity(small_width * small_height);
    for y in 0..small_height {
        let rows = (y * by..((y + 1) * by).min(height)).map(|row| &luma[row * width..][..width]);
        let mut sums = vec![0_u32; small_width];
        let mut lines = 0;
        for row in rows {
            lines += 1;
            for (sum, cell) in sums.iter_mut().zip(row.chunks(by)) {
                *sum += cell.iter().map(|&l| u32::from(l)).sum::<u32>();
            }
        }
        let count = lines * as_u32(by.min(width));
        small.extend(sums.iter().map(|sum| (sum / count.max(1)).min(255) as u8));
    }
    (small, small_width, small_height)
}

/// The cells of every tile, from the picture shrunk by [`CELL`]; cells outside of it are 0.
fn cells(small: &[u8], width: usize, height: usize, columns: usize, rows: usize) -> Vec<[u8; CELLS]> {
    let (wide, high) = (TILE.0 / CELL, TILE.1 / CELL);
    (0..columns * rows)
        .map(|tile| {
            let (left, top) = (tile % columns * wide, tile / columns * high);
            std::array::from_fn(|n| {
                let (x, y) = (left + n % wide, top + n / wide);
                if x < width && y < height { small[y * width + x] } else { 0 }
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Vertical bars, two pixels wide, in a frame from `left` to `left + 40`.
    fn barred(width: usize, height: usize, left: usize) -> Vec<u8> {
        let shade = |x: usize, y: usize| {
            let inside = (left..left + 40).contains(&x) && (20..36).contains(&y);
            if inside && (x / 2 + y / 4).is_multiple_of(2) { 255 } else { 0 }
        };
        (0..width * height).flat_map(|n| [shade(n % width, n / width); 3]).collect()
    }

    #[test]
    fn strokes_are_found_where_they_are_and_their_move_is_seen() {
        let still = barred(320, 180, 100);
        let strokes = Strokes::of(Picture::new(320, 180, &still).unwrap());
        let [part] = strokes.parts()[..] else { panic!("{:?}", strokes.parts()) };
        assert!(part.left <= 96.0 && part.left + part.width >= 140.0 && part.width < 200.0, "{part:?}");
        assert!(strokes.same_as(&strokes));
        let moved = barred(320, 180, 120);
        assert!(!strokes.same_as(&Strokes::of(Picture::new(320, 180, &moved).unwrap())));
        let blank = vec![90; 320 * 180 * 3];
        let blank = Strokes::of(Picture::new(320, 180, &blank).unwrap());
        assert!(blank.is_empty() && !blank.same_as(&strokes));
    }

    #[test]
    fn the_smallest_pictures_have_none() {
        for (width, height) in [(1, 1), (4, 4), (2, 300), (33, 17)] {
            let rgb = vec![7; width * height * 3];
            assert!(Strokes::of(Picture::new(width, height, &rgb).unwrap()).parts().is_empty());
        }
    }

    proptest! {
        #[test]
        fn merged_rectangles_are_apart_and_cover_all(
            given in prop::collection::vec((0_u8..100, 0_u8..100, 1_u8..30, 1_u8..30), 0..20),
        ) {
            let parts: Vec<Part> = given.iter().map(|&(x, y, w, h)| Part {
                left: f64::from(x), top: f64::from(y), width: f64::from(w), height: f64::from(h),
            }).collect();
            let merged = merge_overlapping(parts.clone());
            for (n, one) in merged.iter().enumerate() {
                prop_assert!(merged[n + 1..].iter().all(|other| !overlap(*one, *other)));
            }
            for part in parts {
                prop_assert!(merged.iter().any(|one| around(*one, part) == *one));
            }
        }
    }
}
