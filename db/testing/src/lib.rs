//! Real neighbours for tests: a fresh PostgreSQL database and an S3 server of one's own.
//!
//! ```no_run
//! # async fn story() -> anyhow::Result<()> {
//! let db = heimdex_testing::TestDb::new().await?;
//! let s3 = heimdex_testing::TestS3::start().await?;
//! sqlx::query("SELECT count(*) FROM videos").execute(db.pool()).await?;
//! println!("{}", s3.endpoint());
//! # Ok(()) }
//! ```

mod db;
mod process;
mod s3;
mod wire;

pub use db::TestDb;
pub use process::{Server, on_a_small_disk, peak_memory_bytes, program};
pub use s3::TestS3;
pub use wire::Wire;
