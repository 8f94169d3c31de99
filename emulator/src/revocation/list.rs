//! A certificate revocation list, checked and indexed once, when it is imported.

use rolesanywhere_core::UnixTime;
use rustls_pki_types::{CertificateRevocationListDer, pem::PemObject};
use x509_parser::{
    extensions::{ParsedExtension, X509Extension},
    oid_registry::{
        OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER, OID_X509_EXT_CRL_NUMBER,
        OID_X509_EXT_ISSUER_DISTRIBUTION_POINT, OID_X509_EXT_REASON_CODE,
    },
    prelude::{CertificateRevocationList, FromDer},
    revocation_list::RevokedCertificate,
    x509::ReasonCode,
};

use crate::{
    certificate::{Certificate, Name, algorithm_identifier, element},
    config::Settings,
    verification::verify_certificate_signature,
};

/// A list ready to be asked: whose certificates it is about, and their serial numbers in order.
#[derive(Debug)]
pub(crate) struct RevocationList {
    /// The DER of the issuer's name.
    issuer: Vec<u8>,
    issuer_name: Name,
    scope: Scope,
    next_update: Option<UnixTime>,
    serials: Serials,
}

/// Which of the issuer's certificates a list is about (RFC 5280, 5.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    All,
    Cas,
    EndEntities,
}

/// The serial numbers, sorted.
#[derive(Debug)]
struct Serials {
    /// Those that RFC 5280 allows. A list of 100,000 takes 2 MB and seventeen comparisons.
    usual: Box<[Serial]>,
    /// Longer and negative ones, as their INTEGER's content without zeros in front.
    others: Box<[Box<[u8]>]>,
}

/// A serial number: big endian, filled up with zeros in front. RFC 5280 allows twenty octets.
type Serial = [u8; 20];

/// The longest list that is read. The API takes 300,000 bytes; a configuration file may hold more, as
/// 100,000 entries take about four million.
pub(crate) const MAX_LIST_LENGTH: usize = 16 << 20;

impl RevocationList {
    /// Reads one list, PEM or DER, that is to be imported for a trust anchor of these certificates.
    ///
    /// Delta lists, indirect ones, those of some reasons only or of attribute certificates, and lists with a
    /// critical extension that is not known are refused; one of CAs alone, or of end entities alone, is about
    /// these. Where the issuer is a certificate of the anchor,
    /// that one must have signed it; a CA below the anchor is not there to be asked.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn new(
        data: &[u8],
        anchors: &[Certificate],
        settings: &Settings,
    ) -> Result<Self, String> {
        if data.len() > MAX_LIST_LENGTH {
            return Err(format!("it is longer than {MAX_LIST_LENGTH} bytes"));
        }
        let der = der(data)?;
        let parts = Parts::of(&der)?;
        let (_, list) = CertificateRevocationList::from_der(&parts.without_entries)
            .map_err(|error| format!("it is not a certificate revocation list: {error}"))?;
        // x509-parser stops where it cannot go on, and says nothing.
        let read = list.tbs_cert_list.as_ref().len();
        if first(&parts.without_entries).is_none_or(|tbs| tbs.len() != read) {
            return Err("its DER is malformed".to_owned());
        }
        let is_version_2 = match list.version() {
            None => false,
            Some(version) if version.0 == 1 => true,
            Some(_) => return Err("its version is neither 1 nor 2".to_owned()),
        };
        if !is_version_2 && !list.extensions().is_empty() {
            return Err("it is of version 1 and has extensions, which version 2 has".to_owned());
        }
        if list.tbs_cert_list.signature != list.signature_algorithm {
            return Err("it names two different signature algorithms".to_owned());
        }
        check_extensions(
            list.extensions(),
            &[
                OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER,
                OID_X509_EXT_CRL_NUMBER,
                OID_X509_EXT_ISSUER_DISTRIBUTION_POINT,
            ],
        )?;
        let issuer = list.issuer().as_raw();
        let issuer_name = Name::new(list.issuer());
        let signature = &list.signature_value.data;
        let algorithm = algorithm_identifier(&der).unwrap_or_default();
        check_signature(
            anchors,
            &issuer_name,
            &algorithm,
            parts.to_be_signed,
            signature,
            settings,
        )?;
        let time = |time: i64| UnixTime::from_seconds(time);
        Ok(Self {
            issuer: issuer.to_vec(),
            issuer_name,
            scope: Scope::new(list.extensions())?,
            next_update: list.next_update().map(|next| time(next.timestamp())),
            serials: serials(parts.entries, is_version_2)?,
        })
    }

    /// The name of the CA whose certificates it is about.
    pub(crate) fn issuer(&self) -> &Name {
        &self.issuer_name
    }

    /// How many certificates it revokes.
    pub(crate) fn count(&self) -> usize {
        self.serials.usual.len() + self.serials.others.len()
    }

    /// Whether it is about certificates of this one's issuer, and of its kind. Encoded in another way the
    /// name is still the same: a list that was meant to revoke must not be passed by.
    pub(crate) fn is_about(&self, certificate: &Certificate) -> bool {
        let is_ca = certificate.basic_constraints.is_some_and(|(ca, _)| ca);
        let is_in_scope = match self.scope {
            Scope::All => true,
            Scope::Cas => is_ca,
            Scope::EndEntities => !is_ca,
        };
        is_in_scope
            && (self.issuer == certificate.issuer
                || self.issuer_name.matches(&certificate.issuer_name))
    }

    /// Whether it revokes the certificate.
    pub(crate) fn revokes(&self, certificate: &Certificate) -> bool {
        self.is_about(certificate) && self.serials.contains(&certificate.serial)
    }

    /// When a newer list should have been there, if that was before `now`.
    pub(crate) fn expired(&self, now: UnixTime) -> Option<UnixTime> {
        self.next_update.filter(|next| *next < now)
    }
}

