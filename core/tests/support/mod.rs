//! Certificates made by the `openssl` command at test time.
// Each test file uses its own part of this, and tests say what they expect by panicking.
#![allow(dead_code)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

pub(crate) mod der;

use std::{fs, path::PathBuf, process::Command};

use rolesanywhere_core::{Error, ErrorKind, Result};
use tempfile::TempDir;

/// A directory in which `openssl` works; removed when dropped.
pub(crate) struct Workshop {
    dir: TempDir,
}

/// What a certificate is to be made of.
#[derive(Clone, Copy)]
pub(crate) struct Order<'a> {
    /// The name of the certificate, `NAME.pem`, and of its key, `NAME.key`.
    pub(crate) name: &'a str,
    /// As `openssl genpkey` takes it, a key that exists is used again.
    pub(crate) key: &'a [&'a str],
    /// As `-subj` takes it.
    pub(crate) subject: &'a str,
    /// The `name` of the issuer; self-signed where it is empty.
    pub(crate) issuer: &'a str,
    /// The extensions, lines of an OpenSSL configuration.
    pub(crate) extensions: &'a str,
    /// More arguments of `openssl x509 -req`.
    pub(crate) more: &'a [&'a str],
}

/// As most CAs have it.
pub(crate) const CA: &str = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n\
    subjectKeyIdentifier=hash\n";

/// As most end entities have it.
pub(crate) const END_ENTITY: &str = "basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n\
    extendedKeyUsage=clientAuth\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n";

pub(crate) const P256: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];

pub(crate) const LEAF: Order<'static> = Order {
    name: "leaf",
    key: P256,
    subject: "/CN=leaf",
    issuer: "",
    extensions: END_ENTITY,
    more: &[],
};

impl Workshop {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn pem(&self, name: &str) -> String {
        String::from_utf8(self.read(&format!("{name}.pem"))).unwrap()
    }

    /// Runs `openssl` in the directory; what it says on stdout.
    pub(crate) fn openssl(&self, arguments: &[&str]) -> String {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(self.dir.path())
            .output()
            .expect("these tests need the `openssl` command");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Whether `openssl` ends well.
    pub(crate) fn succeeds(&self, arguments: &[&str]) -> bool {
        Command::new("openssl")
            .args(arguments)
            .current_dir(self.dir.path())
            .output()
            .expect("these tests need the `openssl` command")
            .status
            .success()
    }

    /// What `openssl x509 -noout` prints about `NAME.pem`, without its label.
    pub(crate) fn shown(&self, name: &str, arguments: &[&str]) -> String {
        let file = format!("{name}.pem");
        let said = self.openssl(&[&["x509", "-noout", "-in", &file], arguments].concat());
        let (_, value) = said.split_once('=').unwrap_or(("", &said));
        value.trim_end().to_string()
    }

    /// Makes a certificate; its PEM.
    pub(crate) fn issue(&self, order: Order<'_>) -> String {
        let name = order.name;
        let file = |suffix: &str| format!("{name}.{suffix}");
        let (key, csr, pem) = (file("key"), file("csr"), file("pem"));
        if !self.path(&key).exists() {
            self.openssl(&[&["genpkey", "-out", &key], order.key].concat());
        }
        self.write(
            "req.cnf",
            "[req]\ndistinguished_name=dn\nstring_mask=utf8only\n[dn]\n",
        );
        self.write(&file("ext"), order.extensions);
        self.openssl(&[
            "req",
            "-new",
            "-config",
            "req.cnf",
            "-utf8",
            "-key",
            &key,
            "-subj",
            order.subject,
            "-out",
            &csr,
        ]);
        let ext = file("ext");
        let request = ["x509", "-req", "-in", &csr, "-out", &pem, "-extfile", &ext];
        let (ca, ca_key) = (
            format!("{}.pem", order.issuer),
            format!("{}.key", order.issuer),
        );
        let signed_by: &[&str] = match order.issuer {
            "" => &["-signkey", &key],
            _ => &["-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial"],
        };
        self.openssl(&[&request[..], signed_by, order.more].concat());
        self.pem(name)
    }

    /// The DER that `openssl asn1parse -genconf` makes of a configuration.
    pub(crate) fn asn1(&self, configuration: &str) -> Vec<u8> {
        self.write("asn1.cnf", configuration);
        self.openssl(&[
            "asn1parse",
            "-genconf",
            "asn1.cnf",
            "-noout",
            "-out",
            "asn1.der",
        ]);
        self.read("asn1.der")
    }

    /// A certificate with fields that no tool would write, and a signature that means nothing: the
    /// usual one with `changes` made to the lines of its configuration.
    pub(crate) fn odd(&self, changes: &[(&str, &str)]) -> Vec<u8> {
        let mut configuration = ODD.to_string();
        for (line, replacement) in changes {
            assert!(configuration.contains(line), "{line}");
            configuration = configuration.replace(line, replacement);
        }
        self.asn1(&configuration)
    }
}

/// The bytes with the one occurrence of `old` replaced by `new`, which is as long.
pub(crate) fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let found: Vec<_> = (0..bytes.len())
        .filter(|at| bytes[*at..].starts_with(old))
        .collect();
    let [at] = found[..] else {
        panic!("{old:x?} occurs at {found:?}");
    };
    let mut bytes = bytes.to_vec();
    bytes[at..at + old.len()].copy_from_slice(new);
    bytes
}

