//! `rolesanywhere-api RUSTDOC-JSON` prints each public item on a line, sorted.

use std::{env, error::Error, process::ExitCode};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the public interface cannot be read: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let path = env::args_os()
        .nth(1)
        .ok_or("pass the path of rustdoc's JSON")?;
    // Blanket implementations are those of every type. `Send` and `Sync` are kept: callers rely on them.
    let api = public_api::Builder::from_rustdoc_json(path)
        .omit_blanket_impls(true)
        .build()?;
    for item in api.items().map(ToString::to_string) {
        if !is_noise(&item) {
            println!("{item}");
        }
    }
    Ok(())
}

/// What no caller can name, and the methods that the line above them, `impl Trait for Type`, says already.
fn is_noise(item: &str) -> bool {
    const MARKERS: [&str; 5] = [
        "Freeze",
        "RefUnwindSafe",
        "StructuralPartialEq",
        "UnsafeUnpin",
        "UnwindSafe",
    ];
    const METHODS: [&str; 5] = [
        "::clone(&self)",
        "::drop(&mut self)",
        "::eq(&self",
        "::fmt(&self",
        "::hash<__H",
    ];
    let marked = |marker: &&str| {
        let after = item
            .split_once(" for ")
            .filter(|_| item.starts_with("impl"));
        after.is_some_and(|(before, _)| before.ends_with(&format!("::{marker}")))
    };
    let called = |method: &&str| item.starts_with("pub fn") && item.contains(*method);
    MARKERS.iter().any(|marker| marked(&marker)) || METHODS.iter().any(|method| called(&method))
}
