//! The signed-in person.

pub mod delete;
pub mod export;
pub mod me;
pub mod tokens;
pub mod usage;

use chrono::{DateTime, Utc};
use heimdex_db::users::User;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// The person's profile.
#[derive(Serialize, ToSchema)]
pub struct Me {
    user_id: Uuid,
    supabase_user_id: Option<Uuid>,
    email: Option<String>,
    /// For display; nothing is decided by it.
    email_verified: bool,
    display_name: Option<String>,
    avatar_url: Option<String>,
    #[schema(example = "free")]
    tier: &'static str,
    /// A preference, never a permission.
    #[schema(example = "creator")]
    role: String,
    /// False for a person who arrived without a role: ask them.
    role_chosen: bool,
    /// What the person may do.
    #[schema(example = json!(["member"]))]
    role_profiles: Vec<String>,
    created_at: DateTime<Utc>,
    last_login_at: Option<DateTime<Utc>>,
}

impl From<User> for Me {
    fn from(user: User) -> Self {
        Self {
            user_id: user.user_id.0,
            supabase_user_id: user.supabase_user_id,
            email: user.email,
            email_verified: user.email_verified,
            display_name: user.display_name,
            avatar_url: user.avatar_url,
            tier: user.tier.as_str(),
            role: user.role,
            role_chosen: user.role_chosen,
            role_profiles: user.role_profiles,
            created_at: user.created_at,
            last_login_at: user.last_login_at,
        }
    }
}
