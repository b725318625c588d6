//! The enum types shared with the database, and the check that both sides agree.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use crate::stage::Stage;

/// A text that is not a value of the enum it was parsed as.
#[derive(Debug, thiserror::Error)]
#[error("`{value}` is not a {kind}; expected one of: {expected}")]
pub struct UnknownValue {
    pub value: String,
    pub kind: &'static str,
    pub expected: String,
}

/// Declares an enum once: its Rust variants, its database type and its values, in the order of the database.
macro_rules! pg_enum {
    ($(#[$doc:meta])* $name:ident : $pg:literal { $($(#[$vdoc:meta])* $variant:ident = $value:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, sqlx::Type)]
        #[sqlx(type_name = $pg)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $value)] #[sqlx(rename = $value)] $variant),+
        }

        impl $name {
            /// Every value, in the order of the database type.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The database type's name.
            pub const PG_TYPE: &'static str = $pg;

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $value),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::enums::UnknownValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|v| v.as_str() == text).ok_or_else(|| $crate::enums::UnknownValue {
                    value: text.to_owned(),
                    kind: $pg,
                    expected: Self::ALL.iter().map(|v| v.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}
pub(crate) use pg_enum;

pg_enum! {
    /// What a person has paid for, or been given: it sets their limits.
    UserTier: "user_tier" { Free = "free", Pro = "pro", Enterprise = "enterprise" }
}

pg_enum! {
    /// The life of a video.
    VideoState: "video_state" {
        /// Parts are being sent.
        Uploading = "uploading",
        /// Complete in S3; `upload_validate` has not yet said that it is a video.
        Validating = "validating",
        /// Stages are running; already searchable once `align_merge` has ended.
        Processing = "processing",
        Indexed = "indexed",
        Failed = "failed",
        /// Hidden, restorable until it is purged.
        Deleted = "deleted",
    }
}

pg_enum! {
    /// The life of a job or a task in the ledger.
    JobState: "job_state" {
        Pending = "pending", Running = "running", Completed = "completed", Failed = "failed", Cancelled = "cancelled",
    }
}

/// The person's default context (`users.role`): a preference, never a permission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserRole {
    #[default]
    Creator,
    Journalist,
    Researcher,
    Archivist,
}

impl UserRole {
    pub const ALL: &'static [Self] = &[Self::Creator, Self::Journalist, Self::Researcher, Self::Archivist];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creator => "creator",
            Self::Journalist => "journalist",
            Self::Researcher => "researcher",
            Self::Archivist => "archivist",
        }
    }
}

impl FromStr for UserRole {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|r| r.as_str() == text).ok_or_else(|| UnknownValue {
            value: text.to_owned(),
            kind: "role",
            expected: Self::ALL.iter().map(|r| r.as_str()).collect::<Vec<_>>().join(", "),
        })
    }
}

/// The code and the database disagree about an enum: the process must not start.
#[derive(Debug, thiserror::Error)]
pub enum EnumDrift {
    #[error(
        "enum {name} differs: the program knows [{program}], the database has [{database}]; run the matching version"
    )]
    Values { name: &'static str, program: String, database: String },
    #[error("enum {name} does not exist in the database; have the migrations run?")]
    Missing { name: &'static str },
    #[error("could not read the enum types of the database")]
    Sqlx(#[from] sqlx::Error),
}

/// Compares every Rust enum with the `enum_range` of its database type.
pub async fn check(pool: &PgPool) -> Result<(), EnumDrift> {
    fn names<T: Copy + fmt::Display>(all: &[T]) -> Vec<String> {
        all.iter().map(ToString::to_string).collect()
    }
    let expected = [
        (UserTier::PG_TYPE, names(UserTier::ALL)),
        (VideoState::PG_TYPE, names(VideoState::ALL)),
        (Stage::PG_TYPE, names(Stage::ALL)),
        (JobState::PG_TYPE, names(JobState::ALL)),
    ];
    for (name, program) in expected {
        // The labels of `enum_range`, in order, without needing the type to exist when the statement is prepared.
        let database = sqlx::query_scalar!(
            r#"SELECT e.enumlabel::text AS "label!" FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid
               WHERE t.oid = to_regtype($1)::oid ORDER BY e.enumsortorder"#,
            name
        )
        .fetch_all(pool)
        .await?;
        if database.is_empty() {
            return Err(EnumDrift::Missing { name });
        }
        if database != program {
            return Err(EnumDrift::Values { name, program: program.join(", "), database: database.join(", ") });
        }
    }
    Ok(())
}
