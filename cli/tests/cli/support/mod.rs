//! What the stories are told with: the API as its own tests start it, and a machine on which somebody types.

#[path = "../../../../api/tests/api/support/app.rs"]
mod app;
#[path = "../../../../api/tests/api/support/fixture.rs"]
mod fixture;
mod machine;
#[path = "../../../../api/tests/api/support/person.rs"]
mod person;

pub use app::{App, PASSWORD};
pub use fixture::{Said, said};
pub use machine::{Machine, Ran, text, token};
pub use person::{Person, Reply};
