//! Keys and certificates from the OpenSSL command line, made once for each run.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use data_encoding::BASE64;

/// A certificate to be issued. Fields that a test does not care for come from [`Certificate::leaf`]
/// or [`Certificate::ca`].
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    pub(crate) subject: String,
    pub(crate) key: &'static str,
    /// Lines of OpenSSL's extension file; without any the certificate has no extensions.
    pub(crate) extensions: String,
    pub(crate) hash: &'static str,
    pub(crate) days: u32,
    /// In OpenSSL's form, `0x…` or decimal.
    pub(crate) serial: String,
    /// More arguments for `openssl x509`.
    pub(crate) arguments: Vec<&'static str>,
}

impl Certificate {
    pub(crate) fn leaf(subject: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            key: "p256",
            extensions: "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n".to_owned(),
            hash: "sha256",
            days: 3_650,
            serial: "0x61d5692c0a7b".to_owned(),
            arguments: Vec::new(),
        }
    }

    pub(crate) fn ca(subject: &str) -> Self {
        Self {
            extensions: "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n".to_owned(),
            serial: "1".to_owned(),
            ..Self::leaf(subject)
        }
    }

    pub(crate) fn key(mut self, key: &'static str) -> Self {
        self.key = key;
        self
    }

    pub(crate) fn extensions(mut self, extensions: &str) -> Self {
        self.extensions = extensions.to_owned();
        self
    }

    pub(crate) fn hash(mut self, hash: &'static str) -> Self {
        self.hash = hash;
        self
    }

    pub(crate) fn days(mut self, days: u32) -> Self {
        self.days = days;
        self
    }

    pub(crate) fn serial(mut self, serial: &str) -> Self {
        self.serial = serial.to_owned();
        self
    }

    pub(crate) fn arguments(mut self, arguments: &[&'static str]) -> Self {
        self.arguments = arguments.to_vec();
        self
    }

    /// Signed with its own key.
    pub(crate) fn self_signed(&self) -> Issued {
        self.issue(None)
    }

    /// Signed by `issuer`.
    pub(crate) fn signed_by(&self, issuer: &Issued) -> Issued {
        self.issue(Some(issuer))
    }

    fn issue(&self, issuer: Option<&Issued>) -> Issued {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let at = |suffix: &str| {
            let number = COUNT.load(Ordering::SeqCst);
            folder().join(format!("{number}-{suffix}"))
        };
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let key = key_file(self.key);
        let _guard = ONE_AT_A_TIME.lock().unwrap();
        COUNT.fetch_add(1, Ordering::SeqCst);
        let (request, extensions, certificate) = (at("csr"), at("ext"), at("crt"));
        fs::write(&extensions, &self.extensions).unwrap();
        let mut command = openssl(&["req", "-new", "-utf8", "-multivalue-rdn"]);
        let subject = if self.subject.is_empty() {
            "/"
        } else {
            &self.subject
        };
        command.args(["-config", "/dev/null", "-subj", subject, "-key"]);
        command.arg(&key).arg("-out").arg(&request);
        run(command);
        let mut command = openssl(&["x509", "-req", "-in"]);
        command.arg(&request).arg("-out").arg(&certificate);
        command.arg(format!("-{}", self.hash));
        command.arg("-days").arg(self.days.to_string());
        command.arg("-set_serial").arg(&self.serial);
        if !self.extensions.is_empty() {
            command.arg("-extfile").arg(&extensions);
        }
        command.args(&self.arguments);
        match issuer {
            Some(issuer) => {
                command.arg("-CA").arg(&issuer.certificate);
                command.arg("-CAkey").arg(&issuer.key);
            }
            None => {
                command.arg("-signkey").arg(&key);
            }
        }
        run(command);
        let pem = fs::read_to_string(&certificate).unwrap();
        let begin = pem.find("-----BEGIN").unwrap();
        let lines: String = pem[begin..]
            .lines()
            .filter(|l| !l.starts_with('-'))
            .collect();
        Issued {
            der: BASE64.decode(lines.as_bytes()).unwrap(),
            serial: match self.serial.strip_prefix("0x") {
                Some(hex) => decimal(hex),
                None => self.serial.clone(),
            },
            pem: pem[begin..].to_owned(),
            certificate,
            key,
        }
    }
}

/// A certificate that was issued, and the file of its key.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pem: String,
    der: Vec<u8>,
    serial: String,
}

impl Issued {
    /// A certificate and a key that others wrote; OpenSSL tells the serial number.
    pub(crate) fn from_files(certificate: &Path, key: &Path) -> Self {
        let mut command = openssl(&["x509", "-noout", "-serial", "-in"]);
        command.arg(certificate);
        let text = String::from_utf8(run(command)).unwrap();
        let mut command = openssl(&["x509", "-outform", "DER", "-in"]);
        command.arg(certificate);
        Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            pem: fs::read_to_string(certificate).unwrap(),
            der: run(command),
            serial: decimal(text.trim().strip_prefix("serial=").unwrap()),
        }
    }

    pub(crate) fn pem(&self) -> String {
        self.pem.clone()
    }
}

/// A list of revoked certificates to be signed.
#[derive(Clone, Debug, Default)]
pub(crate) struct RevocationList {
    /// Each with its serial number in hexadecimal, an even number of digits, and OpenSSL's name of the
    /// reason, or none.
    pub(crate) revoked: Vec<(String, &'static str)>,
    /// Lines of the section of extensions.
    pub(crate) extensions: String,
    /// When it began and when the next was due, `YYYYMMDDHHMMSSZ`; a month from now when empty.
    pub(crate) updates: Option<(&'static str, &'static str)>,
}

impl RevocationList {
    pub(crate) fn of(serials: &[&str]) -> Self {
        let revoked = serials.iter().map(|serial| ((*serial).to_owned(), ""));
        Self {
            revoked: revoked.collect(),
            ..Self::default()
        }
    }

