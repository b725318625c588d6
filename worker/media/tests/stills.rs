//! Photos: what comes out is upright, small and tells nothing but what is to be seen; whatever goes in.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use std::path::Path;

use common::Desk;
use heimdex_media::child::{Request, Response};
use heimdex_media::pictures::{Rgb, encode_jpeg, read_jpeg};
use heimdex_media::still::Still;
use heimdex_media::{MediaError, RejectCode};
use image::{ImageBuffer, ImageFormat, Rgba};

async fn decode(desk: &Desk, source: &Path) -> Result<(Still, Rgb), MediaError> {
    let target = desk.path("out.jpg");
    let request = Request::DecodeStill { source: source.into(), target: target.clone(), long_side: 1280 };
    match desk.run(request).await?.response {
        Response::DecodeStill { still } => Ok((still, read_jpeg(&target)?)),
        other => panic!("not a still: {other:?}"),
    }
}

async fn rejection(desk: &Desk, name: &str, bytes: impl AsRef<[u8]>) -> RejectCode {
    match decode(desk, &desk.write(name, bytes)).await {
        Err(MediaError::Rejected { code, .. }) => code,
        other => panic!("{name} was not rejected: {other:?}"),
    }
}

/// Left half red, right half blue.
fn red_and_blue(width: usize, height: usize) -> Rgb {
    let data = (0..width * height).flat_map(|n| if n % width < width / 2 { [220, 10, 10] } else { [10, 10, 220] });
    Rgb { width, height, data: data.collect() }
}

/// With an APP1 segment: orientation as given, and a place on earth.
fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x02".to_vec();
    exif.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    exif.extend([0x01, 0x0e, 0, 2, 0, 0, 0, 20, 0, 0, 0, 38]);
    exif.extend([0; 4]);
    exif.extend(b"52.5200N 13.4050E  \0");
    let mut out = jpeg[..2].to_vec();
    out.extend([0xff, 0xe1]);
    out.extend(u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
    out.extend(&exif);
    out.extend(&jpeg[2..]);
    out
}

fn is_red(picture: &Rgb, x: usize, y: usize) -> bool {
    let at = (y * picture.width + x) * 3;
    picture.data[at] > 150 && picture.data[at + 2] < 100
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = !0_u32;
    for &byte in kind.iter().chain(data) {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], kind, data, &(!crc).to_be_bytes()].concat()
}

/// A PNG header that promises this size, and almost nothing behind it.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        chunk(b"IDAT", &[0x78, 0x9c, 3, 0, 0, 0, 0, 1]),
        chunk(b"IEND", &[]),
    ]
    .concat()
}

#[tokio::test]
async fn a_phones_photo_stands_upright_and_says_nothing_of_where_it_was_taken() {
    let desk = Desk::new();
    let jpeg = with_exif(&encode_jpeg(&red_and_blue(400, 200), 90).unwrap(), 6);
    let (still, picture) = decode(&desk, &desk.write("lying.jpg", jpeg)).await.unwrap();
    // A quarter turn clockwise: what was left is on top.
    assert_eq!(still, Still { width: 200, height: 400, source_width: 400, source_height: 200 });
    assert!(is_red(&picture, 100, 50) && !is_red(&picture, 100, 350));
    let written = std::fs::read(desk.path("out.jpg")).unwrap();
    assert!(!written.windows(4).any(|part| part == b"Exif" || part == b"52.5"), "metadata came through");
}

#[tokio::test]
async fn png_and_webp_are_read_large_ones_shrunk_and_what_is_transparent_becomes_white() {
    let desk = Desk::new();
    let mut png = std::io::Cursor::new(Vec::new());
    let clear = ImageBuffer::from_pixel(3000_u32, 1500_u32, Rgba([0_u8, 0, 0, 0]));
    clear.write_to(&mut png, ImageFormat::Png).unwrap();
    let (still, picture) = decode(&desk, &desk.write("clear.png", png.into_inner())).await.unwrap();
    assert_eq!((still.width, still.height), (1280, 640));
    assert!(picture.data.iter().all(|&part| part > 250));

    let webp = heimdex_media::pictures::encode_webp(&red_and_blue(64, 48), 90.0).unwrap();
    let (still, picture) = decode(&desk, &desk.write("small.webp", webp)).await.unwrap();
    assert_eq!((still.width, still.height), (64, 48));
    assert!(is_red(&picture, 10, 20) && !is_red(&picture, 50, 20));
}

#[tokio::test]
async fn four_pixels_are_a_picture_too() {
    let desk = Desk::new();
    let jpeg = encode_jpeg(&red_and_blue(2, 2), 90).unwrap();
    let (still, _) = decode(&desk, &desk.write("tiny.jpg", jpeg)).await.unwrap();
    assert_eq!((still.width, still.height), (2, 2));
}

#[tokio::test]
async fn what_is_no_picture_or_too_much_of_one_is_told_apart() {
    let desk = Desk::new();
    assert_eq!(rejection(&desk, "empty.jpg", []).await, RejectCode::EmptyFile);
    assert_eq!(rejection(&desk, "text.jpg", "Dear diary, this is not a photo.").await, RejectCode::NotAPicture);
    assert_eq!(rejection(&desk, "dots.gif", b"GIF89a\x01\0\x01\0\0\0\0;").await, RejectCode::NotAPicture);
    assert_eq!(
        rejection(&desk, "drawing.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>").await,
        RejectCode::NotAPicture
    );
    assert_eq!(rejection(&desk, "wide.png", png_of(100_000, 1)).await, RejectCode::PictureTooLarge);
    assert_eq!(rejection(&desk, "bomb.png", png_of(19_000, 19_000)).await, RejectCode::PictureTooLarge);
    assert_eq!(rejection(&desk, "hollow.png", png_of(100, 100)).await, RejectCode::PictureDamaged);
    let jpeg = encode_jpeg(&red_and_blue(400, 200), 90).unwrap();
    assert_eq!(rejection(&desk, "headless.jpg", &jpeg[..20]).await, RejectCode::PictureDamaged);
}

#[tokio::test]
async fn a_compressed_colour_profile_that_would_fill_the_memory_does_not() {
    let desk = Desk::new();
    // 1 GiB of zeros behind a few kilobytes, as a PNG's colour profile.
    let mut deflated = vec![0x78, 0xda];
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![0_u8; 1 << 20];
    for _ in 0..1024 {
        std::io::Write::write_all(&mut encoder, &zeros).unwrap();
    }
    deflated.extend(encoder.finish().unwrap());
    let header = [&1_u32.to_be_bytes()[..], &1_u32.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let profile = [b"p\0\0".to_vec(), deflated].concat();
    let png = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        chunk(b"iCCP", &profile),
        chunk(b"IDAT", &[0x78, 0x9c, 0x63, 0x60, 0x60, 0x60, 0, 0, 0, 4, 0, 1]),
        chunk(b"IEND", &[]),
    ]
    .concat();
    let source = desk.write("profile.png", png);
    let target = desk.path("out.jpg");
    let request = Request::DecodeStill { source, target, long_side: 1280 };
    let finished = desk.run(request).await;
    // Read without its profile, or rejected: but never a gigabyte.
    match finished {
        Ok(finished) => assert!(finished.usage.max_rss_bytes < 256 << 20, "{:?}", finished.usage),
        Err(MediaError::Rejected { .. }) => {}
        Err(other) => panic!("{other:?}"),
    }
}
