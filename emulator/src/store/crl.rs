//! Certificate revocation lists.

use std::{borrow::Cow, sync::Arc};

use data_encoding::BASE64;

use crate::{certificate::Certificate, config, revocation::RevocationList};

use super::{
    Invalid,
    account::{Account, check_name, check_tags},
    table::{Kind, Resource, Times},
    trust_anchor::TrustAnchor,
};

/// A certificate revocation list, read and indexed.
#[derive(Debug)]
pub(crate) struct Crl {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) alias_arn: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) trust_anchor_arn: String,
    /// Made once at import, and shared by every later version that holds the same list.
    pub(crate) list: Arc<RevocationList>,
    pub(crate) times: Times,
    spec: config::Crl,
}

/// Where the plain data of a CRL comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CrlSource<'a> {
    /// It was this CRL; where its list is still the same, that is taken over.
    Changed(&'a Crl),
    /// Imported, or of a configuration: its signature is verified, where its issuer is known.
    New,
    /// A state file, into which it came verified.
    Stored,
}

impl Crl {
    /// Parses plain data. `anchor_named` finds a trust anchor.
    pub(crate) fn new(
        mut spec: config::Crl,
        account: &Account,
        times: Times,
        anchor_named: impl Fn(&str) -> Option<Arc<TrustAnchor>>,
        source: CrlSource<'_>,
    ) -> Result<Arc<Self>, Invalid> {
        check_name(&spec.name)?;
        check_tags(spec.tags.iter())?;
        let trust_anchor = anchor_named(&spec.trust_anchor).ok_or_else(|| {
            Invalid::new(format!("there is no trust anchor `{}`", spec.trust_anchor))
        })?;
        let trust_anchor_arn = trust_anchor.arn.clone();
        let read = |issuers: &[Certificate]| {
            RevocationList::new(&data(&spec)?, issuers, &account.settings)
                .map(Arc::new)
                .map_err(|why| bad_crl(format!("it is not a CRL that can be used: {why}")))
        };
        let list = match source {
            CrlSource::Changed(crl) if crl.spec.pem == spec.pem && crl.spec.der == spec.der => {
                Arc::clone(&crl.list)
            }
            CrlSource::Changed(_) | CrlSource::New => read(&trust_anchor.certificates)?,
            // The trust anchor may have other certificates by now than at import.
            CrlSource::Stored => read(&[])?,
        };
        let id = account.resource_id(Kind::Crl, &spec.name, spec.id.as_deref())?;
        let arn = account.arn(&format!("{}/{id}", Kind::Crl.as_str()));
        let alias_arn = account.alias_arn(Kind::Crl, spec.alias.as_deref())?;
        spec.id = Some(id);
        spec.trust_anchor.clone_from(&trust_anchor_arn);
        Ok(Arc::new(Self {
            name: spec.name.clone(),
            arn,
            alias_arn,
            enabled: spec.enabled,
            trust_anchor_arn,
            list,
            times,
            spec,
        }))
    }

    /// The list as it was imported.
    pub(crate) fn data(&self) -> Cow<'_, [u8]> {
        // It has been read before.
        data(&self.spec).unwrap_or_default()
    }
}

impl Resource for Crl {
    type Spec = config::Crl;
    const KIND: Kind = Kind::Crl;

    fn spec(&self) -> &config::Crl {
        &self.spec
    }

    fn arn(&self) -> &str {
        &self.arn
    }

    fn alias_arn(&self) -> Option<&str> {
        self.alias_arn.as_deref()
    }

    fn times(&self) -> Times {
        self.times
    }
}

/// The list as it was given, PEM or DER.
fn data(spec: &config::Crl) -> Result<Cow<'_, [u8]>, Invalid> {
    match (&spec.pem, &spec.der) {
        (Some(pem), None) => Ok(Cow::Borrowed(pem.as_bytes())),
        (None, Some(der)) => BASE64
            .decode(der.as_bytes())
            .map(Cow::Owned)
            .map_err(|error| bad_crl(format!("its `der` is not base64: {error}"))),
        _ => Err(bad_crl("it needs `pem` or `der`, and not both".to_owned())),
    }
}

/// What the service says of a bad CRL is not known.
fn bad_crl(reason: String) -> Invalid {
    Invalid::saying("Error importing CRL. Bad CRL data", reason)
}
