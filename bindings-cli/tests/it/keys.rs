//! `sign-string` and `read-certificate-data`, as scripts of `aws_signing_helper` use them.

use std::process::Command;

use crate::harness::{Run, World, openssl, program, run};

const TEXT: &[u8] = b"AWS Roles Anywhere Credential Helper Signing Test";

/// The algorithm and option of `openssl genpkey` for each kind of key that it makes.
const KINDS: [(&str, &str, &str); 5] = [
    ("EC", "ec_paramgen_curve:P-256", "EC"),
    ("EC", "ec_paramgen_curve:P-384", "EC"),
    ("EC", "ec_paramgen_curve:P-521", "EC"),
    ("RSA", "rsa_keygen_bits:2048", "RSA"),
    ("RSA", "rsa_keygen_bits:3072", "RSA"),
];

/// What `--digest` takes, and the option of `openssl dgst` for each.
const DIGESTS: [(&str, &str); 3] = [
    ("SHA256", "-sha256"),
    ("SHA384", "-sha384"),
    ("SHA512", "-sha512"),
];

/// A key in `k.pem`, its public half in `public.pem`, and a self-signed certificate in `c.pem`.
pub(crate) fn make_key(world: &World, algorithm: &str, option: &str, subject: &str) {
    let (key, public) = (world.text("k.pem"), world.text("public.pem"));
    openssl(&[
        "genpkey",
        "-algorithm",
        algorithm,
        "-pkeyopt",
        option,
        "-out",
        &key,
    ]);
    world.write_private("k.pem", world.read("k.pem").as_bytes());
    openssl(&["pkey", "-in", &key, "-pubout", "-out", &public]);
    let certificate = world.text("c.pem");
    openssl(&[
        "req",
        "-x509",
        "-new",
        "-key",
        &key,
        "-subj",
        subject,
        "-days",
        "1",
        "-set_serial",
        "0x0A0B",
        "-out",
        &certificate,
    ]);
}

/// The bytes of the public key as OpenSSL writes them.
fn public_key_bytes(world: &World, algorithm: &str, option: &str) -> Vec<u8> {
    let (public, der) = (world.text("public.pem"), world.text("public.der"));
    if algorithm == "RSA" {
        openssl(&[
            "rsa",
            "-pubin",
            "-in",
            &public,
            "-RSAPublicKey_out",
            "-outform",
            "DER",
            "-out",
            &der,
        ]);
        return std::fs::read(der).unwrap();
    }
    openssl(&[
        "pkey", "-pubin", "-in", &public, "-outform", "DER", "-out", &der,
    ]);
    let spki = std::fs::read(der).unwrap();
    let coordinate = match option {
        "ec_paramgen_curve:P-256" => 32,
        "ec_paramgen_curve:P-384" => 48,
        _ => 66,
    };
    spki[spki.len() - 1 - 2 * coordinate..].to_vec()
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, bytes)
        .as_ref()
        .to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Runs `sign-string` and returns stdout, which may be binary.
