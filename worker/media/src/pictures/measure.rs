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

/// Everything that choosing between frames needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measures {
    pub sharpness: f32,
    pub brightness: f32,
    pub phash: u64,
    pub colour: Colour,
}

/// What colours a picture has, on the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Colour {
    /// Mean saturation (HSV), 0–1.
    pub saturation: f32,
    /// Mean of red minus blue, −1 (cold) to 1 (warm).
    pub warmth: f32,
}

pub(crate) fn measure(picture: &Rgb) -> Measures {
    let luma = luma(picture);
    Measures {
        sharpness: laplacian_variance(&luma, picture.width, picture.height),
        brightness: mean(&luma),
        phash: super::hash::of_luma(&luma, picture.width, picture.height),
        colour: colour(picture),
    }
}

/// Mean luma, 0–1.
pub fn brightness(picture: &Rgb) -> f32 {
    mean(&luma(picture))
}

fn mean(luma: &[u8]) -> f32 {
    let sum: u64 = luma.iter().map(|&l| u64::from(l)).sum();
    sum as f32 / luma.len().max(1) as f32 / 255.0
}

/// Colours, by every 16th pixel or so.
pub fn colour(picture: &Rgb) -> Colour {
    const STEP: usize = 4;
    let (mut saturation, mut warmth, mut count) = (0.0, 0.0, 0_u32);
    for row in picture.data.chunks_exact((picture.width * 3).max(1)).step_by(STEP) {
        for p in row.chunks_exact(3).step_by(STEP) {
            let (most, least) = (p[0].max(p[1]).max(p[2]), p[0].min(p[1]).min(p[2]));
            saturation += if most == 0 { 0.0 } else { f64::from(most - least) / f64::from(most) };
            warmth += (f64::from(p[0]) - f64::from(p[2])) / 255.0;
            count += 1;
        }
    }
    let mean = |sum: f64| (sum / f64::from(count.max(1))) as f32;
    Colour { saturation: mean(saturation), warmth: mean(warmth) }
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

fn laplacian_variance(luma: &[u8], width: usize, height: usize) -> f32 {
    if width < 3 || height < 3 {
        return 0.0;
    }
    let (mut sum, mut squares) = (0_i64, 0_i64);
    for y in 1..height - 1 {
        let above = &luma[(y - 1) * width..][..width];
        let here = &luma[y * width..][..width];
        let below = &luma[(y + 1) * width..][..width];
        // Slices of equal length and 32-bit sums per row, so that compilers make vector code of it.
        let sides = here[..width - 2].iter().zip(&here[2..]);
        let (mut row_sum, mut row_squares) = (0_i32, 0_u32);
        for (((&up, &down), (&left, &right)), &middle) in
            above[1..width - 1].iter().zip(&below[1..width - 1]).zip(sides).zip(&here[1..width - 1])
        {
            let around = i32::from(up) + i32::from(down) + i32::from(left) + i32::from(right);
            let edge = around - 4 * i32::from(middle);
            row_sum += edge;
            row_squares = row_squares.wrapping_add((edge * edge) as u32);
        }
        sum += i64::from(row_sum);
        squares += i64::from(row_squares);
    }
    let n = ((width - 2) * (height - 2)) as f64;
    let mean = sum as f64 / n;
    (squares as f64 / n - mean * mean) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(rgb: [u8; 3], width: usize, height: usize) -> Rgb {
        Rgb { width, height, data: rgb.repeat(width * height) }
    }

    #[test]
    fn colours_are_told_from_grey_and_warm_from_cold() {
        for (rgb, saturation, warmth) in
            [([0, 0, 0], 0.0, 0.0), ([128, 128, 128], 0.0, 0.0), ([255, 0, 0], 1.0, 1.0), ([64, 64, 128], 0.5, -0.251)]
        {
            for (width, height) in [(1, 1), (7, 5), (64, 36)] {
                let found = colour(&plain(rgb, width, height));
                assert!(
                    (found.saturation - saturation).abs() < 1e-3 && (found.warmth - warmth).abs() < 1e-3,
                    "{rgb:?}: {found:?}"
                );
            }
        }
        assert_eq!(colour(&Rgb { width: 0, height: 0, data: Vec::new() }), Colour::default());
    }
}
