//! The objects of tokens: certificates, and private keys with their public halves.

use cryptoki::{
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    slot::Slot,
};
use rolesanywhere_core::{Certificate, Error, ErrorKind, PublicKey, Result};

use super::{failure::failed, token::Token};
use crate::keys::{
    Access, mismatch, public_key,
    uri::{Uri, write_attribute},
};

/// The most objects of a kind that are looked at in a token: no card has more than some dozen, and
/// an HSM of many keys is asked for one by its label.
const MAX_OBJECTS: usize = 1000;

/// The most objects that are named in an error.
const MAX_NAMED: usize = 8;

/// A certificate of a token.
pub(super) struct FoundCertificate {
    pub(super) certificate: Certificate,
    /// The token's place in the list that was searched.
    pub(super) token: usize,
    pub(super) slot: Slot,
    pub(super) id: Vec<u8>,
    label: Vec<u8>,
}

impl FoundCertificate {
    /// The URI of the certificate.
    pub(super) fn uri(&self, token: &Token) -> String {
        object_uri(token.uri(), &self.id, &self.label, "cert")
    }
}

/// A private key of a token.
pub(super) struct FoundKey {
    pub(super) handle: ObjectHandle,
    /// The public half, if the token tells.
    pub(super) public_key: Option<PublicKey>,
    /// Each signature takes a login of its own.
    pub(super) always_authenticate: bool,
    /// The key, for messages.
    pub(super) place: String,
}

/// The one certificate that the URI fits, and all others of its token. Of several, the one that is
/// no CA's.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] when none or several fit, naming them; what logging in needs.
pub(super) fn certificate(
    tokens: &[Token],
    uri: &Uri,
    pin_uris: &[Option<&Uri>],
    access: &Access<'_>,
) -> Result<(FoundCertificate, Vec<Certificate>)> {
    let mut fitting = fitting(tokens, uri, pin_uris, access)?;
    if fitting.len() > 1 {
        let is_ca = |found: &FoundCertificate| {
            let constraints = found.certificate.basic_constraints();
            constraints.is_some_and(|constraints| constraints.ca)
        };
        if fitting.iter().filter(|found| !is_ca(found)).count() == 1 {
            fitting.retain(|found| !is_ca(found));
        }
    }
    // The same certificate in two places is one.
    fitting.dedup_by(|one, other| one.slot == other.slot && one.certificate == other.certificate);
    let several = fitting.len() > 1;
    match fitting.pop() {
        Some(found) if !several => {
            let token = tokens.get(found.token);
            let others = token.map(all_certificates).transpose()?;
            let others = others.unwrap_or_default().into_iter();
            Ok((found, others.map(|(certificate, ..)| certificate).collect()))
        }
        Some(found) => {
            fitting.push(found);
            let named = fitting.iter().filter_map(|found| {
                let token = tokens.get(found.token)?;
                Some((found.uri(token), found.certificate.subject().to_string()))
            });
            let named: Vec<_> = named
                .take(MAX_NAMED)
                .map(|(uri, subject)| format!("`{uri}` ({subject})"))
                .collect();
            Err(refuse(format!(
                "`{}` fits {} certificates: name the one that is meant, {}",
                uri.shown(),
                fitting.len(),
                named.join(" or ")
            )))
        }
        None => Err(refuse(format!(
            "no certificate fits `{}`: `rolesanywhere read-certificate-data --certificate pkcs11:` lists \
             those that there are",
            uri.shown()
        ))),
    }
}

