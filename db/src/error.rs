//! One error for the database side. Callers decide by kind; the source is kept for the operator.

/// What went wrong at the database.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No such row, or not this owner's.
    #[error("not found")]
    NotFound,
    /// The attempt is no longer the current one: another worker has taken over, or the job was cancelled.
    #[error("this attempt no longer holds the job")]
    LostLease,
    /// A rule of the data forbids it; the text is a stable code.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    #[error("database: {0}")]
    Sqlx(#[from] sqlx::Error),
    #[error("queue: {0}")]
    Queue(String),
}

/// An error with everything that caused it.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        // Many errors already say what they wrap.
        if !text.ends_with(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}

impl DbError {
    /// The database is out of reach or going down, as opposed to having refused the statement.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Sqlx(error) if is_outage(error))
    }

    /// Somebody else held a lock for longer than was to be waited for (`lock_not_available`).
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Sqlx(sqlx::Error::Database(database)) if database.code().as_deref() == Some("55P03"))
    }
}

/// See [`DbError::is_outage`]. Class 08 is "connection exception", 57P01–57P03 are shutdown, crash and start-up, 53300 is
/// "too many connections" (PostgreSQL, appendix A).
pub fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_)
        | sqlx::Error::Tls(_) => true,
        sqlx::Error::Database(database) => database
            .code()
            .is_some_and(|code| code.starts_with("08") || matches!(&*code, "57P01" | "57P02" | "57P03" | "53300")),
        _ => false,
    }
}
