//! What `serve` leaves in its memory, and who can see it.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    os::unix::process::ExitStatusExt as _,
    process::Command,
};

use super::{ROLES, Server, command, serving, wait_until};
use crate::{
    harness::{Arns, PROGRAM, World, openssl},
    scripted::{Scripted, ends_in},
};

/// What of a secret is searched for, in either byte order.
const PROBE: usize = 16;

/// How often each secret stands in the writable memory of a process; `None` where the system does not
/// let this user read it.
fn search(process: u32, secrets: &[(&str, Vec<u8>)]) -> Option<Vec<(String, usize)>> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).ok()?;
    let mut memory = File::open(format!("/proc/{process}/mem")).ok()?;
    let mut found: Vec<_> = secrets
        .iter()
        .map(|(name, _)| ((*name).to_owned(), 0))
        .collect();
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
        for ((name, secret), (_, count)) in secrets.iter().zip(&mut found) {
            let middle = &secret[secret.len() / 2 - PROBE / 2..][..PROBE];
            let reversed: Vec<u8> = middle.iter().rev().copied().collect();
            for probe in [middle, &reversed] {
                let here = bytes
                    .windows(PROBE)
                    .filter(|window| window == &probe)
                    .count();
                if here > 0 {
                    eprintln!("{name}: {here} in {map}");
                }
                *count += here;
            }
        }
    }
    assert!(searched > 100_000, "only {searched} bytes were searched");
    Some(found)
}

