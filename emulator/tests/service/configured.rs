//! What a configuration may hold, and what is refused before anything is served.

use rolesanywhere_core::ErrorKind;
use rolesanywhere_emulator::{
    Config, Service,
    config::{Profile, Role, TrustAnchor},
};

use crate::{
    client::{ACCOUNT, REGION},
    lab::lab,
    pki::{self, Certificate, Issued},
};

fn refused(config: &Config, part: &str) {
    let error = Service::new(config).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().contains(part), "{error}");
    assert!(!error.message().contains('\n'), "{error}");
}

fn with_anchor(pem: &str) -> Config {
    Config::new(ACCOUNT, REGION).with_trust_anchor(TrustAnchor::new("ca", pem))
}

#[test]
fn anchors_that_break_a_rule() {
    let lab = lab();
    let ca = |extensions: &str| -> Issued {
        Certificate::ca("/CN=CA")
            .key("p256-root")
            .extensions(extensions)
            .self_signed()
    };
    let root = lab.root.pem();
    let key = std::fs::read_to_string(&lab.root.key).unwrap();
    for (pem, part) in [
        (String::new(), "it holds 0 certificates"),
        ("no PEM".to_owned(), "it holds 0 certificates"),
        (key, "it holds 0 certificates"),
        (format!("{root}{root}{root}"), "it holds 3 certificates"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(),
            "not a certificate",
        ),
        (
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n".to_owned(),
            "PEM cannot be read",
        ),
        (lab.leaf.pem(), "must say CA:TRUE"),
        (ca("keyUsage=keyCertSign\n").pem(), "must say CA:TRUE"),
        (
            ca("basicConstraints=critical,CA:TRUE\n").pem(),
            "must hold keyCertSign",
        ),
        (
            ca("basicConstraints=CA:TRUE\nkeyUsage=cRLSign\n").pem(),
            "must hold keyCertSign",
        ),
        (ca("").pem(), "is not of version 3"),
        (
            Certificate::ca("/CN=CA").hash("sha1").self_signed().pem(),
            "use SHA-256 or stronger",
        ),
    ] {
        refused(&with_anchor(&pem), part);
    }
    // An intermediate, two certificates, and text between them are no fault.
    let both = format!("first\n{root}then\n{}", lab.issuing.pem());
    assert!(Service::new(&with_anchor(&both)).is_ok());
}

#[test]
fn names_and_bounds() {
    let base = || with_anchor(&lab().root.pem()).with_role(Role::new("app"));
    let change = |change: fn(&mut Config)| {
        let mut config = base().with_profile(Profile::new("app", &["app"]));
        change(&mut config);
        config
    };
    for (config, part) in [
        (
            change(|c| c.account = "12345678901".to_owned()),
            "must have twelve digits",
        ),
        (change(|c| c.region = "US".to_owned()), "the region `US`"),
        (change(|c| c.partition = String::new()), "the partition ``"),
        (
            change(|c| c.base_path = "stage".to_owned()),
            "the base path `stage`",
        ),
        (
            change(|c| c.base_path = "/stage/".to_owned()),
            "the base path `/stage/`",
        ),
        (
            change(|c| c.base_path = "/a/../b".to_owned()),
            "the base path `/a/../b`",
        ),
        (
            change(|c| c.settings.minimum_rsa_bits = 512),
            "`minimum_rsa_bits` is 512",
        ),
        (
            change(|c| c.profiles[0].name = "a/b".to_owned()),
            "profile `a/b`: its name must be",
        ),
        (
            change(|c| c.profiles[0].duration_seconds = 899),
            "it must be 900 to 43200 seconds",
        ),
        (
            change(|c| c.profiles[0].roles[0] = "other".to_owned()),
            "there is no role `other`",
        ),
        (
            change(|c| c.profiles[0].roles[0] = "arn:aws:iam::1:role/x".to_owned()),
            "an account id has twelve digits",
        ),
        (
            change(|c| c.profiles[0].id = Some("1".to_owned())),
            "is not a UUID",
        ),
        (
            change(|c| c.profiles[0].alias = Some("aws/x".to_owned())),
            "its alias `aws/x`",
        ),
        (
            change(|c| c.profiles[0].alias = Some("a//b".to_owned())),
            "its alias `a//b`",
        ),
        (
            change(|c| c.profiles[0].alias = Some("1a".to_owned())),
            "its alias `1a`",
        ),
        (
            change(|c| c.trust_anchors[0].alias = Some("a/".to_owned())),
            "its alias `a/`",
        ),
        (
            change(|c| c.roles[0].name = "a b".to_owned()),
            "role `a b`: its name must be",
        ),
        (
            change(|c| c.roles[0].path = "/team".to_owned()),
            "its path `/team`",
        ),
        (
            change(|c| c.roles[0].max_session_duration = 43_201),
            "it must be 3600 to 43200 seconds",
        ),
        (base().with_role(Role::new("app")), "stands twice"),
    ] {
        refused(&config, part);
    }
}