/// The configuration of [`Workshop::odd`].
const ODD: &str = "asn1=SEQUENCE:certificate
[certificate]
tbs=SEQUENCE:tbs
algorithm=SEQUENCE:algorithm
signature=FORMAT:HEX,BITSTRING:3006020101020101
[tbs]
version=EXPLICIT:0,INTEGER:2
serial=INTEGER:1
algorithm=SEQUENCE:algorithm
issuer=SEQUENCE:name
validity=SEQUENCE:validity
subject=SEQUENCE:name
key=SEQUENCE:key
extensions=EXPLICIT:3,SEQUENCE:extensions
[algorithm]
oid=OID:1.2.840.10045.4.3.2
[again]
oid=OID:1.2.840.10045.4.3.2
parameters=NULL
[name]
rdn1=SET:rdn1
[rdn1]
attribute1=SEQUENCE:attribute1
[attribute1]
oid=OID:2.5.4.3
value=UTF8:odd
[validity]
from=UTCTIME:240706113859Z
to=UTCTIME:340706113859Z
[key]
algorithm=SEQUENCE:key_algorithm
bits=FORMAT:HEX,BITSTRING:046B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C2964FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5
[key_algorithm]
oid=OID:1.2.840.10045.2.1
curve=OID:1.2.840.10045.3.1.7
[extensions]
usage=SEQUENCE:usage
[usage]
oid=OID:2.5.29.15
critical=BOOLEAN:TRUE
value=FORMAT:HEX,OCTETSTRING:03020780
";

/// Makes a key, `NAME.pem`.
pub(crate) fn generate(workshop: &Workshop, name: &str, options: &[&str]) -> Vec<u8> {
    let file = format!("{name}.pem");
    workshop.openssl(&[&["genpkey", "-out", &file], options].concat());
    workshop.read(&file)
}

/// What `openssl pkey` writes of `NAME.pem`.
pub(crate) fn converted(workshop: &Workshop, name: &str, options: &[&str]) -> Vec<u8> {
    let file = format!("{name}.pem");
    workshop.openssl(&[&["pkey", "-in", &file, "-out", "converted"], options].concat());
    workshop.read("converted")
}

/// The error of a result, which is of that kind and has that part in its message.
pub(crate) fn refusal<T>(result: Result<T>, kind: ErrorKind, part: &str) -> Error {
    let error = result.err().unwrap();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.message().contains(part), "{error}");
    error
}
