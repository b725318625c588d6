//! Where the audio comes from: 16 kHz mono, read in pieces, so that three hours of it need not be in memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Samples a second everywhere in this crate.
pub const SAMPLE_RATE: usize = 16_000;

/// Random access to 16 kHz mono samples in -1..1.
pub trait Samples: Send + Sync {
    /// How many samples there are.
    fn len(&self) -> usize;

    /// Fills `out` with the samples from `start` on; the range lies inside `0..len()`.
    ///
    /// # Errors
    /// What reading the underlying file gave.
    fn read(&self, start: usize, out: &mut [f32]) -> io::Result<()>;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Samples for [f32] {
    fn len(&self) -> usize {
        <[f32]>::len(self)
    }

    fn read(&self, start: usize, out: &mut [f32]) -> io::Result<()> {
        out.copy_from_slice(&self[start..start + out.len()]);
        Ok(())
    }
}

impl Samples for [i16] {
    fn len(&self) -> usize {
        <[i16]>::len(self)
    }

    fn read(&self, start: usize, out: &mut [f32]) -> io::Result<()> {
        for (target, source) in out.iter_mut().zip(&self[start..]) {
            *target = f32::from(*source) / 32768.0;
        }
        Ok(())
    }
}

impl<T> Samples for Vec<T>
where
    [T]: Samples,
    T: Send + Sync,
{
    fn len(&self) -> usize {
        Samples::len(self.as_slice())
    }

    fn read(&self, start: usize, out: &mut [f32]) -> io::Result<()> {
        Samples::read(self.as_slice(), start, out)
    }
}

impl<T: Samples + ?Sized> Samples for &T {
    fn len(&self) -> usize {
        T::len(self)
    }

    fn read(&self, start: usize, out: &mut [f32]) -> io::Result<()> {
        T::read(self, start, out)
    }
}

/// A RIFF WAVE file of 16 kHz mono 16-bit integers or 32-bit floats, read where asked and never held in memory.
#[derive(Debug)]
pub struct WavFile {
    file: File,
    data_offset: u64,
    samples: usize,
    float: bool,
}

impl WavFile {
    /// Reads the header.
    ///
    /// # Errors
    /// `InvalidData` with what was found when it is another format, rate or channel count.
    pub fn open(path: &Path) -> io::Result<Self> {
        let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {what}", path.display()));
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut head = [0; 12];
        file.read_exact_at(&mut head, 0)?;
        if &head[..4] != b"RIFF" || &head[8..] != b"WAVE" {
            return Err(invalid("no RIFF WAVE file".to_owned()));
        }
        let (mut at, mut format) = (12, None);
        loop {
            let mut chunk = [0; 8];
            file.read_exact_at(&mut chunk, at)?;
            let size = u64::from(u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]));
            at += 8;
            if &chunk[..4] == b"fmt " {
                let mut body = [0; 16];
                file.read_exact_at(&mut body, at)?;
                let rate = u32::from_le_bytes([body[4], body[5], body[6], body[7]]);
                let short = |index: usize| u16::from_le_bytes([body[index], body[index + 1]]);
                format = Some((short(0), short(2), rate, short(14)));
            } else if &chunk[..4] == b"data" {
                let float = match format {
                    // 0xFFFE is WAVE_FORMAT_EXTENSIBLE; the bit depth tells integers from floats well enough.
                    Some((1 | 0xFFFE, 1, 16_000, 16)) => false,
                    Some((3 | 0xFFFE, 1, 16_000, 32)) => true,
                    other => {
                        return Err(invalid(format!(
                            "wanted 16 kHz mono of 16-bit integers or floats, found (format, channels, rate, bits) = {other:?}"
                        )));
                    }
                };
                // A stream written to a pipe has 0 or 0xFFFFFFFF here; what the file holds is what counts.
                let available = length.saturating_sub(at);
                let bytes = if size == 0 || size > available { available } else { size };
                let width = if float { 4 } else { 2 };
                let samples = usize::try_from(bytes / width).map_err(|error| invalid(error.to_string()))?;
                return Ok(Self { file, data_offset: at, samples, float });
            }
            at += size + size % 2;
        }
    }
}

impl Samples for WavFile {
    fn len(&self) -> usize {
        self.samples
    }

    fn read(&self, start: usize, out: &mut [f32]) -> io::Result<()> {
        let width = if self.float { 4 } else { 2 };
        let mut bytes = vec![0; out.len() * width];
        self.file.read_exact_at(&mut bytes, self.data_offset + (start * width) as u64)?;
        if self.float {
            for (target, source) in out.iter_mut().zip(bytes.chunks_exact(4)) {
                *target = f32::from_le_bytes([source[0], source[1], source[2], source[3]]);
            }
        } else {
            for (target, source) in out.iter_mut().zip(bytes.chunks_exact(2)) {
                *target = f32::from(i16::from_le_bytes([source[0], source[1]])) / 32768.0;
            }
        }
        Ok(())
    }
}
