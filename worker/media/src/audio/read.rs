//! Reading the sound artifact back, in pure Rust: it is our own file, so this may run in the worker itself.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::error::{MediaError, Result};

/// Streams the artifact as mono samples in −1..1.
pub struct PcmReader {
    reader: claxon::FlacReader<BufReader<File>>,
    sample_rate: u32,
    samples: u64,
    block: Vec<i32>,
}

impl PcmReader {
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(MediaError::io("open the sound artifact"))?;
        let reader = claxon::FlacReader::new(BufReader::new(file))
            .map_err(|error| MediaError::failed("read the sound artifact", error))?;
        let info = reader.streaminfo();
        if info.channels != 1 || info.bits_per_sample != 16 {
            return Err(MediaError::failed("read the sound artifact", "not mono 16 bit"));
        }
        Ok(Self { sample_rate: info.sample_rate, samples: info.samples.unwrap_or(0), reader, block: Vec::new() })
    }

    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Samples in the whole artifact.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Appends the next block (a few thousand samples) to `out`; `false` at the end.
    pub fn next_block(&mut self, out: &mut Vec<f32>) -> Result<bool> {
        let buffer = std::mem::take(&mut self.block);
        let block = self
            .reader
            .blocks()
            .read_next_or_eof(buffer)
            .map_err(|error| MediaError::failed("read the sound artifact", error))?;
        let Some(block) = block else { return Ok(false) };
        out.extend(block.channel(0).iter().map(|&sample| sample as f32 / 32768.0));
        self.block = block.into_buffer();
        Ok(true)
    }
}

/// Reads the whole artifact: mono samples in −1..1 at [`super::SAMPLE_RATE`] (64 kB a second).
pub fn read_pcm_f32(path: &Path) -> Result<Vec<f32>> {
    let mut reader = PcmReader::open(path)?;
    let mut samples = Vec::with_capacity(reader.samples().min(1 << 30) as usize);
    while reader.next_block(&mut samples)? {}
    Ok(samples)
}
