//! Writing an MP4 that players can begin before they have all of it.
#![allow(unsafe_code, reason = "codec tags and side data of a stream are set through FFmpeg's C structs")]

use std::path::Path;

use ffmpeg::ffi;
use ffmpeg_next as ffmpeg;

use crate::error::{MediaError, Result};

/// An MP4 being written. Tracks are added, then `begin`, then packets in roughly the order of time, then `finish`.
pub(crate) struct Mp4Writer {
    output: ffmpeg::format::context::Output,
    tracks: Vec<Track>,
}

struct Track {
    base: ffmpeg::Rational,
    last_dts: Option<i64>,
}

impl Mp4Writer {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        super::init();
        let output =
            ffmpeg::format::output_as(path, "mp4").map_err(|error| MediaError::ffmpeg("create the MP4", error))?;
        Ok(Self { output, tracks: Vec::new() })
    }

    /// Adds a track; `base` is a wish. `matrix` is the display matrix that makes the picture upright.
    pub(crate) fn add(
        &mut self,
        parameters: &ffmpeg::codec::Parameters,
        base: ffmpeg::Rational,
        matrix: Option<[i32; 9]>,
    ) -> Result<usize> {
        let fail = |error| MediaError::ffmpeg("add a track", error);
        let mut stream = self.output.add_stream(ffmpeg::codec::encoder::find(ffmpeg::codec::Id::None)).map_err(fail)?;
        stream.set_parameters(parameters.clone());
        stream.set_time_base(base);
        // SAFETY: the stream was just made and belongs to the open context. Its tag is that of another container, and 0 lets
        // the muxer choose (avformat.h). The side data is 36 bytes long as asked for, or null, which is checked.
        unsafe {
            let raw = stream.as_mut_ptr();
            (*(*raw).codecpar).codec_tag = 0;
            if let Some(matrix) = matrix {
                let kind = ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX;
                let data = ffi::av_stream_new_side_data(raw, kind, size_of_val(&matrix));
                if data.is_null() {
                    return Err(fail(ffmpeg::Error::Other { errno: libc::ENOMEM }));
                }
                data.cast::<[i32; 9]>().write_unaligned(matrix);
            }
        }
        self.tracks.push(Track { base, last_dts: None });
        Ok(self.tracks.len() - 1)
    }

    pub(crate) fn begin(&mut self) -> Result<()> {
        let mut options = ffmpeg::Dictionary::new();
        // The index goes to the front when all is written: a browser plays with its first request.
        options.set("movflags", "+faststart");
        drop(
            self.output
                .write_header_with(options)
                .map_err(|error| MediaError::ffmpeg("write the MP4's header", error))?,
        );
        for (index, track) in self.tracks.iter_mut().enumerate() {
            // The muxer may have chosen another than was wished for.
            track.base = self.output.stream(index).map_or(track.base, |stream| stream.time_base());
        }
        Ok(())
    }

    /// Writes a packet whose times are in `base`, counted from `origin_us`. One that would go back in time is left out.
    pub(crate) fn write(
        &mut self,
        index: usize,
        mut packet: ffmpeg::Packet,
        base: ffmpeg::Rational,
        origin_us: i64,
    ) -> Result<()> {
        let track = &mut self.tracks[index];
        packet.rescale_ts(base, track.base);
        let origin = ticks(origin_us, track.base);
        packet.set_pts(packet.pts().map(|pts| pts - origin));
        packet.set_dts(packet.dts().map(|dts| dts - origin));
        if let Some(dts) = packet.dts() {
            if track.last_dts.is_some_and(|last| dts <= last) || packet.pts().is_some_and(|pts| pts < dts) {
                return Ok(());
            }
            track.last_dts = Some(dts);
        }
        packet.set_stream(index);
        packet.set_position(-1);
        packet.write_interleaved(&mut self.output).map_err(|error| MediaError::ffmpeg("write into the MP4", error))
    }

    pub(crate) fn finish(mut self) -> Result<()> {
        self.output.write_trailer().map_err(|error| MediaError::ffmpeg("finish the MP4", error))
    }
}

/// Microseconds in ticks of `base`.
fn ticks(us: i64, base: ffmpeg::Rational) -> i64 {
    let scaled = i128::from(us) * i128::from(base.denominator());
    i64::try_from(scaled / (1_000_000 * i128::from(base.numerator().max(1)))).unwrap_or(i64::MAX)
}