impl Scope {
    /// Reads the issuing distribution point. That a list has a distribution point's name makes it no part
    /// of one: Amazon's CAs write it into complete lists.
    fn new(extensions: &[X509Extension<'_>]) -> Result<Self, String> {
        let mut points = extensions.iter().filter_map(|extension| {
            let is_point = extension.oid == OID_X509_EXT_ISSUER_DISTRIBUTION_POINT;
            is_point.then(|| extension.parsed_extension())
        });
        let point = match points.next() {
            None => return Ok(Self::All),
            Some(ParsedExtension::IssuingDistributionPoint(point)) => point,
            Some(_) => return Err("its issuing distribution point cannot be read".to_owned()),
        };
        let refuse = |what| Err(format!("it is a list {what}: import the whole list"));
        if point.indirect_crl {
            return refuse("of certificates of other issuers (indirect)");
        }
        if point.only_some_reasons.is_some() {
            return refuse("of some reasons for revocation only");
        }
        if point.only_contains_attribute_certs {
            return refuse("of attribute certificates only");
        }
        match (point.only_contains_user_certs, point.only_contains_ca_certs) {
            (false, false) => Ok(Self::All),
            (false, true) => Ok(Self::Cas),
            (true, false) => Ok(Self::EndEntities),
            (true, true) => refuse("of end entities only and of CAs only at once"),
        }
    }
}

impl Serials {
    fn contains(&self, content: &[u8]) -> bool {
        match usual(content) {
            Some(serial) => self.usual.binary_search(&serial).is_ok(),
            None => {
                let wanted = without_zeros(content);
                let found = self.others.binary_search_by(|other| (**other).cmp(wanted));
                found.is_ok()
            }
        }
    }
}

/// The DER of one list. AWS documents PEM; DER was seen to be taken.
fn der(data: &[u8]) -> Result<Vec<u8>, String> {
    // A byte order mark, as Windows' editors write it.
    let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    if data.first() == Some(&0x30) {
        return Ok(data.to_vec());
    }
    let lists: Vec<_> = CertificateRevocationListDer::pem_slice_iter(data)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("its PEM cannot be read: {error}"))?;
    match lists.as_slice() {
        [list] => Ok(list.to_vec()),
        _ => Err(format!(
            "it holds {} lists: give one PEM block `X509 CRL`, or DER",
            lists.len()
        )),
    }
}

/// A list taken apart: x509-parser would make an object of each entry, and all at once they take many
/// times the memory of the list.
struct Parts<'a> {
    /// The signed part, header included.
    to_be_signed: &'a [u8],
    /// The content of the sequence of entries.
    entries: &'a [u8],
    /// The DER of the same list with no entries.
    without_entries: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn of(der: &'a [u8]) -> Result<Self, String> {
        const MALFORMED: &str = "it is not a certificate revocation list: its DER is malformed";
        const SEQUENCE: u8 = 0x30;
        const TIMES: [u8; 2] = [0x17, 0x18];
        let (content, after) = element(der).ok_or(MALFORMED)?;
        if !after.is_empty() {
            return Err(format!("{} bytes follow it", after.len()));
        }
        let (fields, signature) = element(content).ok_or(MALFORMED)?;
        let to_be_signed = content
            .get(..content.len() - signature.len())
            .ok_or(MALFORMED)?;
        let (mut entries, mut others) = (None, Vec::new());
        let (mut rest, mut is_after_times) = (fields, false);
        while let Some(tag) = rest.first().copied() {
            let (field, after) = element(rest).ok_or(MALFORMED)?;
            is_after_times |= TIMES.contains(&tag);
            // RFC 5280, 5.1: the entries are what follows the times.
            if tag == SEQUENCE && is_after_times {
                if entries.replace(field).is_some() {
                    return Err("it has two sequences of entries".to_owned());
                }
            } else {
                others.extend_from_slice(rest.get(..rest.len() - after.len()).ok_or(MALFORMED)?);
            }
            rest = after;
        }
        let entries = entries.unwrap_or_default();
        Ok(Self {
            to_be_signed,
            entries,
            without_entries: sequence(&[&sequence(&[&others]), signature]),
        })
    }
}