/// The numbers that `openssl pkey -text` prints under these headings.
fn numbers(key: &str, headings: &[&'static str]) -> Vec<(&'static str, Vec<u8>)> {
    let output = Command::new("openssl")
        .args(["pkey", "-noout", "-text", "-in", key])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    headings
        .iter()
        .map(|heading| {
            let digits: String = text
                .lines()
                .skip_while(|line| *line != format!("{heading}:"))
                .skip(1)
                .take_while(|line| line.starts_with(' '))
                .flat_map(str::chars)
                .filter(char::is_ascii_hexdigit)
                .collect();
            let number: Vec<u8> = (0..digits.len() / 2)
                .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
                .collect();
            assert!(number.len() >= 32, "{heading}: {text}");
            (*heading, number)
        })
        .collect()
}

/// A secret scalar as the arithmetic of both libraries keeps it, times 2^n modulo the order of the curve
/// (SEC 2, version 2.0, sections 2.4.2 and 2.5.1), where n is the length of the order.
fn montgomery(scalar: &[u8], order: &str) -> Vec<u8> {
    let order: Vec<u8> = (0..order.len() / 2)
        .map(|at| u8::from_str_radix(&order[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    // OpenSSL prints a leading zero where the number has its highest bit.
    let mut number = scalar[scalar.len() - order.len()..].to_vec();
    for _ in 0..8 * order.len() {
        let mut carry = 0;
        for byte in number.iter_mut().rev() {
            let doubled = u16::from(*byte) * 2 + carry;
            *byte = doubled as u8;
            carry = doubled >> 8;
        }
        if carry == 1 || number >= order {
            let mut borrow = 0;
            for (byte, subtrahend) in number.iter_mut().zip(&order).rev() {
                let difference = i16::from(*byte) - i16::from(*subtrahend) - borrow;
                *byte = difference as u8;
                borrow = i16::from(difference < 0);
            }
        }
    }
    number
}

/// A key in `key.pem` and a CA's certificate for it in `certificate.pem`.
fn make_identity(world: &World, algorithm: &str, option: &str) {
    let (key, certificate) = (world.text("key.pem"), world.text("certificate.pem"));
    let (ca, ca_key) = (world.text("ca.pem"), world.text("ca-key.pem"));
    let key_options = ["-algorithm", algorithm, "-pkeyopt", option, "-out", &key];
    openssl(&[&["genpkey"][..], &key_options].concat());
    world.write_private("key.pem", world.read("key.pem").as_bytes());
    let request = ["req", "-x509", "-subj", "/CN=x"];
    let new_key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ];
    let own = [&request[..], &new_key, &["-keyout", &ca_key, "-out", &ca]].concat();
    openssl(&own);
    let issuer = ["-CA", &ca, "-CAkey", &ca_key, "-new", "-key", &key];
    let extensions = [
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-addext",
        "keyUsage=critical,digitalSignature",
    ];
    openssl(&[&request[..], &issuer, &extensions, &["-out", &certificate]].concat());
}

#[test]
fn a_renewal_leaves_no_private_key_behind() {
    const FIRST: &str = "ASIAOFTHEFIRSTSESSION";
    const SECOND: &str = "ASIAOFTHESECONDSESSION";
    const RSA: [&str; 5] = [
        "privateExponent",
        "prime1",
        "prime2",
        "exponent1",
        "exponent2",
    ];
    const P256: &str = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
    const P384: &str = "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973";
    let mut left = Vec::new();
    for (algorithm, option, headings, order) in [
        ("EC", "ec_paramgen_curve:P-256", &["priv"][..], P256),
        ("EC", "ec_paramgen_curve:P-384", &["priv"], P384),
        ("RSA", "rsa_keygen_bits:2048", &RSA, ""),
    ] {
        let world = World::new();
        make_identity(&world, algorithm, option);
        let mut secrets = numbers(&world.text("key.pem"), headings);
        if algorithm == "EC" {
            let scalar = secrets[0].1.clone();
            secrets.push(("priv in Montgomery's form", montgomery(&scalar, order)));
        }
        secrets.push(("the first session", FIRST.into()));
        secrets.push(("the session in use", SECOND.into()));
        let service = Scripted::tls(vec![ends_in(3600, FIRST), ends_in(3600, SECOND)]);
        world.write("server-ca.pem", service.ca_pem.as_bytes());
        let (endpoint, ca) = (service.https(), world.text("server-ca.pem"));
        let line = ["--endpoint", &endpoint, "--ca-bundle", &ca, "--port=0"];
        let server = Server::start(command(&world, &Arns::any(), &line));
        let token = server.token();
        let with_token = [("x-aws-ec2-metadata-token", token.as_str())];
        let get =
            || server.ask(&format!("GET {ROLES}/r"), &with_token).json()["AccessKeyId"].clone();
        assert_eq!(get(), FIRST);
        server.process.signal("HUP");
        wait_until("a renewal", || get() == SECOND);
        let Some(mut found) = search(server.process.id(), &secrets) else {
            // Then no other process of this user can, either.
            println!("{option}: the memory of the server cannot be read");
            continue;
        };
        println!("{option}: {found:?}");
        let in_use = found.pop().unwrap();
        assert!(in_use.1 > 0, "the search finds nothing: {option}");
        found.retain(|(_, count)| *count > 0);
        left.extend(found.into_iter().map(|found| (option, found)));
    }
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn no_core_is_dumped_and_no_other_process_may_look() {
    let (_world, _emulator, server) = serving(&[]);
    let process = server.process.id();
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    let words: Vec<&str> = core.split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{core}");
    // The kernel gives root the files of a process that must not be looked at.
    let owner =
        |path: String| std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(path).unwrap());
    assert_eq!(owner(format!("/proc/{process}/mem")), 0);
    let directory = tempfile::tempdir().unwrap();
    // A limit cannot be raised again, and what is killed leaves nothing behind.
    let mut ended = Command::new("sh")
        .args([
            "-c",
            "ulimit -c unlimited; exec \"$@\"",
            "sh",
            PROGRAM,
            "emulate",
        ])
        .current_dir(directory.path())
        .env_clear()
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 1];
    ended.stderr.take().unwrap().read_exact(&mut first).unwrap();
    let id = ended.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-s", "ABRT", &id])
            .status()
            .unwrap()
            .success()
    );
    let status = ended.wait().unwrap();
    assert_eq!(status.signal(), Some(6));
    assert!(!status.core_dumped(), "{status}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
