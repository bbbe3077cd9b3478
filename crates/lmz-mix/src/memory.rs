//! What large tables, read here and there, want of memory. Nothing here changes a value.

/// Brings an entry's line near the processor, without waiting for it. Nothing is read and nothing depends on it.
#[inline(always)]
pub fn fetch<T>(entries: &[T], at: usize) {
    let Some(entry) = entries.get(at) else {
        return;
    };
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 has the instruction, and it cannot fail, whatever the address.
        #[allow(unsafe_code)]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(entry).cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = entry;
}

/// A table of one value, in large pages where the system has them: some 7 % of the time of mixing goes into finding
/// small ones.
pub fn filled<T: Copy>(value: T, len: usize) -> Vec<T> {
    let mut table = Vec::with_capacity(len);
    #[cfg(target_os = "linux")]
    ask_for_large_pages(&mut table);
    table.resize(len, value);
    table
}

/// Of a table that nothing was written to yet.
#[cfg(target_os = "linux")]
fn ask_for_large_pages<T>(table: &mut Vec<T>) {
    use rustix::mm::Advice;

    const LARGE: usize = 2 << 20;
    let spare = table.spare_capacity_mut();
    let begin = spare.as_ptr() as usize;
    let first = begin.next_multiple_of(LARGE);
    let last = (begin + size_of_val(spare)) / LARGE * LARGE;
    if first < last {
        // SAFETY: these pages are the table's own. The advice changes no byte, and where it is refused nothing happens.
        #[allow(unsafe_code)]
        unsafe {
            let _ = rustix::mm::madvise(first as *mut _, last - first, Advice::LinuxHugepage);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_whole_whatever_its_size() {
        for len in [0, 1, 1000, (2 << 20) / 8 - 1, (2 << 20) / 8, 5 << 18] {
            let table = filled(7u64, len);
            assert_eq!(table.len(), len);
            assert!(table.iter().all(|&value| value == 7));
            fetch(&table, 0);
            fetch(&table, len);
        }
    }
}
