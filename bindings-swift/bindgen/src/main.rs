//! `bindgen LIBRARY CONFIG FOLDER`: writes the Swift source, the C header and the module map of the
//! static library's functions into the folder. `CONFIG` is UniFFI's file of all crates.

use camino::Utf8PathBuf;
use uniffi_bindgen::bindings::{SwiftBindingsOptions, generate_swift_bindings};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [library, config, folder] = arguments.as_slice() else {
        eprintln!("usage: bindgen LIBRARY CONFIG FOLDER");
        std::process::exit(2);
    };
    let options = SwiftBindingsOptions {
        generate_swift_sources: true,
        generate_headers: true,
        generate_modulemap: true,
        source: Utf8PathBuf::from(library),
        out_dir: Utf8PathBuf::from(folder),
        module_name: Some("RolesAnywhereFFI".to_owned()),
        modulemap_filename: Some("module.modulemap".to_owned()),
        config: Some(Utf8PathBuf::from(config)),
        ..SwiftBindingsOptions::default()
    };
    if let Err(error) = generate_swift_bindings(options) {
        eprintln!("bindgen: {error:#}");
        std::process::exit(1);
    }
}
