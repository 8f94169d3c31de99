//! The `Authorization` header, read strictly.

use std::fmt;

/// `ALGORITHM Credential=…, SignedHeaders=…, Signature=…`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authorization {
    pub(crate) algorithm: String,
    /// What stands before the scope in `Credential`: a serial number, or an access key id.
    pub(crate) key_id: String,
    pub(crate) scope: CredentialScope,
    /// Lower case, sorted, each once.
    pub(crate) signed_headers: Vec<String>,
    /// The signature's bytes, out of lower-case hexadecimal.
    pub(crate) signature: Vec<u8>,
}

/// `DATE/REGION/SERVICE/TERMINATOR`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CredentialScope {
    pub(crate) date: String,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) terminator: String,
}

/// The longest signature is ML-DSA-87's, 4,627 bytes; twice that in hexadecimal, and 1 KiB for the
/// rest of the header.
const MAX_HEADER_LENGTH: usize = 2 * 4_627 + 1_024;
/// Real clients sign five to ten headers.
const MAX_SIGNED_HEADERS: usize = 50;

impl Authorization {
    /// Reads the header.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(header: &str) -> Result<Self, String> {
        if header.len() > MAX_HEADER_LENGTH {
            return Err(format!(
                "the `Authorization` header is longer than {MAX_HEADER_LENGTH} bytes"
            ));
        }
        let (algorithm, parameters) = header
            .split_once(' ')
            .ok_or("the `Authorization` header holds no parameters")?;
        let algorithm_is_plain = algorithm
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
        if algorithm.is_empty() || !algorithm_is_plain {
            return Err("the `Authorization` header does not begin with an algorithm".to_owned());
        }
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for parameter in parameters.split(',') {
            let (name, value) = parameter
                .trim_matches(' ')
                .split_once('=')
                .ok_or("a parameter of the `Authorization` header has no `=`")?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => {
                    return Err(
                        "the `Authorization` header has a parameter that is not Credential, \
                         SignedHeaders or Signature"
                            .to_owned(),
                    );
                }
            };
            if place.replace(value).is_some() {
                return Err(format!("the `Authorization` header has `{name}` twice"));
            }
        }
        let require = |value: Option<&'_ str>, name: &str| {
            value
                .map(str::to_owned)
                .ok_or_else(|| format!("Authorization header requires '{name}' parameter."))
        };
        let (key_id, scope) = parse_credential(&require(credential, "Credential")?)?;
        Ok(Self {
            algorithm: algorithm.to_owned(),
            key_id,
            scope,
            signed_headers: parse_signed_headers(&require(signed_headers, "SignedHeaders")?)?,
            signature: parse_signature(&require(signature, "Signature")?)?,
        })
    }
}

fn parse_credential(text: &str) -> Result<(String, CredentialScope), String> {
    let parts: Vec<&str> = text.split('/').collect();
    let [key_id, date, region, service, terminator] = parts.as_slice() else {
        return Err(
            "`Credential` must be KEY/DATE/REGION/SERVICE/aws4_request, five parts".to_owned(),
        );
    };
    if parts.iter().any(|part| part.is_empty()) {
        return Err("`Credential` has an empty part".to_owned());
    }
    let scope = CredentialScope {
        date: (*date).to_owned(),
        region: (*region).to_owned(),
        service: (*service).to_owned(),
        terminator: (*terminator).to_owned(),
    };
    Ok(((*key_id).to_owned(), scope))
}

fn parse_signed_headers(text: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = text.split(';').map(str::to_owned).collect();
    if names.len() > MAX_SIGNED_HEADERS {
        return Err(format!(
            "`SignedHeaders` names more than {MAX_SIGNED_HEADERS} headers"
        ));
    }
    // The characters of an HTTP field name (RFC 9110, 5.6.2), capitals left out.
    let plain = |name: &String| {
        !name.is_empty()
            && name.bytes().all(|byte| {
                byte.is_ascii_lowercase()
                    || byte.is_ascii_digit()
                    || b"!#$%&'*+-.^_`|~".contains(&byte)
            })
    };
    if !names.iter().all(plain) {
        return Err("`SignedHeaders` must hold header names in lower case".to_owned());
    }
    let mut pairs = names.iter().zip(names.iter().skip(1));
    if !pairs.all(|(first, second)| first < second) {
        return Err("`SignedHeaders` must be sorted and name each header once".to_owned());
    }
    Ok(names)
}

fn parse_signature(text: &str) -> Result<Vec<u8>, String> {
    if text.is_empty() {
        return Err("`Signature` is empty".to_owned());
    }
    data_encoding::HEXLOWER
        .decode(text.as_bytes())
        .map_err(|_| "`Signature` is not lower-case hexadecimal".to_owned())
}

impl fmt::Display for CredentialScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            date,
            region,
            service,
            terminator,
        } = self;
        write!(f, "{date}/{region}/{service}/{terminator}")
    }
}