    pub(crate) fn extensions(mut self, extensions: &str) -> Self {
        self.extensions = extensions.to_owned();
        self
    }

    /// Signed by the CA, PEM.
    pub(crate) fn signed_by(&self, issuer: &Issued) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let folder = folder().join(format!("crl-{number}"));
        fs::create_dir_all(&folder).unwrap();
        let entries: String = self
            .revoked
            .iter()
            .map(|(serial, reason)| {
                let comma = if reason.is_empty() { "" } else { "," };
                format!(
                    "R\t351231000000Z\t240101000000Z{comma}{reason}\t{serial}\tunknown\t/CN=x\n"
                )
            })
            .collect();
        fs::write(folder.join("index.txt"), entries).unwrap();
        let section = if self.extensions.is_empty() {
            String::new()
        } else {
            format!(
                "crl_extensions=extensions\n[extensions]\n{}\n",
                self.extensions
            )
        };
        let directory = folder.display();
        let config = format!(
            "[ca]\ndefault_ca=ca_default\n[ca_default]\ndatabase={directory}/index.txt\n\
             default_md=sha256\ndefault_crl_days=30\nunique_subject=no\n{section}"
        );
        fs::write(folder.join("config"), config).unwrap();
        let mut command = openssl(&["ca", "-gencrl", "-config"]);
        command.arg(folder.join("config"));
        command.arg("-cert").arg(&issuer.certificate);
        command.arg("-keyfile").arg(&issuer.key);
        if let Some((last, next)) = self.updates {
            command.args(["-crl_lastupdate", last, "-crl_nextupdate", next]);
        }
        command.arg("-out").arg(folder.join("list.pem"));
        run(command);
        let pem = fs::read_to_string(folder.join("list.pem")).unwrap();
        pem[pem.find("-----BEGIN").unwrap()..].to_owned()
    }
}

/// A certificate whose key signs.
pub(crate) trait Identity {
    fn der(&self) -> Vec<u8>;
    /// The serial number in decimal.
    fn serial(&self) -> String;
    /// Signs as the service wants it of this kind of key.
    fn sign(&self, message: &[u8]) -> Vec<u8>;
}

impl Identity for Issued {
    fn der(&self) -> Vec<u8> {
        self.der.clone()
    }

    fn serial(&self) -> String {
        self.serial.clone()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        sign_with(&["-sha256"], &self.key, message)
    }
}

/// A signature by OpenSSL with the given options of `openssl dgst`.
pub(crate) fn sign_with(options: &[&str], key: &Path, message: &[u8]) -> Vec<u8> {
    let mut command = openssl(&["dgst", "-sign"]);
    command.arg(key).args(options);
    run_with_input(command, message)
}

/// The private key of a kind, made at first use: `p256`, `p256-other`, `rsa2048`, …
pub(crate) fn key_file(kind: &'static str) -> PathBuf {
    static KEYS: OnceLock<Mutex<HashMap<&'static str, PathBuf>>> = OnceLock::new();
    let mut keys = KEYS.get_or_init(Mutex::default).lock().unwrap();
    keys.entry(kind)
        .or_insert_with(|| {
            let file = folder().join(format!("{kind}.key"));
            let algorithm = kind.split('-').next().unwrap();
            let mut command = openssl(&["genpkey", "-out"]);
            command.arg(&file);
            match algorithm.strip_prefix("rsa") {
                Some(bits) => command
                    .args(["-algorithm", "RSA", "-pkeyopt"])
                    .arg(format!("rsa_keygen_bits:{bits}")),
                None if algorithm == "ed25519" => command.args(["-algorithm", "ED25519"]),
                None => {
                    let curve = match algorithm {
                        "p256" => "prime256v1",
                        "p384" => "secp384r1",
                        "p521" => "secp521r1",
                        other => other,
                    };
                    command
                        .args(["-algorithm", "EC", "-pkeyopt"])
                        .arg(format!("ec_paramgen_curve:{curve}"))
                }
            };
            run(command);
            file
        })
        .clone()
}

/// The `SubjectPublicKeyInfo` of a private key.
pub(crate) fn public_key(key: &Path) -> Vec<u8> {
    let mut command = openssl(&["pkey", "-pubout", "-outform", "DER", "-in"]);
    command.arg(key);
    run(command)
}

/// Hexadecimal to decimal by schoolbook arithmetic.
pub(crate) fn decimal(hex: &str) -> String {
    let mut digits = vec![0u32];
    for nibble in hex.chars() {
        let mut carry = nibble.to_digit(16).unwrap();
        for digit in &mut digits {
            let value = *digit * 16 + carry;
            *digit = value % 10;
            carry = value / 10;
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    let digits = digits.iter().rev();
    digits
        .map(|digit| char::from_digit(*digit, 10).unwrap())
        .collect()
}

/// A folder of this run's own.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("emulator-pki");
        let _absent = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    })
}

fn openssl(arguments: &[&str]) -> Command {
    let mut command = Command::new("openssl");
    command.args(arguments);
    command
}

fn run(command: Command) -> Vec<u8> {
    run_with_input(command, b"")
}

pub(crate) fn run_with_input(mut command: Command, input: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

#[test]
fn decimals_are_what_a_calculator_says() {
    // echo 'ibase=16; 61D5692C0A7B' | bc
    assert_eq!(decimal("61D5692C0A7B"), "107569220422267");
    assert_eq!(decimal("00"), "0");
    assert_eq!(decimal("15"), "21");
}
