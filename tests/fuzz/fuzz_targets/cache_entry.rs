//! Any bytes as a file of the command's cache: with an even first byte as they are, else with the digest that
//! a fuzzer cannot guess but whoever writes into the directory can compute.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ring::digest::{SHA256, digest};
use rolesanywhere_core::UnixTime;

#[allow(dead_code)] // The command uses what is left out here.
#[path = "../../../bindings-cli/src/cache/kept.rs"]
mod kept;

use kept::{Kept, hex};

/// What `kept` takes from the module above it, which does the files.
fn is_set_back(now: UnixTime, since: UnixTime) -> bool {
    now.seconds_since(since) < -300
}

const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    let mut file = rest.to_vec();
    if first % 2 == 1 {
        file.push(b'\n');
        file.extend(hex(digest(&SHA256, &file).as_ref()).into_bytes());
        file.push(b'\n');
    }
    let Some(kept) = Kept::from_bytes(&file, KEY) else {
        return;
    };
    for seconds in [
        0,
        1_795_000_000,
        i64::MIN,
        i64::MAX,
        kept.expiration().seconds(),
    ] {
        let now = UnixTime::from_seconds(seconds);
        let _ = kept.next(now);
        let _ = kept.is_valid(now);
    }
    assert!(Kept::from_bytes(&file, "another key").is_none());
    let again = Kept::from_bytes(&kept.to_bytes(KEY), KEY).expect("what is written can be read");
    assert_eq!(again.expiration(), kept.expiration());
    assert_eq!(again.json().expose(), kept.json().expose());
});
