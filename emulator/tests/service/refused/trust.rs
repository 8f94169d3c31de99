//! Chains that do not reach the trust anchor, or reach it against the rules for CAs.

use rolesanywhere_emulator::{Config, Service, config::TrustAnchor};

use super::{Row, insufficient, refuse, refuse_by, untrusted};
use crate::{
    client::Call,
    handmade::{
        Handmade, Key, basic_constraints, extension, key_usage, name, signed_by_openssl, tlv,
    },
    lab::{ROOT_NAME, lab},
    pki::{Certificate, Identity, Issued, key_file},
};

const NO_PATH: &str = "no path to the trust anchor `root`";

/// The lab's account with another certificate as its anchor `root`.
pub(super) fn anchored(pem: &str) -> Service {
    let mut config: Config = lab().config();
    config.trust_anchors = vec![TrustAnchor::new("root", pem)];
    Service::new(&config).unwrap()
}

/// A CA below the lab's root, changed, and a leaf of it.
pub(super) fn below(ca: Certificate) -> (Issued, Issued) {
    let ca = ca.signed_by(&lab().root);
    let leaf = Certificate::leaf("/CN=workload").signed_by(&ca);
    (ca, leaf)
}

#[test]
fn chains_that_do_not_reach_the_anchor() {
    let lab = lab();
    let row = |name, leaf: &dyn Identity, chain: &[&dyn Identity]| {
        Row::of(name, leaf, chain, untrusted(), NO_PATH)
    };
    let of_other = Certificate::leaf("/CN=workload").signed_by(&lab.other_root);
    let self_signed = Certificate::leaf("/CN=workload").self_signed();
    // The lab root's name, and another key.
    let impostor = Certificate::ca("/CN=Lab Root")
        .key("p256-impostor")
        .self_signed();
    let of_impostor = Certificate::leaf("/CN=workload").signed_by(&impostor);
    // Two CAs that vouch for each other and nobody else for them.
    let left = Certificate::ca("/CN=left").key("p256-left").self_signed();
    let right = Certificate::ca("/CN=right")
        .key("p256-right")
        .signed_by(&left);
    let left = Certificate::ca("/CN=left")
        .key("p256-left")
        .signed_by(&right);
    let of_loop = Certificate::leaf("/CN=workload").signed_by(&left);
    refuse(vec![
        row("another CA's", &of_other, &[]),
        row(
            "another CA's, with its chain",
            &of_other,
            &[&lab.other_root],
        ),
        row("self-signed", &self_signed, &[]),
        row("the intermediate is missing", &lab.deep_leaf, &[]),
        row("the wrong intermediate", &lab.deep_leaf, &[&lab.other_root]),
        row(
            "the leaf alone in the chain",
            &lab.deep_leaf,
            &[&lab.deep_leaf],
        ),
        row("an impostor of the root's name", &of_impostor, &[]),
        row("an impostor that brings itself", &of_impostor, &[&impostor]),
        row("CAs that vouch for each other", &of_loop, &[&left, &right]),
    ]);
    let of_anchor = |name, leaf: &Issued, anchor: &str| {
        let arns = lab.arns(anchor, "app", "app");
        let call = Call::helper(&arns, leaf, lab.now);
        Row::new(
            name,
            call.sign(leaf),
            untrusted(),
            "no path to the trust anchor",
        )
    };
    refuse(vec![
        of_anchor("the other anchor is asked", &lab.leaf, "other"),
        of_anchor("the anchor is another branch", &lab.leaf, "issuing"),
    ]);
}

#[test]
fn certificates_with_a_byte_changed() {
    let lab = lab();
    /// A certificate with a byte changed, whose key still signs.
    struct Changed<'a>(&'a Issued, usize);
    impl Identity for Changed<'_> {
        fn der(&self) -> Vec<u8> {
            let mut der = self.0.der();
            // Counted from the end.
            let at = der.len() - self.1;
            der[at] ^= 1;
            der
        }
        fn serial(&self) -> String {
            self.0.serial()
        }
        fn sign(&self, message: &[u8]) -> Vec<u8> {
            self.0.sign(message)
        }
    }
    let signature = Changed(&lab.leaf, 1);
    // The last byte of the to-be-signed part lies before the AlgorithmIdentifier (12 bytes) and the
    // BIT STRING of the signature (its header and 70 to 72 bytes): within the extensions.
    let text = lab.leaf.der();
    let cn = text.windows(8).rposition(|bytes| bytes == b"workload");
    let subject = Changed(&lab.leaf, text.len() - cn.unwrap());
    let ca = Changed(&lab.issuing, 1);
    refuse(vec![
        Row::of(
            "the leaf's signature",
            &signature,
            &[],
            untrusted(),
            NO_PATH,
        ),
        Row::of(
            "the leaf's subject",
            &subject,
            &[],
            untrusted(),
            "the signature on `CN=vorkload` does not verify under the key of `CN=Lab Root`",
        ),
        Row::of(
            "the intermediate's signature",
            &lab.deep_leaf,
            &[&ca],
            untrusted(),
            NO_PATH,
        ),
    ]);
}

