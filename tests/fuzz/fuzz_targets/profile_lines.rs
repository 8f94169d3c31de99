//! Any bytes as the shared credentials file that `update` rewrites.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../bindings-cli/src/credentials_file/rewrite.rs"]
mod rewrite;

const PROFILE: &str = "default";
const VALUES: [(&str, &str); 3] = [
    ("aws_access_key_id", "ASIAEXAMPLE"),
    ("aws_secret_access_key", "secret"),
    ("aws_session_token", "token"),
];

fuzz_target!(|content: &[u8]| {
    let new = rewrite::with_credentials(content, PROFILE, &VALUES);
    // A last line that ended in a lone CR ends in CR LF now, so that the second time may choose other line ends.
    let again = rewrite::with_credentials(&new, PROFILE, &VALUES);
    let third = rewrite::with_credentials(&again, PROFILE, &VALUES);
    assert_eq!(*third, *again, "what is up to date stays as it is");
    for (key, value) in VALUES {
        let line = format!("{key} = {value}");
        assert!(
            new.split(|byte| *byte == b'\n')
                .any(|found| found.strip_suffix(b"\r").unwrap_or(found) == line.as_bytes()),
            "`{key}` is missing"
        );
    }
});
