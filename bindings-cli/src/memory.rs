//! What this process leaves of secrets in its memory, and who else may see it.

use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

/// Whatever is freed is wiped first. Types of ours wipe themselves; ring, rustls, RustCrypto and the
/// standard library free copies of keys, passwords and credentials as they are.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// Keeps the memory of this process out of core dumps, and on Linux out of the hands of other processes
/// of the same user, too.
pub(crate) fn keep_private() {
    // Systems that refuse cannot be helped, and what the user asked for is done all the same.
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        let _ = setrlimit(Resource::Core, none);
    }
    // A limit of zero does not hold where the kernel hands core dumps to a program.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
