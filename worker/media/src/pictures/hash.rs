//! Perceptual hash: alike pictures have hashes that differ in few bits.

use super::{Rgb, measure};

const SIDE: usize = 32;
const LOW: usize = 8;

/// 64 bits: signs of the 8 × 8 lowest cosine terms of a 32 × 32 luma picture around their median, the mean left out
/// (Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010).
pub fn phash(picture: &Rgb) -> u64 {
    of_luma(&measure::luma(picture), picture.width, picture.height)
}

pub(super) fn of_luma(luma: &[u8], width: usize, height: usize) -> u64 {
    let small = shrink(luma, width, height);
    let cosine: Vec<f32> = (0..LOW)
        .flat_map(|u| {
            (0..SIDE)
                .map(move |x| ((2 * x + 1) as f32 * (u + 1) as f32 * std::f32::consts::PI / (2 * SIDE) as f32).cos())
        })
        .collect();
    let mut rows = [[0.0_f32; LOW]; SIDE];
    for (y, row) in rows.iter_mut().enumerate() {
        for (u, term) in row.iter_mut().enumerate() {
            *term = (0..SIDE).map(|x| small[y * SIDE + x] * cosine[u * SIDE + x]).sum();
        }
    }
    let mut terms = [0.0_f32; LOW * LOW];
    for v in 0..LOW {
        for u in 0..LOW {
            terms[v * LOW + u] = (0..SIDE).map(|y| rows[y][u] * cosine[v * SIDE + y]).sum();
        }
    }
    let mut sorted = terms;
    sorted.sort_by(f32::total_cmp);
    let median = (sorted[31] + sorted[32]) / 2.0;
    terms.iter().enumerate().fold(0, |bits, (n, &term)| bits | (u64::from(term > median) << n))
}

/// Number of bits in which two hashes differ, 0–64; below about 10 the pictures are alike.
pub fn hamming(a: u64, b: u64) -> u32 {
    (a ^ b).count_ones()
}

/// Box average to 32 × 32.
fn shrink(luma: &[u8], width: usize, height: usize) -> Vec<f32> {
    let edge =
        |n: usize, size: usize| (n * size / SIDE, ((n + 1) * size / SIDE).max(n * size / SIDE + 1).min(size.max(1)));
    let mut small = vec![0.0; SIDE * SIDE];
    for y in 0..SIDE {
        let (top, bottom) = edge(y, height);
        for x in 0..SIDE {
            let (left, right) = edge(x, width);
            let (mut sum, mut count) = (0_u32, 0_u32);
            for row in top..bottom {
                for &l in luma.get(row * width + left..row * width + right).unwrap_or_default() {
                    sum += u32::from(l);
                    count += 1;
                }
            }
            small[y * SIDE + x] = sum as f32 / count.max(1) as f32;
        }
    }
    small
}
