//! The API from outside: a real server on port 0, a database and a bucket of its own for every test.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a test binary: nothing is exported, and a panic is the answer"
)]

mod accounts;
mod administration;
mod auth_admin;
mod auth_keys;
mod auth_limits;
mod auth_mail;
mod auth_malformed;
mod auth_refresh;
mod by_picture;
mod corrections;
mod events;
mod large_upload;
mod leaving;
mod library;
mod limits;
mod mcp;
mod mcp_load;
mod moments;
mod operator_actions;
mod operator_console;
mod people;
mod problems;
mod project;
mod query_language;
mod saved_searches;
mod scripts;
mod search;
mod seen;
mod sharing;
mod signs;
mod storage_away;
mod support;
mod tags;
mod tenants;
mod tokens;
mod two_tabs;
mod uploads;
mod videos;
