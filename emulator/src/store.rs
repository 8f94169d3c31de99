//! What the service knows: resources, and the credentials that it issued.

mod credentials;
mod resources;

pub(crate) use credentials::{IssuedCredentials, SessionCredentials};
pub(crate) use resources::{
    AnchorCertificate, Profile, Resources, Role, TrustAnchor, is_signed_as_allowed,
};
