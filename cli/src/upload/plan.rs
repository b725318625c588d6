//! How a file is cut into parts, and which of them a broken upload still lacks. Pure: no file and no server.

use crate::api::types::{StoredPart, StoredParts, UploadPlan};

/// Equal parts, the last one shorter; numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub size_bytes: u64,
    pub part_size_bytes: u64,
    pub part_count: u32,
}

impl Plan {
    /// As the server announced it; `None` if its parts do not cover the file exactly.
    pub fn new(size_bytes: u64, plan: &UploadPlan) -> Option<Self> {
        Self { size_bytes, part_size_bytes: plan.part_size_bytes, part_count: plan.part_count }.checked()
    }

    /// As the server remembers it.
    pub fn of_stored(stored: &StoredParts) -> Option<Self> {
        Self { size_bytes: stored.size_bytes, part_size_bytes: stored.part_size_bytes, part_count: stored.part_count }
            .checked()
    }

    fn checked(self) -> Option<Self> {
        let covered = self.part_size_bytes.checked_mul(u64::from(self.part_count))?;
        let fits = covered >= self.size_bytes && covered - self.size_bytes < self.part_size_bytes;
        fits.then_some(self)
    }

    /// Where a part begins, and how long it is.
    pub fn range(self, part_number: u32) -> (u64, u64) {
        let start = self.part_size_bytes * u64::from(part_number.saturating_sub(1));
        (start, self.part_size_bytes.min(self.size_bytes.saturating_sub(start)))
    }

    /// Stored parts that may be this file's: those with a number and a length of the plan. Whether their bytes are, a checksum
    /// has to tell.
    pub fn plausible(self, stored: &[StoredPart]) -> Vec<&StoredPart> {
        let numbers = 1..=self.part_count;
        let fits = |part: &&StoredPart| {
            numbers.contains(&part.part_number) && self.range(part.part_number).1 == part.size_bytes
        };
        stored.iter().filter(fits).collect()
    }

    /// The parts that are not among these, in order.
    pub fn others(self, there: impl Fn(u32) -> bool) -> Vec<u32> {
        (1..=self.part_count).filter(|&number| !there(number)).collect()
    }
}

/// Whether a part's ETag is the MD5 of these bytes, which it is where the storage does not encrypt with keys of its own. Where it
/// is something else the part is sent again, which costs time and nothing else.
pub fn is_etag_of(etag: &str, md5: &[u8]) -> bool {
    etag.trim_matches('"').eq_ignore_ascii_case(&hex::encode(md5))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn plan() -> Plan {
        Plan::new(17 * MIB, &UploadPlan { part_size_bytes: 8 * MIB, part_count: 3 }).unwrap()
    }

    fn part(part_number: u32, size_bytes: u64) -> StoredPart {
        StoredPart { part_number, etag: "\"e\"".into(), size_bytes }
    }

    #[test]
    fn parts_cover_the_file_exactly() {
        let ranges: Vec<_> = (1..=3).map(|number| plan().range(number)).collect();
        assert_eq!(ranges, [(0, 8 * MIB), (8 * MIB, 8 * MIB), (16 * MIB, MIB)]);
    }

    #[test]
    fn a_plan_that_does_not_fit_the_file_is_refused() {
        let plan = |size, part_size_bytes, part_count| Plan::new(size, &UploadPlan { part_size_bytes, part_count });
        assert!(plan(17, 8, 2).is_none() && plan(17, 8, 4).is_none() && plan(17, 0, 3).is_none());
        assert!(plan(u64::MAX, u64::MAX, u32::MAX).is_none());
        assert!(plan(16, 8, 2).is_some() && plan(1, 8, 1).is_some());
    }

    #[test]
    fn a_stored_part_counts_only_with_a_number_and_a_length_of_the_plan() {
        let stored = [part(1, 8 * MIB), part(2, MIB), part(3, MIB), part(4, MIB), part(0, 8 * MIB)];
        let plausible: Vec<u32> = plan().plausible(&stored).iter().map(|part| part.part_number).collect();
        assert_eq!(plausible, [1, 3]);
        assert_eq!(plan().others(|number| plausible.contains(&number)), [2]);
    }

    #[test]
    fn an_etag_is_compared_without_its_quotes() {
        let md5 = [0xd4, 0x1d];
        assert!(is_etag_of("\"d41d\"", &md5) && is_etag_of("D41D", &md5) && !is_etag_of("\"d41d-2\"", &md5));
    }
}
