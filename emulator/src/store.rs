//! What the service knows: resources, and the credentials that it issued.
//!
//! Resources are parsed out of the plain data of [`config`](crate::config), whoever wrote it. Every
//! CreateSession reads them: [`Resources`] is immutable, shared by `Arc`, and replaced as a whole when
//! something changes. It holds at most some hundred `Arc`s, so that a change copies little. What grows
//! with use, [`Subjects`] and [`IssuedCredentials`], lives apart.

mod account;
mod credentials;
mod crl;
mod invalid;
mod profile;
mod resources;
mod role;
mod subjects;
mod table;
mod trust_anchor;

pub(crate) use account::{Account, is_uuid};
pub(crate) use credentials::{IssuedCredentials, SessionCredentials};
pub(crate) use crl::{Crl, CrlSource};
pub(crate) use invalid::Invalid;
pub(crate) use profile::Profile;
pub(crate) use resources::Resources;
pub(crate) use role::Role;
pub(crate) use subjects::{Seen, Subject, Subjects};
pub(crate) use table::{Kind, Resource, Table, Times, seconds};
pub(crate) use trust_anchor::{TrustAnchor, is_signed_as_allowed};
