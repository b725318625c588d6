//! What an operator sees: reads over all owners. They show what work is done for whom and why it fails, and nothing of what
//! videos hold, not even their titles. What an operator does is in [`crate::ledger`].

pub mod failures;
pub mod jobs;
pub mod queues;
pub mod storage;
pub mod videos;
