//! Certificate revocation lists by OpenSSL: what they refuse, and which of them are refused.

use data_encoding::BASE64;
use rolesanywhere_emulator::{
    Config, Service,
    audit::Outcome,
    config::{Crl, Settings},
};

use crate::{
    accepted::accept,
    handmade::{extension, name, tlv},
    lab::lab,
    pki::{Certificate, Issued, RevocationList},
};

/// The lab's account with these lists for its anchor `root`.
fn with_crls(crls: &[String]) -> Config {
    let lists = crls.iter().enumerate();
    lists.fold(lab().config(), |config, (number, pem)| {
        config.with_crl(Crl::new(&format!("list {number}"), "root", pem))
    })
}

/// The reason for which `service` refuses a call of the leaf over `chain`.
fn refused(service: &Service, leaf: &Issued, chain: &[&Issued]) -> String {
    let mut call = lab().call_of(leaf, "root");
    if !chain.is_empty() {
        let chain: Vec<&dyn crate::pki::Identity> = chain
            .iter()
            .map(|ca| *ca as &dyn crate::pki::Identity)
            .collect();
        call = call.with_chain(&chain);
    }
    let response = service.handle(&call.sign(leaf), lab().now);
    let record = service.audit_records().pop().unwrap();
    assert_eq!(
        (response.status, response.text().as_str()),
        (403, r#"{"message":"Certificate revoked"}"#),
        "{record}"
    );
    match record.outcome {
        Outcome::Refused {
            check: "revocation",
            reason,
            ..
        } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_revoked_leaf_is_refused_and_others_are_not() {
    let lab = lab();
    let revoked = Certificate::leaf("/CN=revoked")
        .serial("0xdeadbeef")
        .signed_by(&lab.root);
    let list = RevocationList::of(&["01", "7FFF", "DEADBEEF"]).signed_by(&lab.root);
    let service = Service::new(&with_crls(&[list])).unwrap();
    let reason = refused(&service, &revoked, &[]);
    assert_eq!(
        reason,
        "`CN=revoked`, serial number 3735928559, is revoked by the CRL `list 0`"
    );
    accept(&service, &lab.call().sign(&lab.leaf));
    // The same serial number by another CA is another certificate.
    let other = Certificate::leaf("/CN=other")
        .serial("0xdeadbeef")
        .signed_by(&lab.issuing);
    let call = lab.call_of(&other, "root").with_chain(&[&lab.issuing]);
    accept(&service, &call.sign(&other));
    // The list is the anchor's that it was imported for.
    let call = lab.call_of(&revoked, "rotated");
    accept(&service, &call.sign(&revoked));
}

#[test]
fn a_revoked_intermediate_blocks_every_path_through_it() {
    let lab = lab();
    // The issuing CA's own serial number is 2.
    let list = RevocationList::of(&["02"]).signed_by(&lab.root);
    let service = Service::new(&with_crls(&[list])).unwrap();
    let reason = refused(&service, &lab.deep_leaf, &[&lab.issuing]);
    assert!(
        reason.contains("`CN=Lab Issuing`, serial number 2, is revoked"),
        "{reason}"
    );
    accept(&service, &lab.call().sign(&lab.leaf));
}

#[test]
fn a_list_of_a_ca_below_the_anchor_is_heeded() {
    let lab = lab();
    let list = RevocationList::of(&["61D5692C0A7B"]).signed_by(&lab.issuing);
    let service = Service::new(&with_crls(&[list])).unwrap();
    refused(&service, &lab.deep_leaf, &[&lab.issuing]);
    // The leaf of the root has the same serial number.
    accept(&service, &lab.call().sign(&lab.leaf));
}

#[test]
fn a_disabled_list_revokes_nothing() {
    let lab = lab();
    let list = RevocationList::of(&["61D5692C0A7B"]).signed_by(&lab.root);
    let mut config = with_crls(&[list]);
    config.crls[0].enabled = false;
    accept(&Service::new(&config).unwrap(), &lab.call().sign(&lab.leaf));
    config.crls[0].enabled = true;
    refused(&Service::new(&config).unwrap(), &lab.leaf, &[]);
}

#[test]
fn a_certificate_on_hold_is_revoked() {
    let lab = lab();
    let list = RevocationList {
        revoked: vec![("61D5692C0A7B".to_owned(), "certificateHold")],
        ..RevocationList::default()
    };
    let service = Service::new(&with_crls(&[list.signed_by(&lab.root)])).unwrap();
    refused(&service, &lab.leaf, &[]);
}

#[test]
fn a_list_that_is_out_of_date_still_revokes() {
    let lab = lab();
    let list = |serials: &[&str]| {
        RevocationList {
            updates: Some(("20240101000000Z", "20240201000000Z")),
            ..RevocationList::of(serials)
        }
        .signed_by(&lab.root)
    };
    let service = Service::new(&with_crls(&[list(&["61D5692C0A7B"])])).unwrap();
    refused(&service, &lab.leaf, &[]);
    // It does not revoke more than it lists, unless the setting says so.
    let mut config = with_crls(&[list(&["01"])]);
    accept(&Service::new(&config).unwrap(), &lab.call().sign(&lab.leaf));
    config.settings.refuse_on_expired_crl = true;
    let service = Service::new(&config).unwrap();
    let reason = refused(&service, &lab.leaf, &[]);
    assert!(
        reason.contains("since 2024-02-01T00:00:00Z there should be a newer list"),
        "{reason}"
    );
}

#[test]
fn der_is_taken_as_well_as_pem() {
    let lab = lab();
    let pem = RevocationList::of(&["61D5692C0A7B"]).signed_by(&lab.root);
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    BASE64.decode(base64.as_bytes()).unwrap();
    let mut crl = Crl::new("list", "root", "");
    (crl.pem, crl.der) = (None, Some(base64));
    let service = Service::new(&lab.config().with_crl(crl)).unwrap();
    refused(&service, &lab.leaf, &[]);
}

#[test]
fn lists_that_are_no_use_are_refused_at_import() {
    let lab = lab();
    let good = RevocationList::of(&["01"]);
    let impostor = Certificate::ca("/CN=Lab Root")
        .key("p256-impostor")
        .self_signed();
    let pem = good.signed_by(&lab.root);
    let cut = format!("{}\n-----END X509 CRL-----\n", &pem[..pem.len() / 2]);
    for (name, pem, reason) in [
        (
            "by another of the same name",
            good.signed_by(&impostor),
            "signature does not verify",
        ),
        (
            "a delta list",
            good.clone()
                .extensions("2.5.29.27=critical,DER:020101")
                .signed_by(&lab.root),
            "delta list",
        ),
        (
            "an indirect list",
            good.clone()
                .extensions("issuingDistributionPoint=critical,@idp\n[idp]\nindirectCRL=TRUE")
                .signed_by(&lab.root),
            "of certificates of other issuers (indirect)",
        ),
        (
            "a list of some reasons",
            good.clone()
                .extensions(
                    "issuingDistributionPoint=critical,@idp\n[idp]\nonlysomereasons=keyCompromise",
                )
                .signed_by(&lab.root),
            "of some reasons for revocation only",
        ),
        (
            "a list of attribute certificates",
            good.clone()
                .extensions("issuingDistributionPoint=critical,@idp\n[idp]\nonlyAA=TRUE")
                .signed_by(&lab.root),
            "of attribute certificates only",
        ),
        (
            "an unknown critical extension",
            good.clone()
                .extensions("1.2.3.4=critical,DER:0500")
                .signed_by(&lab.root),
            "critical extension 1.2.3.4",
        ),
        ("two lists", format!("{pem}{pem}"), "2 lists"),
        ("cut short", cut, "CRL"),
        ("a certificate", lab.root.pem(), "0 lists"),
        ("nothing", String::new(), ""),
    ] {
        let error = Service::new(&with_crls(&[pem])).unwrap_err();
        assert!(error.message().contains(reason), "{name}: {error}");
    }
    // An extension that is not critical may be anything.
    let list = good.extensions("1.2.3.4=DER:0500").signed_by(&lab.root);
    Service::new(&with_crls(&[list])).unwrap();
}

/// As every list of Amazon Trust Services' issuing CAs has it, and lists of a part of the certificates.
#[test]
fn lists_with_an_issuing_distribution_point_are_about_what_they_say() {
    let lab = lab();
    let list = |point: &str, serials: &[&str]| {
        RevocationList::of(serials)
            .extensions(&format!(
                "issuingDistributionPoint=critical,@idp\n[idp]\n{point}"
            ))
            .signed_by(&lab.root)
    };
    let leaf = ["61D5692C0A7B"];
    // The issuing CA's own serial number is 2.
    let ca = ["02"];
    let whole = "fullname=URI:http://crl.example.com/1.crl";
    for (point, serials, leaf_refused, ca_refused) in [
        (whole, &leaf, true, false),
        (whole, &ca, false, true),
        ("onlyuser=TRUE", &leaf, true, false),
        ("onlyuser=TRUE", &ca, false, false),
        ("onlyCA=TRUE", &leaf, false, false),
        ("onlyCA=TRUE", &ca, false, true),
    ] {
        let service = Service::new(&with_crls(&[list(point, serials)])).unwrap();
        if leaf_refused {
            refused(&service, &lab.leaf, &[]);
        } else {
            accept(&service, &lab.call().sign(&lab.leaf));
        }
        if ca_refused {
            refused(&service, &lab.deep_leaf, &[&lab.issuing]);
        }
    }
}

/// Serial numbers that RFC 5280 does not allow are revoked like others.
#[test]
fn long_serial_numbers_are_looked_up() {
    let lab = lab();
    let long = "7F".repeat(54);
    let service = Service::new(&with_crls(&[
        RevocationList::of(&["01", &long]).signed_by(&lab.root)
    ]))
    .unwrap();
    let leaf = Certificate::leaf("/CN=x")
        .serial(&format!("0x{long}"))
        .signed_by(&lab.root);
    refused(&service, &leaf, &[]);
    accept(&service, &lab.call().sign(&lab.leaf));
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let lab = lab();
    let pem = RevocationList::of(&["61D5692C0A7B"]).signed_by(&lab.root);
    let service = Service::new(&with_crls(&[format!("\u{feff}{pem}")])).unwrap();
    refused(&service, &lab.leaf, &[]);
}

/// Lists whose DER is put together by hand; the names are those of a CA below the anchor, so that no
/// signature is asked for.
#[test]
fn malformed_lists_are_refused_at_import() {
    let lab = lab();
    let algorithm = |last| tlv(0x30, &tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, last]));
    let issuer = name(&["elsewhere"]);
    let time = tlv(0x17, b"250101000000Z");
    let entry = tlv(0x30, &tlv(0x30, &[tlv(2, &[1]), time.clone()].concat()));
    // certificateHold.
    let reason = extension(&[0x55, 0x1d, 0x15], false, &[10, 1, 6]);
    let with_reason = [tlv(2, &[1]), time.clone(), tlv(0x30, &reason)].concat();
    let with_reason = tlv(0x30, &tlv(0x30, &with_reason));
    let number = tlv(
        0xa0,
        &tlv(0x30, &extension(&[0x55, 0x1d, 0x14], false, &[2, 1, 1])),
    );
    let list = |version: &[u8], parts: &[&[u8]], outer| {
        let head = [version, &algorithm(2), &issuer, &time].concat();
        let tbs = tlv(0x30, &[head, parts.concat()].concat());
        let der = tlv(0x30, &[tbs, algorithm(outer), tlv(3, &[0, 0])].concat());
        let mut crl = Crl::new("list", "root", "");
        (crl.pem, crl.der) = (None, Some(BASE64.encode(&der)));
        Service::new(&lab.config().with_crl(crl)).map_err(|error| error.message().to_owned())
    };
    let two: &[u8] = &[2, 1, 1];
    assert!(list(two, &[&entry, &number], 2).is_ok());
    assert!(list(&[], &[&entry], 2).is_ok());
    for (version, parts, outer, reason) in [
        (
            two,
            &[&entry[..], &entry][..],
            2,
            "two sequences of entries",
        ),
        (
            two,
            &[&entry, &number],
            3,
            "two different signature algorithms",
        ),
        (&[], &[&entry, &number], 2, "version 1 and has extensions"),
        (
            &[],
            &[&with_reason],
            2,
            "version 1 and its entry 1 has extensions",
        ),
    ] {
        let error = list(version, parts, outer).err().unwrap();
        assert!(error.contains(reason), "{reason}: {error}");
    }
}

#[test]
fn an_anchor_that_may_not_sign_lists_has_none() {
    let lab = lab();
    let ca = Certificate::ca("/CN=No Lists")
        .extensions("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n")
        .key("p256-root")
        .self_signed();
    let mut config = with_crls(&[RevocationList::of(&["01"]).signed_by(&ca)]);
    config.trust_anchors[0].pem = Some(ca.pem());
    let error = Service::new(&config).unwrap_err();
    assert!(error.message().contains("lacks cRLSign"), "{error}");
    // The CAs' own rules are as they were.
    assert!(!Settings::default().refuse_on_expired_crl);
    config.crls.clear();
    let leaf = Certificate::leaf("/CN=x").signed_by(&ca);
    accept(
        &Service::new(&config).unwrap(),
        &lab.call_of(&leaf, "root").sign(&leaf),
    );
}

#[test]
fn a_hundred_thousand_entries_are_looked_up() {
    let lab = lab();
    let serials: Vec<String> = (0..100_000u32)
        .map(|n| format!("{:08X}", 0x1000_0000 + 2 * n))
        .collect();
    let serials: Vec<&str> = serials.iter().map(String::as_str).collect();
    let service = Service::new(&with_crls(&[
        RevocationList::of(&serials).signed_by(&lab.root)
    ]))
    .unwrap();
    for (serial, is_revoked) in [
        ("0x10000000", true),
        ("0x10000001", false),
        ("0x10030d3e", true), // 0x10000000 + 2 · 99,999
        ("0x10030d40", false),
        ("0x1000", false),
    ] {
        let leaf = Certificate::leaf("/CN=x")
            .serial(serial)
            .signed_by(&lab.root);
        if is_revoked {
            refused(&service, &leaf, &[]);
        } else {
            accept(&service, &lab.call_of(&leaf, "root").sign(&leaf));
        }
    }
}