#[test]
fn intermediates_that_break_a_rule() {
    let lab = lab();
    let ca = |extensions: &str| {
        Certificate::ca("/CN=Sub")
            .key("p256-sub")
            .extensions(extensions)
    };
    let row = |name, certificate: Certificate, reason| {
        let (ca, leaf) = below(certificate);
        Row::of(name, &leaf, &[&ca], untrusted(), reason)
    };
    let sign = "keyUsage=critical,keyCertSign\n";
    refuse(vec![
        row(
            "no basic constraints",
            ca(sign),
            "is no CA (basic constraints)",
        ),
        row(
            "CA:FALSE",
            ca(&format!("{sign}basicConstraints=critical,CA:FALSE\n")),
            "is no CA (basic constraints)",
        ),
        row(
            "no key usage",
            ca("basicConstraints=critical,CA:TRUE\n"),
            "may not sign certificates",
        ),
        row(
            "no keyCertSign",
            ca("basicConstraints=critical,CA:TRUE\nkeyUsage=cRLSign\n"),
            "may not sign certificates",
        ),
        row(
            "SHA-1",
            Certificate::ca("/CN=Sub").key("p256-sub").hash("sha1"),
            "is made in a way that is not taken",
        ),
        row("version 1", ca(""), "may not sign certificates"),
    ]);
    // A leaf of a leaf.
    let leaf = Certificate::leaf("/CN=second").signed_by(&lab.leaf);
    refuse(vec![Row::of(
        "a leaf as CA",
        &leaf,
        &[&lab.leaf],
        untrusted(),
        "may not sign certificates",
    )]);
    // An intermediate that has expired under a leaf that has not.
    let (ca, leaf) = below(Certificate::ca("/CN=Sub").key("p256-sub").days(1));
    let later = lab.now.plus_seconds(5 * 86_400);
    let call = Call::helper(&lab.arns("root", "app", "app"), &leaf, later).with_chain(&[&ca]);
    refuse(vec![Row {
        now: later,
        ..Row::new(
            "expired",
            call.sign(&leaf),
            untrusted(),
            "`CN=Sub` is valid from",
        )
    }]);
}

/// Nothing can name it as its issuer.
#[test]
fn an_anchor_with_an_empty_subject_is_refused() {
    let nameless = Certificate::ca("").key("p256-root").self_signed();
    let mut config: Config = lab().config();
    config.trust_anchors = vec![TrustAnchor::new("root", &nameless.pem())];
    let error = Service::new(&config).unwrap_err();
    assert!(error.message().contains("has an empty subject"), "{error}");
}

#[test]
fn anchors_that_have_expired_and_anchors_as_leaves() {
    let lab = lab();
    let root = Certificate::ca("/CN=Lab Root")
        .key("p256-root")
        .days(1)
        .self_signed();
    let later = lab.now.plus_seconds(5 * 86_400);
    let call = Call::helper(&lab.arns("root", "app", "app"), &lab.leaf, later);
    let row = Row {
        now: later,
        ..Row::new("expired", call.sign(&lab.leaf), untrusted(), "is valid at")
    };
    refuse_by(|| anchored(&root.pem()), vec![row]);
    refuse(vec![Row::of(
        "the anchor itself",
        &lab.root,
        &[],
        insufficient(),
        "the certificate is a CA's, and no end entity's",
    )]);
}

#[test]
fn rsa_pss_is_refused_unless_a_setting_takes_it() {
    let ca = Certificate::ca("/CN=CA").key("rsa2048-root").self_signed();
    let leaf = Certificate::leaf("/CN=workload")
        .arguments(&[
            "-sigopt",
            "rsa_padding_mode:pss",
            "-sigopt",
            "rsa_pss_saltlen:digest",
        ])
        .signed_by(&ca);
    let row = Row::of(
        "PSS",
        &leaf,
        &[],
        insufficient(),
        "is made in a way that is not taken",
    );
    refuse_by(|| anchored(&ca.pem()), vec![row]);
}

/// Five CAs of one name and key, each signed by that key, make 320 paths: the search must end soon,
/// and without an answer that is yes.
#[test]
fn hostile_chains_are_searched_within_bounds() {
    let lab = lab();
    let key = Key::ec(&key_file("p256-hostile"));
    let leaf_key = Key::ec(&key_file("p256"));
    let mut cas = Vec::new();
    for serial in 1..=5 {
        let certificate = Handmade {
            serial: vec![serial],
            subject: name(&[ROOT_NAME]),
            extensions: vec![key_usage(0x04, 2), basic_constraints(true)],
            ..Handmade::ca(ROOT_NAME, lab.now)
        };
        cas.push(certificate.self_signed(&key));
    }
    let leaf = Handmade::leaf("workload", lab.now).signed_by(&name(&[ROOT_NAME]), &key, &leaf_key);
    let chain: Vec<&dyn Identity> = cas.iter().map(|ca| ca as &dyn Identity).collect();
    let row = Row::of("many paths", &leaf, &chain, untrusted(), NO_PATH);
    let begin = std::time::Instant::now();
    refuse(vec![row]);
    // Sixteen verifications take a few milliseconds; without optimization, still no second.
    assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
    // The same with a name constraint that compares much.
    let subtrees: Vec<u8> = (0..200)
        .flat_map(|n| tlv(0x30, &tlv(0x82, format!("n{n}.example.org").as_bytes())))
        .collect();
    let constraints = extension(&[0x55, 0x1d, 0x1e], true, &tlv(0x30, &tlv(0xa0, &subtrees)));
    let names: Vec<u8> = (0..200)
        .flat_map(|n| tlv(0x82, format!("n{n}.example.com").as_bytes()))
        .collect();
    let mut ca = Handmade::ca("constrained", lab.now);
    ca.extensions.push(constraints);
    let mut leaf = Handmade::leaf("workload", lab.now);
    leaf.extensions
        .push(extension(&[0x55, 0x1d, 0x11], false, &tlv(0x30, &names)));
    let leaf = leaf.signed_by(&name(&["constrained"]), &key, &leaf_key);
    let ca = signed_by_openssl(&ca, &key, &lab.root, ROOT_NAME);
    let row = Row::of(
        "many names",
        &leaf,
        &[&ca],
        untrusted(),
        "(name constraints)",
    );
    refuse(vec![row]);
}