fn signed(world: &World, extra: &[&str]) -> Vec<u8> {
    let (certificate, key) = (world.text("c.pem"), world.text("k.pem"));
    let mut line = vec![
        "sign-string",
        "--certificate",
        &certificate,
        "--private-key",
        &key,
    ];
    line.extend(extra);
    let output = program(&line).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

#[test]
fn signatures_are_verified_by_openssl_under_each_digest() {
    let world = World::new();
    for (algorithm, option, _) in KINDS {
        make_key(&world, algorithm, option, "/CN=signer");
        let key = public_key_bytes(&world, algorithm, option);
        let digest = sha256(&[b"IAM RA", key.as_slice()].concat());
        world.write("message", &[TEXT, b"1", &digest].concat());
        for (name, flag) in DIGESTS {
            let signature = signed(&world, &["--format=bin", "--digest", name]);
            world.write("signature", &signature);
            let (public, file) = (world.text("public.pem"), world.text("signature"));
            let message = world.text("message");
            openssl(&[
                "dgst",
                flag,
                "-verify",
                &public,
                "-signature",
                &file,
                &message,
            ]);
        }
    }
    // RSA's is deterministic: one signature in three forms.
    let bin = signed(&world, &["--format=bin"]);
    let text = String::from_utf8(signed(&world, &["--format", "text"])).unwrap();
    assert_eq!(text, hex(&bin));
    assert_eq!(
        String::from_utf8(signed(&world, &[])).unwrap(),
        format!("\"{text}\"")
    );
}

/// How `openssl pkcs8` encrypts the reference's seven fixtures.
const ENCRYPTED: [&[&str]; 7] = [
    &["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA256"],
    &["-v2", "aes-192-cbc", "-v2prf", "hmacWithSHA256"],
    &["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1"],
    &["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA256"],
    &["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA384"],
    &["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512"],
    &["-scrypt"],
];

/// The forms that the reference's tests have each key in; it has RSA-1024 too, which the service does not take.
#[test]
fn the_reference_s_matrix_of_keys_and_files_signs() {
    let world = World::new();
    world.write_private("password", b"hunter2");
    let text = |name: &str| world.text(name);
    let (key, certificate) = (text("k.pem"), text("c.pem"));
    let (password, form) = (["--password-file", &text("password")], text("form"));
    let sealed = ["-passout", "pass:hunter2", "-out", &form];
    let alone = ["--certificate", &form];
    let pair = ["--certificate", &certificate, "--private-key", &form];
    for (algorithm, option, _) in [
        KINDS[0],
        KINDS[1],
        KINDS[3],
        ("RSA", "rsa_keygen_bits:4096", ""),
    ] {
        make_key(&world, algorithm, option, "/CN=signer");
        let bytes = public_key_bytes(&world, algorithm, option);
        let digest = sha256(&[b"IAM RA", bytes.as_slice()].concat());
        world.write("message", &[TEXT, b"1", &digest].concat());
        let check_under = |digests: &[(&str, &str)], line: &[&str]| {
            for (name, flag) in digests {
                let what = ["sign-string", "--format=bin", "--digest", name];
                let output = program(&[&what[..], line].concat()).output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{option} {line:?}: {said}");
                world.write("signature", &output.stdout);
                let (public, signature) = (text("public.pem"), text("signature"));
                let verify = ["dgst", flag, "-verify", &public, "-signature", &signature];
                openssl(&[&verify[..], &[&text("message")]].concat());
            }
        };
        let check = |line: &[&str]| check_under(&DIGESTS, line);
        openssl(&["pkey", "-traditional", "-in", &key, "-out", &form]);
        check(&pair);
        // The reference has a certificate under each hash; what the service takes of them is not asked here.
        for hash in ["-md5", "-sha1", "-sha512", "-sha384", "-sha256"] {
            if algorithm == "EC" && hash == "-md5" {
                continue; // ECDSA has none with MD5.
            }
            let what = ["req", "-x509", "-new", "-key", &key, "-subj", "/CN=signer"];
            openssl(&[&what[..], &[hash, "-days", "1", "-out", &certificate]].concat());
            check_under(&DIGESTS[..1], &pair);
        }
        openssl(&["pkcs8", "-topk8", "-nocrypt", "-in", &key, "-out", &form]);
        check(&pair);
        for encryption in ENCRYPTED {
            let what = ["pkcs8", "-topk8", "-in", &key];
            openssl(&[&what[..], encryption, &sealed].concat());
            check(&[&pair[..], &password].concat());
        }
        let both = ["pkcs12", "-export", "-inkey", &key, "-in", &certificate];
        openssl(&[&both[..], &sealed].concat());
        check(&[&alone[..], &password].concat());
        let old = [
            "-keypbe",
            "PBE-SHA1-3DES",
            "-certpbe",
            "PBE-SHA1-3DES",
            "-macalg",
            "sha1",
        ];
        openssl(&[&both[..], &old, &["-passout", "pass:", "-out", &form]].concat());
        check(&alone);
        for (first, second) in [("k.pem", "c.pem"), ("c.pem", "k.pem")] {
            world.write_private(
                "form",
                format!("{}{}", world.read(first), world.read(second)).as_bytes(),
            );
            check(&alone);
        }
    }
    make_key(&world, "RSA", "rsa_keygen_bits:1024", "/CN=signer");
    run(&mut program(&["sign-string", "--private-key", &key])).fails_with("1024");
}

/// The seeds of the reference's own ML-DSA keys, and the SHA-256 of what the reference prints for them
/// with `--format text`, as observed with its version 1.8.0.
const GOLDEN: [(u8, &str, usize, &str); 3] = [
    (
        0x11,
        "a0d5de876367d062eaf76ae1a38358b6dec099cd5132ce03499b8d97415b23be",
        2420,
        "2889d49eebc923456ff461f6a2cbe626eabdafa58793867d06002516c10d39f3",
    ),
    (
        0x12,
        "9f5b3f321c88b30e167ce4ecb6d5a54280532f7490bed914f5c12a61f40f1091",
        3309,
        "5bdc161d67946fd5b4acf1f72bc1ab23321319b85cfa2818012c098c8d5d5636",
    ),
    (
        0x13,
        "1b2145f0270cee5cce90e21ec0f786492a33648da4c76060b2fcd542503a3a7c",
        4627,
        "44b644d279c6f8a014ddb1f93ceec00a6053d387e09b465e8886bc2dddc02d06",
    ),
];

#[test]
fn ml_dsa_signatures_are_those_of_the_reference() {
    let world = World::new();
    for (arc, seed, length, expected) in GOLDEN {
        let seed: Vec<u8> = (0..32)
            .map(|at| u8::from_str_radix(&seed[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        // PKCS#8 with the seed alone (RFC 9881, 6).
        let mut der = vec![0x30, 0x34, 2, 1, 0, 0x30, 0x0b, 6, 9];
        der.extend([0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, arc, 4, 0x22, 0x80, 0x20]);
        der.extend(seed);
        world.write_private("mldsa.der", &der);
        seal(&world, "mldsa.der", "sealed.der");
        world.write_private("password", b"hunter2");
        let [plain, sealed, password] =
            ["mldsa.der", "sealed.der", "password"].map(|name| world.text(name));
        for line in [
            &["--private-key", &plain, "--digest", "SHA256"][..],
            &["--private-key", &plain, "--digest", "SHA512"],
            &["--private-key", &sealed, "--password-file", &password],
        ] {
            let ended = run(&mut program(
                &[&["sign-string", "--format=text"], line].concat(),
            ));
            assert_eq!(ended.stderr, "");
            assert_eq!(ended.stdout.len(), 2 * length);
            assert_eq!(hex(&sha256(ended.stdout.as_bytes())), expected);
        }
    }
}

/// Encrypts PKCS#8 under `hunter2`, by OpenSSL's AES and its DER: its `pkcs8` takes no kind of key that it does not
/// know.
fn seal(world: &World, from: &str, to: &str) {
    const ITERATIONS: u32 = 2048;
    let (salt, iv) = ([7; 8], [9; 16]);
    let mut key = [0; 32];
    let iterations = ITERATIONS.try_into().unwrap();
    let prf = ring::pbkdf2::PBKDF2_HMAC_SHA256;
    ring::pbkdf2::derive(prf, iterations, &salt, b"hunter2", &mut key);
    let (from, sealed) = (world.text(from), world.text("sealed"));
    let cipher = ["enc", "-aes-256-cbc", "-K", &hex(&key), "-iv", &hex(&iv)];
    openssl(&[&cipher[..], &["-in", &from, "-out", &sealed]].concat());
    let text = format!(
        "asn1=SEQUENCE:info\n[info]\nalgorithm=SEQUENCE:pbes2\ndata=FORMAT:HEX,OCTETSTRING:{}\n\
         [pbes2]\noid=OID:1.2.840.113549.1.5.13\nparameters=SEQUENCE:parts\n\
         [parts]\nderivation=SEQUENCE:pbkdf2\ncipher=SEQUENCE:aes\n\
         [pbkdf2]\noid=OID:1.2.840.113549.1.5.12\nparameters=SEQUENCE:derivation\n\
         [derivation]\nsalt=FORMAT:HEX,OCTETSTRING:{}\ncount=INTEGER:{ITERATIONS}\nprf=SEQUENCE:prf\n\
         [prf]\noid=OID:1.2.840.113549.2.9\nparameters=NULL\n\
         [aes]\noid=OID:2.16.840.1.101.3.4.1.42\niv=FORMAT:HEX,OCTETSTRING:{}\n",
        hex(&std::fs::read(&sealed).unwrap()),
        hex(&salt),
        hex(&iv)
    );
    world.write("asn1.conf", text.as_bytes());
    world.write_private(to, b"");
    let (text, to) = (world.text("asn1.conf"), world.text(to));
    openssl(&["asn1parse", "-genconf", &text, "-noout", "-out", &to]);
}

#[test]
fn sign_string_refuses_what_cannot_sign() {
    let world = World::new();
    make_key(&world, "EC", "ec_paramgen_curve:P-256", "/CN=signer");
    let (certificate, key) = (world.text("certificate.pem"), world.text("k.pem"));
    let other = [
        "sign-string",
        "--certificate",
        &certificate,
        "--private-key",
        &key,
    ];
    run(&mut program(&other)).fails_with("k.pem` and `");
    for (extra, part) in [
        (&["--format=hex"][..], "pass one of `json`, `text`, `bin`"),
        (
            &["--digest=sha256"],
            "pass one of `SHA256`, `SHA384`, `SHA512`",
        ),
    ] {
        let mut line = vec!["sign-string", "--private-key", &key];
        line.extend(extra);
        run(&mut program(&line)).fails_with(part);
    }
    run(&mut program(&["sign-string"])).fails_with("missing `--certificate`");
    run(&mut program(&["sign-string", "--cert-selector=x"])).fails_with("--cert-selector");
    let selector = "--cert-selector=Key=x509Serial,Value=0a";
    run(&mut program(&["sign-string", selector]))
        .fails_with("this system has no certificate store");
}

/// Runs `read-certificate-data` on a file.
pub(crate) fn data(file: &str, extra: &[&str]) -> Run {
    let mut line = vec!["read-certificate-data", "--certificate", file];
    line.extend(extra);
    run(&mut program(&line))
}

#[test]
fn certificate_data_is_the_reference_s_json() {
    let world = World::new();
    for (algorithm, option, key_type) in KINDS {
        make_key(&world, algorithm, option, "/CN=signer");
        let (pem, der) = (world.text("c.pem"), world.text("c.der"));
        openssl(&["x509", "-in", &pem, "-outform", "DER", "-out", &der]);
        let base64 = Command::new("base64")
            .args(["-w0", &der])
            .output()
            .unwrap()
            .stdout;
        let expected = format!(
            concat!(
                r#"{{"keyType":"{0}","certificateData":"{1}","serialNumber":"2571","#,
                r#""supportedAlgorithms":["{0}SHA256","{0}SHA384","{0}SHA512"]}}"#
            ),
            key_type,
            String::from_utf8(base64).unwrap()
        );
        for file in [&pem, &der] {
            let ended = data(file, &[]);
            assert_eq!(
                (ended.status, ended.stdout.as_str()),
                (Some(0), expected.as_str())
            );
            assert_eq!(ended.stderr, "");
        }
    }
    let (key, pem, p12) = (
        world.text("k.pem"),
        world.text("c.pem"),
        world.text("c.p12"),
    );
    openssl(&[
        "pkcs12",
        "-export",
        "-inkey",
        &key,
        "-in",
        &pem,
        "-out",
        &p12,
        "-passout",
        "pass:hunter2",
    ]);
    world.write_private("password", b"hunter2\n");
    let ended = data(&p12, &["--password-file", &world.text("password")]);
    assert_eq!(ended.stdout, data(&pem, &[]).stdout);
    data(&world.text("k.pem"), &[]).fails_with("k.pem`: ");
}

#[test]
fn certificates_that_the_service_does_not_take_are_read_with_a_warning() {
    let world = World::new();
    let (key, pem) = (world.text("k.pem"), world.text("c.pem"));
    for (options, told, warning) in [
        (
            &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"][..],
            r#"{"keyType":"RSA","#,
            "the RSA key has 1024 bits",
        ),
        (
            &[
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:secp256k1",
            ],
            r#"{"keyType":"EC","#,
            "secp256k1",
        ),
        // The reference prints algorithms here that do not exist.
        (&["-algorithm", "ED25519"], r#"{"keyType":"","#, "Ed25519"),
        (&["-algorithm", "RSA-PSS"], r#"{"keyType":"","#, "PSS"),
    ] {
        openssl(&[&["genpkey", "-out", &key], options].concat());
        openssl(&[
            "req",
            "-x509",
            "-new",
            "-key",
            &key,
            "-subj",
            "/CN=e",
            "-set_serial",
            "7",
            "-out",
            &pem,
        ]);
        let ended = data(&pem, &[]);
        assert_eq!(ended.status, Some(0), "{ended:?}");
        let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        assert!(ended.stdout.starts_with(told), "{ended:?}");
        assert_eq!(json["serialNumber"], "7");
        let count = if told.contains(r#""""#) { 0 } else { 3 };
        assert_eq!(json["supportedAlgorithms"].as_array().unwrap().len(), count);
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
        assert!(
            ended.stderr.contains("warning: ") && ended.stderr.contains(warning),
            "{ended:?}"
        );
    }
}

#[test]
fn the_reference_s_name_is_ours_too() {
    let world = World::new();
    let alias = world.path("aws_signing_helper");
    std::os::unix::fs::symlink(crate::harness::PROGRAM, &alias).unwrap();
    let output = Command::new(&alias)
        .arg("version")
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(
        output.stdout,
        concat!(env!("CARGO_PKG_VERSION"), "\n").as_bytes()
    );
    let output = Command::new(&alias)
        .args(["credential-process", "--help"])
        .env_clear()
        .output()
        .unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(
        help.contains("Usage: aws_signing_helper credential-process"),
        "{help}"
    );
}