#[test]
fn arns_follow_from_names_and_ids_may_be_given() {
    let mut config = with_anchor(&lab().root.pem())
        .with_profile(Profile::new("app", &["app"]))
        .with_role(Role::new("app"));
    let first = Service::new(&config).unwrap();
    let again = Service::new(&config).unwrap();
    assert_eq!(first.trust_anchor_arn("ca"), again.trust_anchor_arn("ca"));
    assert_ne!(first.trust_anchor_arn("ca"), None);
    assert_eq!(first.trust_anchor_arn("other"), None);
    // printf 'arn:aws:rolesanywhere:us-east-1:123456789012:profile\0app\0' | sha256sum, marked as
    // UUID version 8.
    assert_eq!(
        first.profile_arn("app").unwrap(),
        "arn:aws:rolesanywhere:us-east-1:123456789012:profile/75f977e1-3b08-8373-821c-7558ba189769"
    );
    let id = "5c5e1cb6-0000-4000-8000-000000000000";
    config.trust_anchors[0].id = Some(id.to_owned());
    assert_eq!(
        Service::new(&config)
            .unwrap()
            .trust_anchor_arn("ca")
            .unwrap(),
        format!("arn:aws:rolesanywhere:us-east-1:123456789012:trust-anchor/{id}")
    );
    config.region = "eu-central-1".to_owned();
    let elsewhere = Service::new(&config).unwrap();
    assert_ne!(first.profile_arn("app"), elsewhere.profile_arn("app"));
    assert_eq!(first.role_arn("app"), elsewhere.role_arn("app"));
}

#[test]
fn a_file_is_read_with_the_certificates_beside_it() {
    let folder = pki::folder().join("configured");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("ca.pem"), lab().root.pem()).unwrap();
    let file = folder.join("emulator.toml");
    let text = "[[trust_anchor]]\nname = \"ca\"\npem_file = \"ca.pem\"\n\
                [[profile]]\nname = \"app\"\nroles = [\"app\"]\n[[role]]\nname = \"app\"\n\
                [settings]\nclock_tolerance_seconds = 60\n";
    std::fs::write(&file, text).unwrap();
    let config = Config::from_file(&file).unwrap();
    assert_eq!(
        config.trust_anchors[0].pem.as_deref(),
        Some(lab().root.pem().as_str())
    );
    assert_eq!(config.settings.clock_tolerance_seconds, 60);
    assert_eq!(config.account, "123456789012");
    Service::new(&config).unwrap();
    for (text, part) in [
        (
            "[[trust_anchor]]\nname = \"ca\"\npem_file = \"none.pem\"\n",
            "none.pem` cannot be read",
        ),
        ("[[profile]]\nroles = []\n", "missing field `name`"),
        ("[settings]\nclock = 1\n", "unknown field `clock`"),
        ("[[trust_anchor]\n", "line 1"),
        (
            "[[role]]\nname = \"app\"\ntrust = \"{}\"\n",
            "unknown field `trust`",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = Config::from_file(&file).unwrap_err();
        assert!(error.message().contains(part), "{error}");
        assert!(error.message().contains("emulator.toml"), "{error}");
        assert!(!error.message().contains('\n'), "{error}");
    }
    let missing = Config::from_file(&folder.join("none.toml")).unwrap_err();
    assert!(
        missing.message().contains("none.toml` cannot be read"),
        "{missing}"
    );
}

#[test]
fn the_readmes_example_is_a_configuration() {
    let readme = include_str!("../../README.md");
    let text = readme
        .split("```toml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let config = Config::from_toml(text, |file| {
        assert_eq!(file, "ca.pem");
        Ok(lab().root.pem())
    })
    .unwrap();
    let service = Service::new(&config).unwrap();
    assert!(service.trust_anchor_arn("ca").is_some());
    // Every setting stands in the README's table under its name.
    let settings = format!("{:?}", config.settings);
    for name in settings.split(['{', ',']).skip(1) {
        let name = name.split(':').next().unwrap().trim();
        assert!(readme.contains(&format!("| `{name}` |")), "{name}");
    }
}
