//! How a file is cut into parts.

/// S3's least for every part but the last.
pub const MIN_PART_BYTES: i64 = 5 << 20;
/// Small enough to be sent again, and to pass proxies that stop at 100 MB.
pub const MAX_PART_BYTES: i64 = 64 << 20;
/// S3's most.
const MAX_PARTS: i64 = 10_000;
const MIB: i64 = 1 << 20;

/// Equal parts, the last one shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub part_size_bytes: i64,
    pub part_count: i32,
}

/// A plan for a file of `size_bytes` (at least 1). Around a hundred parts, between 8 and 64 MiB each. `None` if it is too
/// large for S3 in such parts.
pub fn plan(size_bytes: i64) -> Option<Plan> {
    let hundredth = (size_bytes / 100 + MIB - 1) / MIB * MIB;
    let part_size_bytes = hundredth.clamp(8 * MIB, MAX_PART_BYTES);
    let part_count = size_bytes.checked_add(part_size_bytes - 1)? / part_size_bytes;
    (part_count <= MAX_PARTS).then_some(Plan { part_size_bytes, part_count: i32::try_from(part_count).ok()? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_cover_the_file_exactly(size in 1_i64..(600 << 30)) {
            let plan = plan(size).unwrap();
            prop_assert!((MIN_PART_BYTES..=MAX_PART_BYTES).contains(&plan.part_size_bytes));
            let before_last = plan.part_size_bytes * i64::from(plan.part_count - 1);
            prop_assert!(before_last < size && size <= before_last + plan.part_size_bytes);
        }
    }

    #[test]
    fn too_large_is_none() {
        assert_eq!(plan(i64::MAX), None);
    }
}
