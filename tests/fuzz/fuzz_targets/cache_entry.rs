//! Any bytes as an entry of a shared store, as the command's cache, Python's and JavaScript's stores give them: with an
//! even first byte as they are, else with the digest that a fuzzer cannot guess but that whoever writes into the
//! store can compute. The provider must use or replace it, never panic, and never use what has ended.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ring::digest::{SHA256, digest};
use rolesanywhere_core::{
    CertificateChain, CreateSession, Error, ErrorKind, Secret,
    provider::{Action, Advice, Event, Policy, Provider, Reading, Sharing},
};

const LEAF: &[u8] = include_bytes!("../../vectors/lifecycle/certificates/leaf.pem");
const ACCOUNT: &str = "123456789012";
/// 2026-11-27, in milliseconds.
const NOW: i64 = 1_795_737_600_000;
/// A drive of a provider whose store answers at once takes fewer steps.
const MOST_STEPS: usize = 64;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    let anchor = format!(
        "arn:aws:rolesanywhere:eu-west-1:{ACCOUNT}:trust-anchor/0d1c5b6e-0000-4000-8000-000000000000"
    );
    let profile = format!(
        "arn:aws:rolesanywhere:eu-west-1:{ACCOUNT}:profile/7f3a2c11-0000-4000-8000-000000000000"
    );
    let role = format!("arn:aws:iam::{ACCOUNT}:role/reader");
    let call = CreateSession::new(&anchor, &profile, &role).expect("three ARNs");
    let chain = CertificateChain::from_pem(LEAF).expect("a certificate");
    let mut provider = Provider::new(call, &Policy::default(), 1)
        .with_sharing(Sharing::with_lock())
        .with_chain(chain);
    let now = Reading::new(NOW, Some(0));
    assert!(matches!(provider.ask(now), Advice::Drive));
    for _ in 0..MOST_STEPS {
        let Some(action) = provider.poll(now) else {
            break;
        };
        let failed = |message| Error::new(ErrorKind::TransportFailed, message);
        let event = match action {
            Action::Load { id, key, .. } => Event::Loaded {
                id,
                entry: Some(Secret::new(entry(*first, rest, &key))),
            },
            Action::Lock { id, .. } => Event::Locked { id },
            Action::Unlock { id, .. } => Event::Unlocked { id },
            Action::Store { id, .. } => Event::Stored { id },
            Action::LoadIdentity { id, .. } => Event::IdentityFailed {
                id,
                error: failed("no identity here"),
                modified: None,
            },
            Action::Pause { .. } => Event::Tick,
            Action::Sign { id, .. } => Event::SignFailed {
                id,
                error: failed("no key here"),
            },
            _ => continue,
        };
        provider.handle(now, event);
    }
    if let Advice::Use(_) = provider.ask(now) {
        let session = provider.session().expect("what is used is there");
        assert!(session.credentials().expiration().seconds() * 1000 > NOW);
    }
});

/// The bytes, or with the digest that binds them to their key.
fn entry(first: u8, rest: &[u8], key: &str) -> Vec<u8> {
    let mut entry = rest.to_vec();
    if first % 2 == 1 {
        let covered = [key.as_bytes(), b"\n", rest].concat();
        let digits: String = digest(&SHA256, &covered)
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        entry.extend(format!(",\"digest\":\"{digits}\"}}").into_bytes());
    }
    entry
}