/// The first element within a sequence, header included.
fn first(der: &[u8]) -> Option<&[u8]> {
    let (content, _) = element(der)?;
    let (_, after) = element(content)?;
    content.get(..content.len() - after.len())
}

/// The DER of a sequence of these contents.
fn sequence(contents: &[&[u8]]) -> Vec<u8> {
    let length: usize = contents.iter().map(|content| content.len()).sum();
    let bytes = length.to_be_bytes();
    let significant = bytes.iter().skip_while(|byte| **byte == 0).copied();
    let mut der = vec![0x30];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => der.push(short),
        _ => {
            let count = significant.clone().count();
            der.push(0x80 | u8::try_from(count).unwrap_or(0x7f));
            der.extend(significant);
        }
    }
    contents
        .iter()
        .for_each(|content| der.extend_from_slice(content));
    der
}

fn check_extensions(
    extensions: &[X509Extension<'_>],
    known: &[x509_parser::der_parser::Oid<'_>],
) -> Result<(), String> {
    // A delta list says in a critical extension that it is one; RFC 5280, 5.2.4.
    const DELTA: &str = "2.5.29.27";
    for extension in extensions {
        let id = extension.oid.to_id_string();
        if id == DELTA {
            return Err("it is a delta list: import the whole list".to_owned());
        }
        if extension.critical && !known.contains(&extension.oid) {
            return Err(format!(
                "it has the critical extension {id}, which is not known: import a list without it"
            ));
        }
    }
    Ok(())
}

fn check_signature(
    anchors: &[Certificate],
    issuer: &Name,
    algorithm: &[u8],
    to_be_signed: &[u8],
    signature: &[u8],
    settings: &Settings,
) -> Result<(), String> {
    let mut named = anchors
        .iter()
        .filter(|anchor| anchor.subject_name.matches(issuer))
        .peekable();
    if named.peek().is_none() {
        return Ok(());
    }
    let mut may_sign = named
        .filter(|anchor| anchor.key_usage.is_some_and(|usage| usage.crl_sign))
        .peekable();
    if may_sign.peek().is_none() {
        return Err(
            "its issuer, the trust anchor, may not sign lists: its key usage lacks cRLSign"
                .to_owned(),
        );
    }
    let verifies = |anchor: &Certificate| {
        verify_certificate_signature(
            &anchor.key_info,
            algorithm,
            to_be_signed,
            signature,
            settings,
        )
        .is_ok()
    };
    if may_sign.any(verifies) {
        return Ok(());
    }
    Err(
        "its signature does not verify under the certificate of the trust anchor that it names as \
         its issuer"
            .to_owned(),
    )
}

/// The serial numbers in order. A certificate on hold is as good as revoked.
fn serials(mut entries: &[u8], is_version_2: bool) -> Result<Serials, String> {
    let (mut serials, mut others) = (Vec::new(), Vec::new());
    while !entries.is_empty() {
        let number = serials.len() + others.len() + 1;
        let (rest, entry) = RevokedCertificate::from_der(entries)
            .map_err(|error| format!("its entry {number} cannot be read: {error}"))?;
        if !is_version_2 && !entry.extensions().is_empty() {
            return Err(format!(
                "it is of version 1 and its entry {number} has extensions, which version 2 has"
            ));
        }
        check_extensions(entry.extensions(), &[OID_X509_EXT_REASON_CODE])?;
        let removes = entry.extensions().iter().any(|extension| {
            matches!(
                extension.parsed_extension(),
                ParsedExtension::ReasonCode(ReasonCode::RemoveFromCRL)
            )
        });
        if removes {
            return Err(
                "it removes an entry of another list, which only delta lists do".to_owned(),
            );
        }
        match usual(entry.raw_serial()) {
            Some(serial) => serials.push(serial),
            None => others.push(Box::from(without_zeros(entry.raw_serial()))),
        }
        entries = rest;
    }
    serials.sort_unstable();
    serials.dedup();
    others.sort_unstable();
    others.dedup();
    Ok(Serials {
        usual: serials.into_boxed_slice(),
        others: others.into_boxed_slice(),
    })
}

/// The content of an INTEGER; `None` when it is negative or longer than twenty octets.
fn usual(content: &[u8]) -> Option<Serial> {
    if content.first()? >= &0x80 {
        return None;
    }
    let bytes = without_zeros(content);
    let mut serial = [0; 20];
    let start = serial.len().checked_sub(bytes.len())?;
    serial.get_mut(start..)?.copy_from_slice(bytes);
    Some(serial)
}

fn without_zeros(content: &[u8]) -> &[u8] {
    let zeros = content.iter().take_while(|byte| **byte == 0).count();
    content.get(zeros..).unwrap_or_default()
}
