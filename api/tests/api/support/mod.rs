//! What the stories are told with.

mod app;
mod fixture;
mod person;
mod project;

pub use app::{App, PASSWORD, SECRET_KEY, fragment};
pub use fixture::{embed, said, scene_of, written};
pub use person::{Person, Reply};
pub use project::{PROJECT_KEY, Project, WEBHOOK_SECRET};
