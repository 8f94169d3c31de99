//! The account that the tests ask for sessions in.

use std::sync::LazyLock;

use rolesanywhere_core::UnixTime;
use rolesanywhere_emulator::{
    Config, Service,
    config::{Profile, Role, TrustAnchor},
};

use crate::{
    client::{ACCOUNT, Arns, Call, REGION, now},
    pki::{Certificate, Identity, Issued},
};

/// A root, a CA below it, and a leaf of each.
pub(crate) struct Lab {
    pub(crate) now: UnixTime,
    pub(crate) root: Issued,
    pub(crate) issuing: Issued,
    /// Of the root.
    pub(crate) leaf: Issued,
    /// Of the issuing CA.
    pub(crate) deep_leaf: Issued,
    pub(crate) other_root: Issued,
}

pub(crate) const ROOT_NAME: &str = "Lab Root";

pub(crate) fn lab() -> &'static Lab {
    static LAB: LazyLock<Lab> = LazyLock::new(|| {
        let root = Certificate::ca("/CN=Lab Root")
            .key("p256-root")
            .self_signed();
        let issuing = Certificate::ca("/CN=Lab Issuing")
            .key("p256-issuing")
            .serial("2")
            .signed_by(&root);
        Lab {
            // OpenSSL begins validity at the system's time, whenever in the run that is.
            now: now().plus_seconds(3_600),
            leaf: Certificate::leaf("/CN=workload").signed_by(&root),
            deep_leaf: Certificate::leaf("/CN=deep workload").signed_by(&issuing),
            other_root: Certificate::ca("/CN=Other Root")
                .key("p256-other")
                .self_signed(),
            root,
            issuing,
        }
    });
    &LAB
}

impl Lab {
    /// Anchors: `root`, `issuing`, `rotated` (the other root and the root), `other`, `disabled`.
    /// Profiles: `app`, `named` (session names), `long` (12 hours), `short` (15 minutes), `disabled`.
    /// Roles: `app`, `long` (12 hours), `pathed` below `/team/blue/`; `app` also lists a role that
    /// does not exist.
    pub(crate) fn config(&self) -> Config {
        let (root, other) = (self.root.pem(), self.other_root.pem());
        let roles = ["app", "long", "pathed", GHOST_ROLE];
        let mut disabled = TrustAnchor::new("disabled", &root);
        disabled.enabled = false;
        let mut aliased = TrustAnchor::new("root", &root);
        aliased.alias = Some("team/root".to_owned());
        let mut app = Profile::new("app", &roles);
        app.alias = Some("team/app".to_owned());
        let mut config = Config::new(ACCOUNT, REGION)
            .with_trust_anchor(aliased)
            .with_trust_anchor(TrustAnchor::new("issuing", &self.issuing.pem()))
            .with_trust_anchor(TrustAnchor::new("rotated", &format!("{other}{root}")))
            .with_trust_anchor(TrustAnchor::new("other", &other))
            .with_trust_anchor(disabled)
            .with_profile(app)
            .with_profile(Profile {
                accept_role_session_name: true,
                ..Profile::new("named", &roles)
            })
            .with_profile(Profile {
                duration_seconds: 43_200,
                ..Profile::new("long", &roles)
            })
            .with_profile(Profile {
                duration_seconds: 900,
                ..Profile::new("short", &roles)
            })
            .with_profile(Profile {
                enabled: false,
                ..Profile::new("disabled", &roles)
            })
            .with_profile(Profile::new("bare", &[]));
        config.roles = vec![
            Role::new("app"),
            Role {
                max_session_duration: 43_200,
                ..Role::new("long")
            },
            Role {
                path: "/team/blue/".to_owned(),
                ..Role::new("pathed")
            },
        ];
        config
    }

    pub(crate) fn service(&self) -> Service {
        Service::new(&self.config()).unwrap()
    }

    /// The ARNs of the trust anchor, profile and role of these names.
    pub(crate) fn arns(&self, trust_anchor: &str, profile: &str, role: &str) -> Arns {
        let service = self.service();
        Arns {
            trust_anchor: service.trust_anchor_arn(trust_anchor).unwrap(),
            profile: service.profile_arn(profile).unwrap(),
            role: service.role_arn(role).unwrap(),
        }
    }

    /// The call that every test begins with: it would be accepted.
    pub(crate) fn call(&self) -> Call {
        Call::helper(&self.arns("root", "app", "app"), &self.leaf, self.now)
    }

    /// The same for another leaf and anchor.
    pub(crate) fn call_of(&self, leaf: &dyn Identity, trust_anchor: &str) -> Call {
        Call::helper(&self.arns(trust_anchor, "app", "app"), leaf, self.now)
    }
}

/// A role that the profiles list and nobody made.
pub(crate) const GHOST_ROLE: &str = "arn:aws:iam::123456789012:role/ghost";
