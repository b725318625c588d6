//! How the process gives memory back.
#![allow(unsafe_code, reason = "the C library is told by a C function")]

/// Arenas of the C library's allocator. By itself it makes eight for each core, and each keeps what its threads needed most: ten of them
/// with some 60 MB each were seen in a worker that had indexed thirty short videos.
const ARENAS: libc::c_int = 2;
/// What is as large as this, such as a picture, is got from the system and given back to it at once.
const MAPPED_FROM_BYTES: libc::c_int = 4 << 20;

/// To be called before there are threads. `MALLOC_ARENA_MAX` in the environment is somebody's own choice and left alone.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    if std::env::var_os("MALLOC_ARENA_MAX").is_none() {
        // SAFETY: both set numbers of the allocator, and nobody else does so.
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, ARENAS);
            libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM_BYTES);
        }
    }
}
