//! Certificates against what the `openssl` command says about them.

mod support;

use rolesanywhere_core::{
    Certificate, ErrorKind, KeyAlgorithm, UnixTime,
    certificate::{GeneralName, SignatureAlgorithm},
};
use support::{CA, END_ENTITY, LEAF, Order, P256, Workshop};

#[test]
fn a_usual_certificate_is_read_as_openssl_reads_it() {
    let workshop = Workshop::new();
    let subject = "/C=US/ST=Washington/L=Seattle/O=Example, Inc./OU=a+OU=b/DC=example/UID=u1/CN=J\u{fc}rgen \"<x>\"; #1";
    let extensions = format!(
        "{END_ENTITY}subjectAltName=DNS:a.example,URI:spiffe://a/b,IP:10.0.0.1,IP:2001:db8::1,email:x@y.example,dirName:dn,RID:1.2.3.4,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:u@d\n[dn]\nO=Org\nCN=name\n"
    );
    let pem = workshop.issue(Order {
        subject,
        extensions: &extensions,
        more: &["-set_serial", "0x0123456789abcdef0123456789abcdef01234567"],
        ..LEAF
    });
    let certificate = Certificate::from_pem(pem.as_bytes()).unwrap();
    println!(
        "{} {certificate:?} {:?}",
        certificate.subject(),
        certificate.subject_alternative_names()
    );
}
