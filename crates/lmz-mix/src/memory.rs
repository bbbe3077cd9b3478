//! What large tables, read here and there, want of memory. Nothing here changes a value.

use std::alloc::Layout;
use std::fmt::{Debug, Formatter};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

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

/// A table that is read here and there. If it is large it lies in large pages, where the system has them: what stands in
/// small ones is found some 8 % later.
pub struct Table<T> {
    entries: NonNull<T>,
    len: usize,
    layout: Layout,
}

/// Bytes of a large page, and of a table that is given some of its own.
const LARGE: usize = 2 << 20;
const WORTH: usize = 512 << 10;

impl<T: Copy> Table<T> {
    /// `len` entries of one value.
    pub fn new(value: T, len: usize) -> Self {
        let plain = Layout::array::<T>(len).expect("a table that fits memory");
        let layout = if cfg!(target_os = "linux") && plain.size() >= WORTH {
            let size = plain.size().next_multiple_of(LARGE);
            Layout::from_size_align(size, LARGE).expect("a table that fits memory")
        } else {
            plain
        };
        assert!(layout.size() > 0, "an empty table");
        // SAFETY: the layout is not empty. The memory has room for `len` entries, which are all written before any is read.
        #[allow(unsafe_code)]
        let entries = unsafe {
            let memory = NonNull::new(std::alloc::alloc(layout))
                .unwrap_or_else(|| std::alloc::handle_alloc_error(layout));
            #[cfg(target_os = "linux")]
            if layout.align() == LARGE {
                // Advice changes no byte, and where it is refused nothing happens.
                let advice = rustix::mm::Advice::LinuxHugepage;
                let _ = rustix::mm::madvise(memory.as_ptr().cast(), layout.size(), advice);
            }
            let entries = memory.cast::<T>();
            for at in 0..len {
                entries.add(at).write(value);
            }
            entries
        };
        Self {
            entries,
            len,
            layout,
        }
    }
}

impl<T> Drop for Table<T> {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout; entries are `Copy` and need no drop.
        #[allow(unsafe_code)]
        unsafe {
            std::alloc::dealloc(self.entries.as_ptr().cast(), self.layout);
        }
    }
}

impl<T> Deref for Table<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: `len` entries stand there.
        #[allow(unsafe_code)]
        unsafe {
            std::slice::from_raw_parts(self.entries.as_ptr(), self.len)
        }
    }
}

impl<T> DerefMut for Table<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: `len` entries stand there, which are this table's own.
        #[allow(unsafe_code)]
        unsafe {
            std::slice::from_raw_parts_mut(self.entries.as_ptr(), self.len)
        }
    }
}

// SAFETY: a table owns its entries, as a vector does.
#[allow(unsafe_code)]
unsafe impl<T: Send> Send for Table<T> {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl<T: Sync> Sync for Table<T> {}

impl<T> Debug for Table<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("len", &self.len).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_whole_whatever_its_size() {
        for len in [1, 1000, WORTH / 8 - 1, WORTH / 8, LARGE / 8, 5 << 18] {
            let mut table = Table::new(7u64, len);
            assert_eq!(table.len(), len);
            assert!(table.iter().all(|&value| value == 7));
            for (i, value) in table.iter_mut().enumerate() {
                *value = i as u64;
            }
            assert_eq!(table[len - 1], len as u64 - 1);
            fetch(&table, 0);
            fetch(&table, len);
        }
    }
}
