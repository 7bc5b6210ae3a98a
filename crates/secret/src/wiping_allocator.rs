//! Memory that is wiped when it is given back.

use std::alloc::{GlobalAlloc, Layout, System};
use std::arch::asm;

/// The system's allocator, but that freed memory holds nothing: for a program that hands secrets
/// to libraries. What an HTTP client, TLS or a database's driver copies of them, and doesn't
/// wipe itself, is gone when it is done with it.
///
/// What stands in a thread's stack is none of its business.
pub struct WipingAllocator;

#[expect(
    unsafe_code,
    reason = "an allocator is one; nothing else comes between a library and what it frees"
)]
// SAFETY: everything is the system's allocator's own doing, and memory is written to only while
// it is still allocated. Growing is a new allocation, a copy and a release, as the trait has it.
unsafe impl GlobalAlloc for WipingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller owns that many bytes there until they are given back.
        unsafe {
            memory.write_bytes(0, layout.size());
            // Or the compiler leaves out a write that it knows nobody will read.
            asm!("/* {0} */", in(reg) memory, options(nostack, preserves_flags));
            System.dealloc(memory, layout);
        }
    }
}
