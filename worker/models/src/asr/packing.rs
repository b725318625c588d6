//! Weights that oneMKL has packed for its product of 8-bit integers, which is what CTranslate2 4.8 does by itself on Intel's processors, may
//! be used by one thread at a time: where replicas share them, the second divides by zero, and the process is gone. Unpacked weights are
//! as fast.
#![allow(unsafe_code, reason = "the environment is changed, which only the process as a whole can do")]

use std::env;

/// The engine reads it once, when it loads its first model.
const PACKED: &str = "CT2_PACKED_GEMM";

/// Tells the engine not to pack. To be called before there are threads; without it a model has one replica.
pub fn keep_weights_unpacked() {
    // SAFETY: as long as there is one thread, nobody else reads the environment.
    unsafe { env::set_var(PACKED, "0") };
}

/// Whether replicas may share a model's weights.
pub(super) fn weights_are_unpacked() -> bool {
    env::var(PACKED).is_ok_and(|value| value == "0" || value == "false")
}
