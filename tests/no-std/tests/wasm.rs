//! A wasm of the core imports nothing, and signs byte for byte as the native core does.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use rolesanywhere_core::{
    CertificateChain, CreateSession, PrivateKey, UnixTime, signers::rustcrypto::RustCryptoSigner,
};
use wasmi::{Engine, Instance, Linker, Memory, Module, Store};

const NOW: i64 = 1_720_265_939;

struct Guest {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
}

impl Guest {
    fn new() -> Self {
        let wasm = std::fs::read(build()).unwrap();
        let engine = Engine::default();
        let module = Module::new(&engine, &wasm[..]).unwrap();
        let imports: Vec<_> = module.imports().map(|import| format!("{import:?}")).collect();
        assert!(imports.is_empty(), "the wasm imports {imports:?}");
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module).unwrap();
        let memory = instance.get_memory(&store, "memory").unwrap();
        Self { store, instance, memory }
    }

    fn call(&mut self, function: &str, input: &[u8], number: i64) -> String {
        let allocate = self.instance.get_typed_func::<u32, u32>(&self.store, "allocate").unwrap();
        let length = u32::try_from(input.len()).unwrap();
        let address = allocate.call(&mut self.store, length).unwrap();
        self.memory.write(&mut self.store, address as usize, input).unwrap();
        let packed = if function == "read" {
            let status = u32::try_from(number).unwrap();
            let read = self.instance.get_typed_func::<(u32, u32, u32), u64>(&self.store, function);
            read.unwrap().call(&mut self.store, (address, length, status)).unwrap()
        } else {
            let sign = self.instance.get_typed_func::<(u32, u32, i64), u64>(&self.store, function);
            sign.unwrap().call(&mut self.store, (address, length, number)).unwrap()
        };
        let mut text = vec![0; (packed & 0xffff_ffff) as usize];
        self.memory.read(&self.store, (packed >> 32) as usize, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }
}

fn build() -> PathBuf {
    let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("guest/Cargo.toml");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guest");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--release", "--target", "wasm32-unknown-unknown"])
        .arg("--manifest-path")
        .arg(guest)
        .arg("--target-dir")
        .arg(&target)
        .status()
        .unwrap();
    assert!(status.success(), "the guest does not build");
    target.join("wasm32-unknown-unknown/release/rolesanywhere_no_std_guest.wasm")
}

/// A self-made certificate and its key in one PEM text, by OpenSSL.
fn openssl(key: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new("openssl")
        .current_dir(folder.path())
        .args(["req", "-x509", "-nodes", "-keyout", "key.pem", "-out", "certificate.pem"])
        .args(["-subj", "/CN=guest", "-days", "30", "-addext", "basicConstraints=CA:FALSE"])
        .args(["-addext", "keyUsage=digitalSignature", "-newkey"])
        .args(key)
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    let mut pem = std::fs::read(folder.path().join("certificate.pem")).unwrap();
    pem.extend(std::fs::read(folder.path().join("key.pem")).unwrap());
    pem
}

fn native(pem: &[u8]) -> String {
    let chain = CertificateChain::from_pem(pem).unwrap();
    let key = PrivateKey::from_pem(pem, None).unwrap();
    let call = CreateSession::new(
        "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a",
        "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p",
        "arn:aws:iam::123456789012:role/r",
    );
    let unsigned = call.unwrap().prepare(&chain, UnixTime::from_seconds(NOW)).unwrap();
    let request = unsigned.sign(&RustCryptoSigner::new(&key).unwrap()).unwrap();
    request.headers.into_iter().find(|(name, _)| name == "authorization").unwrap().1
}

#[test]
fn the_whole_walk_runs_without_imports() {
    let mut guest = Guest::new();
    for key in [
        &["rsa:2048"][..],
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
    ] {
        let pem = openssl(key);
        let header = guest.call("sign", &pem, NOW);
        assert!(header.starts_with("AWS4-X509-"), "{header}");
        assert_eq!(header, native(&pem), "{key:?}");
    }
    let refused = guest.call("sign", b"no certificate", NOW);
    assert!(refused.starts_with("error: "), "{refused}");

    let body = br#"{"credentialSet":[{"credentials":{"accessKeyId":"A","secretAccessKey":"S","sessionToken":"T","expiration":"2030-01-01T00:00:00Z"}}]}"#;
    assert_eq!(
        guest.call("read", body, 201),
        r#"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S","SessionToken":"T","Expiration":"2030-01-01T00:00:00Z"}"#
    );
    assert!(guest.call("read", body, 500).starts_with("error: "));
}
