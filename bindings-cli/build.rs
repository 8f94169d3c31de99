//! What the linker is told besides what Cargo tells it.

#![allow(clippy::print_stdout, reason = "it is how a build script speaks")]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "musl") {
        // Relocations of a static program in a thirtieth of the space. musl reads them since 1.2.4, and Rust
        // brings a newer one; glibc only since 2.36, which is too new to ask for.
        // In two words, which compilers pass on and linkers understand. zig, as a linker, does neither.
        for word in ["-z", "pack-relative-relocs"] {
            println!("cargo::rustc-link-arg-bins={word}");
        }
    }
}
