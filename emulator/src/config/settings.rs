//! The settings.

use serde::Deserialize;

use super::Limits;

/// What the emulator does where the real service's behaviour is a matter of configuration or is not
/// known. Each default is the safe side: what passes here should pass there.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Settings {
    /// Takes calls of the control plane and of IAM that are signed with an access key that is not
    /// known here, so that their signature cannot be verified. On: test suites sign with made-up keys.
    pub accept_any_access_key: bool,
    /// Takes a declared algorithm that is not the one of the certificate's key, such as
    /// `AWS4-X509-RSA-SHA384`, which iam-rolesanywhere-session declares (and hashes with SHA-256 all
    /// the same) for a certificate that its CA signed with SHA-384. The signature is verified as the
    /// key's own algorithm. Off: the live verdict is unknown.
    pub accept_mismatched_algorithm: bool,
    /// Takes certificates signed with RSASSA-PSS. Off: unknown.
    pub accept_rsa_pss_certificates: bool,
    /// Wants the trust policy to allow `sts:TagSession` even for a certificate that makes no tags. On:
    /// the guide wants it of every role; STS would not miss it.
    pub always_require_tag_session: bool,
    /// How many audit records are kept, the newest. 1,000.
    pub audit_records: usize,
    /// How far `X-Amz-Date` may be from the emulator's clock, in seconds, either way. 600: ten
    /// minutes were seen to pass and thirty to fail.
    pub clock_tolerance_seconds: u32,
    /// Names of hosts under which callers from other machines, too, may see the console. None: only
    /// callers on this machine may, by a loopback name.
    pub console_hosts: Vec<String>,
    /// Holds trust anchor certificates to their validity. On: the guide implies it.
    pub enforce_anchor_validity: bool,
    /// Refuses a session whose policies and tags take more than 100 percent of what STS packs. Off:
    /// how STS packs is not known, and the emulator's figure may be too high.
    pub enforce_packed_policy_size: bool,
    /// What becomes of a common name that cannot be a source identity as it is (repeated, longer
    /// than 64, or with characters outside STS's set): false refuses, true falls back on
    /// `ID=` and the serial number. Refused: unknown.
    pub irregular_common_name_falls_back_on_serial: bool,
    /// How many issued credentials are kept, the newest. 10,000.
    pub issued_credentials: usize,
    /// Quotas; none by default.
    pub limits: Limits,
    /// The shortest RSA key of an end entity, in bits, 1024 to 8192. 2,048: unknown.
    pub minimum_rsa_bits: u32,
    /// Pads the default session name, the serial number in hexadecimal, to an even length. On: seen
    /// for `ID=`, unknown here; STS refuses names of one character.
    pub pad_default_session_name: bool,
    /// Shows policies the tags also as `aws:RequestTag/…` and `aws:TagKeys`. On: STS's rule; the guide
    /// mentions `aws:PrincipalTag/…` alone.
    pub pass_request_tags: bool,
    /// Takes a CRL that should have been replaced by now for revoking every certificate of its issuer.
    /// Off: unknown, and it would lock everybody out.
    pub refuse_on_expired_crl: bool,
    /// Answers the test API for every peer, not only for those of this machine.
    pub remote_test_api: bool,
    /// Refuses an end entity whose extended key usage leaves out clientAuth. Off: the guide does not
    /// ask for it.
    pub require_client_auth: bool,
    /// Refuses a request that leaves `content-type` unsigned. Off: the live service takes it.
    pub require_signed_content_type: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            accept_any_access_key: true,
            accept_mismatched_algorithm: false,
            accept_rsa_pss_certificates: false,
            always_require_tag_session: true,
            audit_records: 1_000,
            clock_tolerance_seconds: 600,
            console_hosts: Vec::new(),
            enforce_anchor_validity: true,
            enforce_packed_policy_size: false,
            irregular_common_name_falls_back_on_serial: false,
            issued_credentials: 10_000,
            limits: Limits::default(),
            minimum_rsa_bits: 2_048,
            pad_default_session_name: true,
            pass_request_tags: true,
            refuse_on_expired_crl: false,
            remote_test_api: false,
            require_client_auth: false,
            require_signed_content_type: false,
        }
    }
}
