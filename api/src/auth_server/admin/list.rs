//! `GET /admin/users`: everybody, in pages.

use axum::{
    Json,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
};
use heimdex_db::auth_credentials;
use serde_json::{Value, json};

use super::{
    super::{Server, body::query_value, error::AuthError, sessions::role_profiles, shapes},
    Admin,
};

const PER_PAGE: u32 = 50;
const MAX_PER_PAGE: u32 = 1000;

pub async fn list(
    State(server): State<Server>,
    _admin: Admin,
    RawQuery(query): RawQuery,
) -> Result<(HeaderMap, Json<Value>), AuthError> {
    let number = |name, default| match query_value(query.as_deref(), name).filter(|value| !value.is_empty()) {
        None => Ok(default),
        Some(text) => {
            text.parse::<u32>().map_err(|error| AuthError::invalid(format!("Bad Pagination Parameters: {error}")))
        }
    };
    let (page, per_page) = (number("page", 1)?.max(1), number("per_page", PER_PAGE)?);
    if per_page == 0 {
        return Err(AuthError::invalid("Bad Pagination Parameters: per_page must be greater than 0"));
    }
    let per_page = per_page.min(MAX_PER_PAGE);
    let mut connection = server.pool.acquire().await?;
    let offset = i64::from(page - 1) * i64::from(per_page);
    let (accounts, total) = auth_credentials::page(&mut connection, i64::from(per_page), offset).await?;
    let mut users = Vec::with_capacity(accounts.len());
    for account in &accounts {
        let profiles = role_profiles(&mut connection, account).await?;
        users.push(shapes::user(account, &profiles));
    }
    Ok((paging(page, per_page, total), Json(json!({ "users": users, "aud": "authenticated" }))))
}

/// supabase-js reads the first parameter of each link, and of that the first digit: `page` must stand first.
fn paging(page: u32, per_page: u32, total: i64) -> HeaderMap {
    let last = total.unsigned_abs().div_ceil(u64::from(per_page));
    let link = |to: u64, rel: &str| format!("</auth/v1/admin/users?page={to}&per_page={per_page}>; rel=\"{rel}\"");
    let mut links = Vec::new();
    if u64::from(page) < last {
        links.push(link(u64::from(page) + 1, "next"));
    }
    links.push(link(last, "last"));
    let mut headers = HeaderMap::new();
    for (name, value) in
        [(HeaderName::from_static("x-total-count"), total.to_string()), (header::LINK, links.join(", "))]
    {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_stands_first_and_the_last_page_has_no_next() {
        let link = |page, total| paging(page, 2, total)["link"].to_str().unwrap().to_owned();
        assert_eq!(
            link(1, 5),
            "</auth/v1/admin/users?page=2&per_page=2>; rel=\"next\", </auth/v1/admin/users?page=3&per_page=2>; rel=\"last\""
        );
        assert_eq!(link(3, 5), "</auth/v1/admin/users?page=3&per_page=2>; rel=\"last\"");
        assert_eq!(link(1, 0), "</auth/v1/admin/users?page=0&per_page=2>; rel=\"last\"");
    }
}
