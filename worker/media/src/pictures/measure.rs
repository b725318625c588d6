//! Numbers that tell a good picture from a bad one.

use super::Rgb;

/// Luma by ITU-R BT.601 weights, 0–255, row by row.
pub(super) fn luma(picture: &Rgb) -> Vec<u8> {
    picture
        .data
        .chunks_exact(3)
        .map(|p| ((u32::from(p[0]) * 77 + u32::from(p[1]) * 150 + u32::from(p[2]) * 29) >> 8) as u8)
        .collect()
}

/// Mean luma, 0–1.
pub fn brightness(picture: &Rgb) -> f32 {
    let luma = luma(picture);
    let sum: u64 = luma.iter().map(|&l| u64::from(l)).sum();
    sum as f32 / luma.len().max(1) as f32 / 255.0
}

/// Standard deviation of luma, 0–128: near 0 for black or blank pictures.
pub fn contrast(picture: &Rgb) -> f64 {
    let luma = luma(picture);
    let (mut sum, mut squares) = (0_u64, 0_u64);
    for &l in &luma {
        sum += u64::from(l);
        squares += u64::from(l) * u64::from(l);
    }
    let n = luma.len().max(1) as f64;
    let mean = sum as f64 / n;
    (squares as f64 / n - mean * mean).max(0.0).sqrt()
}

/// Variance of the Laplacian of luma: the usual measure of focus (Pech-Pacheco et al., ICPR 2000). Higher is sharper.
pub fn sharpness(picture: &Rgb) -> f32 {
    laplacian_variance(&luma(picture), picture.width, picture.height)
}

pub(crate) fn laplacian_variance(luma: &[u8], width: usize, height: usize) -> f32 {
    if width < 3 || height < 3 {
        return 0.0;
    }
    let (mut sum, mut squares) = (0_i64, 0_i64);
    for y in 1..height - 1 {
        let above = &luma[(y - 1) * width..][..width];
        let here = &luma[y * width..][..width];
        let below = &luma[(y + 1) * width..][..width];
        let (mut row_sum, mut row_squares) = (0_i32, 0_i64);
        for x in 1..width - 1 {
            let around = i32::from(above[x]) + i32::from(below[x]) + i32::from(here[x - 1]) + i32::from(here[x + 1]);
            let edge = around - 4 * i32::from(here[x]);
            row_sum += edge;
            row_squares += i64::from(edge * edge);
        }
        sum += i64::from(row_sum);
        squares += row_squares;
    }
    let n = ((width - 2) * (height - 2)) as f64;
    let mean = sum as f64 / n;
    (squares as f64 / n - mean * mean) as f32
}
