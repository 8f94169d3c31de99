//! `bindgen MODULE.wasm FOLDER NAME`: writes `NAME.js` and `NAME_bg.wasm`, for every runtime: the
//! caller passes the compiled module or its bytes to `initSync`.

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [module, folder, name] = arguments.as_slice() else {
        eprintln!("usage: bindgen MODULE.wasm FOLDER NAME");
        std::process::exit(2);
    };
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    bindgen
        .input_path(module)
        .out_name(name)
        .web(true)
        .and_then(|bindgen| {
            bindgen
                // No `new URL(…)` in the glue: bundlers would take it for a file to ship.
                .omit_default_module_path(true)
                .remove_name_section(true)
                .remove_producers_section(true)
                .typescript(false)
                .generate(folder)
        })
        .unwrap_or_else(|error| {
            eprintln!("bindgen: {error:#}");
            std::process::exit(1);
        });
}