/// The certificates that the URI fits. If there is none and the URI fits one token alone, it is
/// looked for once more after a login.
///
/// # Errors
/// What logging in needs; the token's.
pub(super) fn fitting(
    tokens: &[Token],
    uri: &Uri,
    pin_uris: &[Option<&Uri>],
    access: &Access<'_>,
) -> Result<Vec<FoundCertificate>> {
    let search = || -> Result<Vec<FoundCertificate>> {
        let mut fitting = Vec::new();
        for (position, token) in tokens.iter().enumerate() {
            for (certificate, id, label) in all_certificates(token)? {
                let same_id = uri.id.as_ref().is_none_or(|wanted| *wanted == id);
                let same_label = uri
                    .object
                    .as_ref()
                    .is_none_or(|wanted| wanted.as_bytes() == label);
                if same_id && same_label {
                    fitting.push(FoundCertificate {
                        certificate,
                        token: position,
                        slot: token.slot,
                        id,
                        label,
                    });
                }
            }
        }
        Ok(fitting)
    };
    let found = search()?;
    match tokens {
        [token] if found.is_empty() && token.info.login_required() => {
            token.log_in(pin_uris, access)?;
            search()
        }
        _ => Ok(found),
    }
}

type WithIdAndLabel = (Certificate, Vec<u8>, Vec<u8>);

/// Every X.509 certificate of a token that can be read.
fn all_certificates(token: &Token) -> Result<Vec<WithIdAndLabel>> {
    let wanted = [Attribute::Class(ObjectClass::CERTIFICATE)];
    let kinds = [
        AttributeType::Value,
        AttributeType::Id,
        AttributeType::Label,
    ];
    let mut certificates = Vec::new();
    for handle in find(token, &wanted)? {
        let (mut der, mut id, mut label) = (Vec::new(), Vec::new(), Vec::new());
        for attribute in attributes(token, handle, &kinds)? {
            match attribute {
                Attribute::Value(value) => der = value,
                Attribute::Id(value) => id = value,
                Attribute::Label(value) => label = value,
                _ => {}
            }
        }
        if let Ok(certificate) = Certificate::from_der(&der) {
            certificates.push((certificate, id, label));
        }
    }
    Ok(certificates)
}

/// The private key that the URI fits. `wanted` is the public half that it must have; with it, keys
/// that are known to be others do not count. If none fits by its label, the identifier of the
/// certificate decides.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] when none or several fit; [`ErrorKind::KeyMismatch`] when those that
/// fit are all known to be others.
pub(super) fn key(
    token: &Token,
    uri: &Uri,
    wanted: Option<&PublicKey>,
    certificate: Option<&FoundCertificate>,
) -> Result<FoundKey> {
    let mut template = vec![Attribute::Class(ObjectClass::PRIVATE_KEY)];
    if let Some(id) = &uri.id {
        template.push(Attribute::Id(id.clone()));
    }
    let without_label = template.clone();
    if let Some(label) = &uri.object {
        template.push(Attribute::Label(label.clone().into_bytes()));
    }
    let mut handles = find(token, &template)?;
    let id = certificate.map(|found| found.id.clone());
    let id = id.filter(|id| !id.is_empty() && uri.id.is_none());
    if handles.is_empty()
        && uri.object.is_some()
        && let Some(id) = id
    {
        let mut template = without_label;
        template.push(Attribute::Id(id));
        handles = find(token, &template)?;
    }
    let mut fitting = Vec::new();
    let mut others = Vec::new();
    for handle in handles {
        let found = describe(token, handle)?;
        match (&found.public_key, wanted) {
            (Some(known), Some(wanted)) if known != wanted => others.push(found),
            _ => fitting.push(found),
        }
    }
    // A key whose public half is known to be the right one goes before those that do not tell.
    if fitting.iter().any(|found| found.public_key.is_some()) && wanted.is_some() {
        fitting.retain(|found| found.public_key.is_some());
        fitting.truncate(1);
    }
    let several = fitting.len() > 1;
    match (fitting.pop(), others.first().zip(wanted)) {
        (Some(found), _) if !several => Ok(found),
        (Some(found), _) => {
            let all = fitting.iter().chain([&found]).map(|found| &*found.place);
            let mut named: Vec<_> = all.take(MAX_NAMED).collect();
            named.sort_unstable();
            Err(refuse(format!(
                "`{}` fits {} private keys: name the one that is meant, {}",
                uri.shown(),
                fitting.len() + 1,
                named.join(" or ")
            )))
        }
        (None, Some((other, wanted))) => Err(mismatch(&other.place, wanted.algorithm())),
        (None, None) => Err(refuse(format!(
            "no private key fits `{}` in the token `{}`: `pkcs11-tool --list-objects --login` lists those \
             that there are",
            uri.shown(),
            token.info.label()
        ))),
    }
}

