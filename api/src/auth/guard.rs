//! Who may look after the installation. Asked of `user_role_profiles` with every request: what a token says was true when it
//! was issued.

use axum::{extract::FromRequestParts, http::request::Parts};
use heimdex_db::role_profiles::RoleType;

use super::{Caller, Confirmed};
use crate::{
    error::{ApiError, Code},
    state::AppState,
};

/// An operator or an admin.
#[derive(Clone, Debug)]
pub struct Operator(pub Caller);

/// An admin.
#[derive(Clone, Debug)]
pub struct Admin(pub Caller);

impl FromRequestParts<AppState> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        allowed(parts, state, &[RoleType::Operator, RoleType::Admin]).await.map(Self)
    }
}

impl FromRequestParts<AppState> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        allowed(parts, state, &[RoleType::Admin]).await.map(Self)
    }
}

async fn allowed(parts: &mut Parts, state: &AppState, any_of: &[RoleType]) -> Result<Caller, ApiError> {
    let Confirmed(caller) = Confirmed::from_request_parts(parts, state).await?;
    let may = caller.user.role_profiles.iter().any(|has| any_of.iter().any(|role| role.as_str() == has));
    if may { Ok(caller) } else { Err(ApiError::new(Code::Forbidden).with("needs", any_of[0].as_str())) }
}
