//! What is wrong with a URI, a key or a token, each by name.

use std::process::Command;

use super::{Hsm, MODULE, tool};

#[test]
#[ignore = "needs SoftHSM and OpenSC: tests/run hardware"]
fn what_does_not_fit_is_named_with_what_does() {
    let hsm = Hsm::new();
    hsm.identity("one", "01", "ec:P-256", &[]);
    hsm.identity("two", "02", "ec:P-256", &[]);
    hsm.token("another");
    let uri = "pkcs11:token=credential-helper-test";
    let ended = hsm.ask(&["--certificate", uri]);
    ended.fails_with(
        "fits 2 certificates: name the one that is meant, `pkcs11:token=credential-helper-test;",
    );
    ended.fails_with("id=%01;object=one;type=cert` (CN=one)");
    let file = hsm.bench.path("one.pem");
    // The certificate's file tells which of the keys is meant.
    hsm.ask(&["--certificate", &file, "--private-key", uri])
        .succeeds();
    hsm.sign(&["--private-key", uri])
        .fails_with("fits 2 private keys: name the one that is meant");
    // The tokens are told apart by the certificate, or by name.
    hsm.ask(&["--certificate", "pkcs11:object=one"]).succeeds();
    let ended = hsm.ask(&["--certificate", &file, "--private-key", "pkcs11:object=one"]);
    ended.fails_with("fits 2 tokens: name the one of the key, `pkcs11:token=another;");
    hsm.ask(&["--certificate", "pkcs11:object=three"])
        .fails_with("no certificate fits `pkcs11:object=three`");
    let none = format!("{uri};object=three");
    hsm.ask(&["--certificate", &file, "--private-key", &none])
        .fails_with("no private key fits");
    hsm.ask(&["--certificate", "pkcs11:token=third"])
        .fails_with("no token fits `pkcs11:token=third`: the tokens here are `");
    hsm.ask(&["--certificate", "pkcs11:tokn=x"])
        .fails_with("--certificate: `tokn` is no attribute");
    // A key of another certificate, in the token or beside it.
    let two = format!("{uri};object=two");
    for certificate in ["pkcs11:object=one", &file] {
        hsm.ask(&["--certificate", certificate, "--private-key", &two])
            .fails_with("does not belong to the certificate");
    }
    hsm.ask(&["--certificate", "pkcs11:object=one", "--private-key", &file])
        .fails_with("a certificate in a token goes with a key in a token");
    hsm.ask_as(&[
        "--certificate",
        "pkcs11:",
        "--pkcs11-lib",
        "/nonexistent.so",
    ])
    .fails_with("the PKCS#11 module `/nonexistent.so` cannot be loaded");
    hsm.ask_as(&["--certificate", "pkcs11:", "--pkcs11-lib", &file])
        .fails_with("cannot be loaded");
}

#[test]
#[ignore = "needs SoftHSM and OpenSC: tests/run hardware"]
fn a_key_without_a_public_half_is_found_out_when_it_signs() {
    let hsm = Hsm::new();
    hsm.identity("one", "01", "ec:P-256", &[]);
    // Another key under the certificate's identifier, and nothing that tells its public half.
    hsm.key("other", "05", "ec:P-256", &[]);
    let remove = |kind: &str, id: &str| {
        let what = ["--delete-object", "--type", kind, "--id", id];
        let module = ["--module", MODULE, "--login", "--pin", "1234"];
        tool(hsm.with("pkcs11-tool").args(module).args(what));
    };
    remove("pubkey", "05");
    let line = [
        "--certificate",
        "pkcs11:id=%01",
        "--private-key",
        "pkcs11:id=%05",
    ];
    hsm.ask(&line)
        .fails_with("does not belong to the certificate");
    hsm.sign(&["--private-key", "pkcs11:id=%05"])
        .fails_with("has no public half beside it: pass --certificate too");
    // The right key without a public object does.
    remove("pubkey", "01");
    hsm.ask(&["--certificate", "pkcs11:id=%01"]).succeeds();
}

#[test]
#[ignore = "needs SoftHSM and OpenSC: tests/run hardware"]
fn a_token_without_a_user_pin_says_so() {
    let hsm = Hsm::new();
    let free = tool(hsm.with("softhsm2-util").arg("--show-slots"));
    let slots = free.lines().filter_map(|line| line.strip_prefix("Slot "));
    let slot = slots.fold(String::new(), |_, slot| slot.to_owned()); // The last is the free one.
    let what = [
        "--init-token",
        "--label",
        "fresh",
        "--so-pin",
        "5678",
        "--slot",
        &slot,
    ];
    tool(
        hsm.with("pkcs11-tool")
            .args(["--module", MODULE])
            .args(what),
    );
    let pin = hsm.pin();
    let line = [
        "--private-key",
        "pkcs11:token=fresh",
        "--password-file",
        &pin,
    ];
    hsm.sign(&line[..2])
        .fails_with("the token `fresh`: the token has no user PIN yet");
}

#[test]
#[ignore = "needs SoftHSM and OpenSC: tests/run hardware"]
fn a_locked_token_says_so() {
    // SoftHSM never locks. This is SoftHSM, but for C_Login, the 19th of the functions, which says
    // CKR_PIN_LOCKED.
    let shim = r#"
        #include <dlfcn.h>
        struct list { unsigned char version[2]; unsigned long (*functions[68])(); };
        static struct list list;
        static unsigned long locked() { return 0xA4; }
        unsigned long C_GetFunctionList(struct list **out) {
            struct list *real;
            void *module = dlopen("/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW);
            unsigned long (*function)() = (unsigned long (*)())dlsym(module, "C_GetFunctionList");
            unsigned long code = function(&real);
            list = *real;
            list.functions[18] = locked;
            *out = &list;
            return code;
        }
    "#;
    let hsm = Hsm::new();
    hsm.identity("app", "01", "ec:P-256", &[]);
    let (source, module) = (hsm.bench.write("shim.c", shim), hsm.bench.path("shim.so"));
    tool(Command::new("cc").args(["-shared", "-fPIC", "-w", "-o", &module, &source]));
    let pin = hsm.pin();
    let line = [
        "--certificate",
        "pkcs11:object=app",
        "--pkcs11-lib",
        &module,
    ];
    hsm.ask_as(&[&line[..], &["--password-file", &pin]].concat())
        .fails_with("the token is locked after too many wrong PINs: unlock it");
}
