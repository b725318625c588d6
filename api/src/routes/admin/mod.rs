//! Looking after the installation. Operators and admins only, by the table, with a session that is alive at this moment.

pub mod audit;
pub mod users;
