//! The stored pictures of a run, fetched and decoded ahead of whoever looks at them.

use futures::{StreamExt, stream, stream::BoxStream};
use heimdex_db::moments::frames::Frame;
use heimdex_media::pictures::{Rgb, decode_jpeg};

use crate::{
    stage::{StageContext, StageError},
    stages::{ahead, blocking},
};

/// A candidate JPEG has a long side of at most 1280.
const MAX_FRAME_BYTES: u64 = 4 << 20;
/// Pictures held at once: 2.8 MB each, decoded.
const AHEAD: usize = 4;

/// The pictures of `frames`, in their order, a few ahead of the consumer. Ends with [`StageError::Cancelled`] when the attempt does.
pub fn pictures<'a>(
    cx: &'a StageContext,
    frames: impl IntoIterator<Item = &'a Frame> + 'a,
) -> BoxStream<'a, Result<(&'a Frame, Rgb), StageError>> {
    let fetch = move |frame: &'a Frame| {
        let (cx, key) = (cx.clone(), frame.object_key.clone());
        async move {
            if cx.cancel.is_cancelled() {
                return Err(StageError::Cancelled);
            }
            // A task of its own, since the consumer looks at one picture while the next ones come.
            let picture = ahead(async move {
                let jpeg = cx.store().get_bytes(&key, MAX_FRAME_BYTES).await?;
                blocking(move || Ok(decode_jpeg(&jpeg)?)).await
            });
            Ok((frame, picture.await?))
        }
    };
    // Collected and boxed, since the compiler cannot see that a stream of borrowing closures is `Send` where it is held across an await.
    stream::iter(frames.into_iter().map(fetch).collect::<Vec<_>>()).buffered(AHEAD).boxed()
}
