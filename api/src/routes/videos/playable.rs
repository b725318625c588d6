//! Which files every current browser (Chrome, Edge, Firefox, Safari) plays as they are. Everything else gets a proxy.
//!
//! | container | picture | sound |
//! |---|---|---|
//! | MP4, MOV | H.264, AV1, VP9; 8 bit, 4:2:0 | none, AAC, MP3, Opus, FLAC |
//! | WebM (Matroska) | VP8, VP9, AV1; 8 bit, 4:2:0 | none, Opus, Vorbis |
//!
//! So not: HEVC (Firefox, Chrome without hardware), H.264 with 10 bits or 4:2:2, MPEG-4 part 2, ProRes, H.264 in Matroska
//! (Firefox, Safari), AVI and MPEG streams, AC-3 and PCM. A file is judged by the sound track that would be heard.
//! Sources: caniuse.com and MDN, "Media container formats" and "Web video codec guide".

use heimdex_db::videos::MetadataRow;

/// The type under which browsers play the file, or `None`. Names are FFmpeg's.
pub fn browser_type(file: &MetadataRow) -> Option<&'static str> {
    let container = file.container.to_ascii_lowercase();
    let is = |name: &str| container.split(',').any(|part| part == name);
    let plain = file.bit_depth.is_none_or(|depth| depth <= 8)
        && file.pixel_format.as_deref().is_none_or(|format| matches!(format, "yuv420p" | "yuvj420p"));
    let picture = file.video_codec.as_str();
    let sound = file.audio_codec.as_deref();
    let (pictures, sounds, mime_type): (&[_], &[_], _) = if is("mp4") || is("mov") {
        (&["h264", "av1", "vp9"], &["aac", "mp3", "opus", "flac"], "video/mp4")
    } else if is("matroska") {
        (&["vp8", "vp9", "av1"], &["opus", "vorbis"], "video/webm")
    } else {
        return None;
    };
    (plain && pictures.contains(&picture) && sound.is_none_or(|codec| sounds.contains(&codec))).then_some(mime_type)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn file(container: &str, video: &str, audio: Option<&str>, (bit_depth, pixels): (i16, &str)) -> MetadataRow {
        MetadataRow {
            container: container.into(),
            duration_ms: 1000,
            fps: 25.0,
            variable_fps: false,
            rotation: 0,
            video_codec: video.into(),
            bit_depth: Some(bit_depth),
            pixel_format: Some(pixels.into()),
            bit_rate: None,
            audio_codec: audio.map(Into::into),
            audio_tracks: Value::Null,
            creation_time: None,
        }
    }

    const PLAIN: (i16, &str) = (8, "yuv420p");

    #[test]
    fn what_browsers_play_is_served_as_it_is() {
        for (container, video, audio, expected) in [
            ("mp4", "h264", Some("aac"), "video/mp4"),
            ("mp4", "h264", None, "video/mp4"),
            ("mp4", "av1", Some("opus"), "video/mp4"),
            ("matroska", "vp9", Some("opus"), "video/webm"),
            ("matroska", "vp8", Some("vorbis"), "video/webm"),
        ] {
            assert_eq!(
                browser_type(&file(container, video, audio, PLAIN)),
                Some(expected),
                "{container} {video} {audio:?}"
            );
        }
        // Looked at before pixel formats were kept.
        let mut old = file("mp4", "h264", Some("aac"), PLAIN);
        old.pixel_format = None;
        assert_eq!(browser_type(&old), Some("video/mp4"));
    }

    #[test]
    fn what_some_browser_does_not_play_gets_a_proxy() {
        for (container, video, audio, pixels) in [
            ("mp4", "hevc", Some("aac"), PLAIN),
            ("mp4", "h264", Some("aac"), (10, "yuv420p10le")),
            ("mp4", "h264", Some("aac"), (8, "yuv422p")),
            ("mp4", "vp9", Some("opus"), (10, "yuv420p10le")),
            ("mp4", "mpeg4", Some("aac"), PLAIN),
            ("mp4", "prores", None, (10, "yuv422p10le")),
            ("mp4", "h264", Some("ac3"), PLAIN),
            ("mp4", "h264", Some("pcm_s16le"), PLAIN),
            ("matroska", "h264", Some("aac"), PLAIN),
            ("matroska", "vp9", Some("aac"), PLAIN),
            ("avi", "mpeg4", Some("mp3"), PLAIN),
            ("avi", "h264", Some("aac"), PLAIN),
            ("mpeg_ts", "h264", Some("aac"), PLAIN),
            ("mpeg_ps", "mpeg2video", Some("mp2"), PLAIN),
        ] {
            assert_eq!(
                browser_type(&file(container, video, audio, pixels)),
                None,
                "{container} {video} {audio:?} {pixels:?}"
            );
        }
    }
}
