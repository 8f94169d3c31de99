use rustls::pki_types::pem::PemObject as _;

use super::*;

fn environment_of<'a>(variables: &'a [(&'a str, String)]) -> impl Fn(&str) -> Option<String> + 'a {
    |name| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| value.clone())
    }
}

/// Mozilla's roots as a system bundle would hold them, with comments between; and each one's subject.
fn bundle() -> (String, Vec<Vec<u8>>) {
    let mut pem = String::new();
    let mut subjects = Vec::new();
    for (index, der) in webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().enumerate() {
        let anchor = webpki::anchor_from_trusted_cert(der).unwrap();
        subjects.push(anchor.subject.to_vec());
        let base64 = Base64::encode_string(der);
        let newline = if index % 2 == 0 { "\n" } else { "\r\n" };
        pem.push_str(&format!(
            "# root {index}{newline}-----BEGIN CERTIFICATE-----{newline}"
        ));
        for line in base64.as_bytes().chunks(64) {
            pem.push_str(std::str::from_utf8(line).unwrap());
            pem.push_str(newline);
        }
        pem.push_str(&format!("-----END CERTIFICATE-----{newline}"));
    }
    (pem, subjects)
}

fn roots(pem: &[u8]) -> Roots {
    Roots {
        pem: pem.to_vec(),
        directories: Vec::new(),
        origin: String::new(),
    }
}

#[test]
fn the_search_finds_every_root_that_decoding_all_finds() {
    let (pem, subjects) = bundle();
    let roots = roots(pem.as_bytes());
    assert_eq!(roots.all().len(), subjects.len());
    let expected: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .map(|der| der.unwrap())
        .collect();
    for subject in &subjects {
        let wanted = expected
            .iter()
            .filter(|der| {
                webpki::anchor_from_trusted_cert(der)
                    .unwrap()
                    .subject
                    .as_ref()
                    == subject
            })
            .count();
        let found = roots.naming(std::slice::from_ref(subject));
        let matching = found
            .roots
            .iter()
            .filter(|root| root.subject.as_ref() == subject)
            .count();
        assert_eq!(matching, wanted);
        // The point of searching: a few are decoded, not all.
        assert!(found.len() < 10, "{} roots for one name", found.len());
    }
    assert_eq!(roots.naming(&[b"no such name anywhere".to_vec()]).len(), 0);
}

#[test]
fn what_is_no_certificate_is_skipped() {
    let (pem, _) = bundle();
    let end = pem.find("-----END").unwrap();
    let one = format!("{}-----END CERTIFICATE-----\n", &pem[..end]);
    for (text, count) in [
        (String::new(), 0),
        ("-----BEGIN CERTIFICATE-----".into(), 0),
        (
            "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n".into(),
            0,
        ),
        (
            format!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{one}"),
            1,
        ),
        (one.replace('\n', " \n\t"), 1),
        (one.replace("BEGIN CERT", "BEGIN TRUSTED CERT"), 0),
    ] {
        let roots = Roots {
            directories: vec!["/nonexistent".into()],
            ..roots(text.as_bytes())
        };
        assert_eq!(roots.all().len(), count, "{text:.60}");
    }
}

#[test]
fn the_environment_names_the_roots() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (pem, subjects) = bundle();
    std::fs::write(path("a.pem"), &pem).unwrap();
    std::fs::write(path("empty.pem"), "no certificate").unwrap();
    let all = subjects.len();

    let load = |variables: &[(&str, String)]| {
        let lookup = environment_of(variables);
        Roots::load(None, &Environment::new(&lookup))
    };
    let ours = load(&[
        ("AWS_CA_BUNDLE", path("a.pem")),
        ("SSL_CERT_FILE", "/no".into()),
    ])
    .unwrap();
    assert_eq!(ours.all().len(), all);
    assert!(ours.origin().contains("(AWS_CA_BUNDLE)"));
    assert_eq!(
        load(&[("SSL_CERT_FILE", path("a.pem"))])
            .unwrap()
            .all()
            .len(),
        all
    );
    let listed = format!("/nonexistent:{}", directory.path().display());
    let found = load(&[("SSL_CERT_DIR", listed)]).unwrap();
    assert_eq!(found.naming(&subjects).len(), 0);
    assert_eq!(found.all().len(), all);

    let lookup = environment_of(&[]);
    let option = Roots::load(
        Some(&directory.path().join("a.pem")),
        &Environment::new(&lookup),
    );
    let option = option.unwrap();
    assert_eq!(option.all().len(), all);
    assert!(option.origin().contains("(--ca-bundle)"));

    for (variable, file, part) in [
        ("AWS_CA_BUNDLE", "missing.pem", "cannot be read"),
        ("AWS_CA_BUNDLE", "empty.pem", "holds no PEM certificate"),
        ("SSL_CERT_FILE", "missing.pem", "cannot be read"),
    ] {
        let error = load(&[(variable, path(file))]).unwrap_err();
        assert!(error.message().starts_with(variable), "{error}");
        assert!(error.message().contains(part), "{error}");
    }
}

#[test]
fn a_system_without_a_bundle_gets_the_roots_compiled_in() {
    let roots = Roots::system(&["/nonexistent/a", "/nonexistent/b"]);
    assert_eq!(roots.all().len(), webpki_roots::TLS_SERVER_ROOTS.len());
    assert!(roots.origin().contains("compiled in"));
    assert_eq!(roots.naming(&[b"x".to_vec()]).len(), 0);
}

#[test]
fn content_where_a_path_belongs_is_not_repeated() {
    // 32 bytes as CI systems carry keys: base64, and the lines of PEM.
    let key = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU=";
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n");
    for value in [key, pem.as_str()] {
        for variables in [
            &[][..],
            &[("AWS_CA_BUNDLE", value.to_owned())],
            &[("SSL_CERT_FILE", value.to_owned())],
        ] {
            let lookup = environment_of(variables);
            let option = variables.is_empty().then(|| Path::new(value));
            let error = Roots::load(option, &Environment::new(&lookup)).unwrap_err();
            assert!(!error.message().contains("QUJD"), "{error}");
            assert!(error.message().contains("not repeated"), "{error}");
        }
    }
}
