//! Linker options of Node's addons.

fn main() {
    napi_build::setup();
}
