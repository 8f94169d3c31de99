//! Whether a private key is gone from memory when it is dropped.
//!
//! This program starts itself again: the child reads a key and drops it, and then both wait. The
//! parent, which alone knows the key's bytes, reads the child's writable memory and searches it. The
//! child gets the file through a pipe into a buffer that it wipes, as the callers of the core must.

// Tests say what they expect by panicking.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used
)]

#[cfg(target_os = "linux")]
fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("read") => child::run(),
        _ => parent::run(),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: the memory of another process is read through Linux's /proc");
}

#[cfg(target_os = "linux")]
mod child {
    use std::{
        fs::File,
        io::{Read, Write},
    };

    use rolesanywhere_core::PrivateKey;

    /// Reads the length of a file and the file, tells what it holds, drops the key (or keeps it, which
    /// shows that the search works), and waits to be ended.
    pub(super) fn run() {
        let keep = std::env::args().nth(2).as_deref() == Some("keep");
        // Not `std::io::stdin`, whose buffer nobody wipes.
        let mut input = File::open("/dev/stdin").unwrap();
        let mut length = [0; 4];
        input.read_exact(&mut length).unwrap();
        let mut file = vec![0; u32::from_be_bytes(length) as usize];
        input.read_exact(&mut file).unwrap();
        let key = PrivateKey::from_bytes(&file, Some(b"secret")).unwrap();
        file.fill(0);
        std::hint::black_box(&file);
        let algorithm = key.algorithm();
        let kept = keep.then_some(key); // dropped here, unless it is to be kept
        println!("{algorithm}");
        std::io::stdout().flush().unwrap();
        std::thread::sleep(std::time::Duration::from_secs(600));
        drop(kept);
    }
}

#[cfg(target_os = "linux")]
mod parent {
    use std::{
        fs::File,
        io::{BufRead, BufReader, Read, Seek, SeekFrom, Write},
        process::{Child, Command, Stdio},
    };

    use tempfile::TempDir;

    /// What of a key is searched for, in either byte order.
    const PROBE: usize = 16;

    const RSA: &str = "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out plain.pem";
    const EC: &str = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out plain.pem";

    /// The containers, each with the arguments of `openssl` that make it.
    const CONTAINERS: &[(&str, &str)] = &[
        ("PKCS#8 in PEM", "pkey -in plain.pem -out file"),
        ("PKCS#8 in DER", "pkey -in plain.pem -outform DER -out file"),
        (
            "traditional PEM",
            "pkey -in plain.pem -traditional -out file",
        ),
        (
            "encrypted PKCS#8 in PEM",
            "pkcs8 -topk8 -in plain.pem -out file -passout pass:secret",
        ),
        (
            "encrypted PKCS#8 in DER",
            "pkcs8 -topk8 -in plain.pem -outform DER -out file -passout pass:secret",
        ),
        (
            "scrypt",
            "pkcs8 -topk8 -scrypt -scrypt_N 1024 -in plain.pem -out file -passout pass:secret",
        ),
        (
            "PKCS#12's 3DES in PKCS#8",
            "pkcs8 -topk8 -v1 PBE-SHA1-3DES -in plain.pem -out file -passout pass:secret",
        ),
        (
            "encrypted traditional PEM",
            "pkey -in plain.pem -aes256 -traditional -out file -passout pass:secret",
        ),
        (
            "PKCS#12",
            "pkcs12 -export -inkey plain.pem -in cert.pem -out file -passout pass:secret",
        ),
        (
            "old PKCS#12",
            "pkcs12 -export -legacy -inkey plain.pem -in cert.pem -out file -passout pass:secret",
        ),
        (
            "plain PKCS#12",
            "pkcs12 -export -keypbe NONE -certpbe NONE -nomac -inkey plain.pem -in cert.pem -out file -passout pass:",
        ),
    ];

    pub(super) fn run() {
        for (generate, heading) in [(EC, "priv:"), (RSA, "prime1:"), (RSA, "privateExponent:")] {
            let dir = tempfile::tempdir().unwrap();
            openssl(&dir, generate);
            openssl(
                &dir,
                "req -x509 -new -key plain.pem -subj /CN=x -out cert.pem",
            );
            let secret = secret(&openssl(&dir, "pkey -in plain.pem -noout -text"), heading);
            for (name, command) in CONTAINERS {
                openssl(&dir, command);
                let file = std::fs::read(dir.path().join("file")).unwrap();
                let kept = search(&file, "keep", &secret);
                assert!(
                    !kept.is_empty(),
                    "{name}: the key that is held is not found: {heading}"
                );
                let dropped = search(&file, "drop", &secret);
                assert!(
                    dropped.is_empty(),
                    "{name}: after the drop {heading} is in {dropped:?}"
                );
                println!(
                    "{name}: {heading} found {} times, after the drop never",
                    kept.len()
                );
            }
        }
    }

    /// Where a secret stands in the memory of a child that reads `file`.
    fn search(file: &[u8], what: &str, secret: &[u8]) -> Vec<String> {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["read", what])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input
            .write_all(&u32::try_from(file.len()).unwrap().to_be_bytes())
            .unwrap();
        input.write_all(file).unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(
            line.starts_with("EC") || line.starts_with("RSA"),
            "the child said `{line}`"
        );
        // Its line is written after the key is dropped.
        let found = search_memory(&child, secret);
        child.kill().unwrap();
        child.wait().unwrap();
        found
    }

    fn search_memory(child: &Child, secret: &[u8]) -> Vec<String> {
        let middle = &secret[secret.len() / 2 - PROBE / 2..][..PROBE];
        let reversed: Vec<u8> = middle.iter().rev().copied().collect();
        let maps = std::fs::read_to_string(format!("/proc/{}/maps", child.id())).unwrap();
        let mut memory = File::open(format!("/proc/{}/mem", child.id())).unwrap();
        let mut found = Vec::new();
        let mut searched = 0;
        for map in maps.lines() {
            let mut fields = map.split_whitespace();
            let (range, mode) = (fields.next().unwrap(), fields.next().unwrap());
            if !mode.starts_with("rw") {
                continue;
            }
            let (start, end) = range.split_once('-').unwrap();
            let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
            let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
            memory.seek(SeekFrom::Start(start)).unwrap();
            memory
                .read_exact(&mut bytes)
                .unwrap_or_else(|error| panic!("{map}: {error}"));
            searched += bytes.len();
            for probe in [middle, &reversed] {
                if bytes.windows(PROBE).any(|window| window == probe) {
                    found.push(map.to_string());
                }
            }
        }
        assert!(searched > 100_000, "only {searched} bytes were searched");
        found
    }

    /// A number that `openssl pkey -text` prints under a heading.
    fn secret(text: &str, heading: &str) -> Vec<u8> {
        let digits: String = text
            .lines()
            .skip_while(|line| *line != heading)
            .skip(1)
            .take_while(|line| line.starts_with(' '))
            .flat_map(str::chars)
            .filter(char::is_ascii_hexdigit)
            .collect();
        let secret: Vec<u8> = (0..digits.len() / 2)
            .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        assert!(secret.len() >= 32, "{heading} {text}");
        secret
    }

    fn openssl(dir: &TempDir, arguments: &str) -> String {
        let output = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(dir.path())
            .output()
            .expect("this test needs the `openssl` command");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }
}
