//! What was heard second by second, written by `audio_extract`, read by `vision_affect_tags`.

use sqlx::{PgConnection, PgExecutor};

use crate::{
    error::DbError,
    ids::{RunId, UserId},
};

/// A row of `sound_curves`: element n is media time n to n + 1 s; all three are of the same length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SoundCurve {
    /// K-weighted, ungated, LUFS; `None` for digital silence.
    pub loudness_lufs: Vec<Option<f32>>,
    /// Median over the voiced parts; `None` where nothing is voiced.
    pub pitch_hz: Vec<Option<f32>>,
    /// Share of the second that is voiced, 0 to 1.
    pub voiced: Vec<f32>,
}

/// Replaces the curve of a run; `None`: there is no sound.
pub async fn replace(
    connection: &mut PgConnection,
    run_id: RunId,
    owner_id: UserId,
    curve: Option<&SoundCurve>,
) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM sound_curves WHERE run_id = $1", run_id as RunId).execute(&mut *connection).await?;
    let Some(curve) = curve else { return Ok(()) };
    sqlx::query!(
        "INSERT INTO sound_curves (run_id, owner_id, loudness_lufs, pitch_hz, voiced) VALUES ($1, $2, $3, $4, $5)",
        run_id as RunId,
        owner_id as UserId,
        &curve.loudness_lufs as &[Option<f32>],
        &curve.pitch_hz as &[Option<f32>],
        &curve.voiced
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The curve of a run; `None` for one without sound, or made before sound was measured.
pub async fn find(db: impl PgExecutor<'_>, run_id: RunId) -> Result<Option<SoundCurve>, DbError> {
    Ok(sqlx::query_as!(
        SoundCurve,
        r#"SELECT loudness_lufs AS "loudness_lufs: Vec<Option<f32>>", pitch_hz AS "pitch_hz: Vec<Option<f32>>", voiced
           FROM sound_curves WHERE run_id = $1"#,
        run_id as RunId
    )
    .fetch_optional(db)
    .await?)
}
