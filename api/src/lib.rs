//! Heimdex.