/// What is known of a private key.
fn describe(token: &Token, handle: ObjectHandle) -> Result<FoundKey> {
    let kinds = [
        AttributeType::KeyType,
        AttributeType::Id,
        AttributeType::Label,
        AttributeType::AlwaysAuthenticate,
        AttributeType::Modulus,
        AttributeType::PublicExponent,
    ];
    let (mut id, mut label, mut always) = (Vec::new(), Vec::new(), false);
    let (mut modulus, mut exponent, mut kind) = (Vec::new(), Vec::new(), None);
    for attribute in attributes(token, handle, &kinds)? {
        match attribute {
            Attribute::KeyType(value) => kind = Some(value),
            Attribute::Id(value) => id = value,
            Attribute::Label(value) => label = value,
            Attribute::AlwaysAuthenticate(value) => always = value,
            Attribute::Modulus(value) => modulus = value,
            Attribute::PublicExponent(value) => exponent = value,
            _ => {}
        }
    }
    let place = format!("`{}`", object_uri(token.uri(), &id, &label, "private"));
    let public_key = match kind {
        Some(KeyType::RSA) if !modulus.is_empty() && !exponent.is_empty() => {
            Some(public_key::rsa(&modulus, &exponent).map_err(|error| error.context(&place))?)
        }
        _ => public_half(token, &id, &label),
    };
    Ok(FoundKey {
        handle,
        public_key,
        always_authenticate: always,
        place,
    })
}

/// The public key of the same identifier and label, else the key of the certificate beside the key.
fn public_half(token: &Token, id: &[u8], label: &[u8]) -> Option<PublicKey> {
    if id.is_empty() {
        return None; // Nothing ties them together.
    }
    let kinds = [
        AttributeType::EcParams,
        AttributeType::EcPoint,
        AttributeType::Label,
    ];
    let template = [
        Attribute::Class(ObjectClass::PUBLIC_KEY),
        Attribute::Id(id.to_vec()),
    ];
    for handle in find(token, &template).ok()? {
        let (mut parameters, mut point, mut own_label) = (Vec::new(), Vec::new(), Vec::new());
        for attribute in attributes(token, handle, &kinds).ok()? {
            match attribute {
                Attribute::EcParams(value) => parameters = value,
                Attribute::EcPoint(value) => point = value,
                Attribute::Label(value) => own_label = value,
                _ => {}
            }
        }
        if own_label == label
            && let Ok(key) = public_key::ec_of_token(&parameters, &point)
        {
            return Some(key);
        }
    }
    let beside = all_certificates(token).ok()?.into_iter();
    let mut beside = beside.filter(|(_, other, other_label)| other == id && other_label == label);
    match (beside.next(), beside.next()) {
        (Some((certificate, ..)), None) => certificate.public_key().ok().cloned(),
        _ => None,
    }
}

fn object_uri(token: String, id: &[u8], label: &[u8], kind: &str) -> String {
    let mut uri = token;
    if !id.is_empty() {
        write_attribute(&mut uri, "id", id);
    }
    if !label.is_empty() {
        write_attribute(&mut uri, "object", label);
    }
    write_attribute(&mut uri, "type", kind.as_bytes());
    uri
}

fn find(token: &Token, template: &[Attribute]) -> Result<Vec<ObjectHandle>> {
    let mut handles = token
        .session
        .find_objects(template)
        .map_err(|error| failed(&error, &format!("the token `{}`", token.info.label())))?;
    handles.truncate(MAX_OBJECTS);
    Ok(handles)
}

fn attributes(
    token: &Token,
    handle: ObjectHandle,
    kinds: &[AttributeType],
) -> Result<Vec<Attribute>> {
    token
        .session
        .get_attributes(handle, kinds)
        .map_err(|error| failed(&error, &format!("the token `{}`", token.info.label())))
}

fn refuse(why: String) -> Error {
    Error::new(ErrorKind::InvalidInput, why)
}
