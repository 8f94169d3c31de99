//! The core as the client: what it prepares and signs, the emulator verifies with other code.

use ml_dsa::{EncodedVerifyingKey, MlDsa44, MlDsa65, MlDsa87, MlDsaParams};
use rolesanywhere_core::{
    ArnPlacement, CertificateChain, CreateSession, Endpoint, HttpResponse, PrivateKey, Session,
    Signer,
    signers::{ring::RingSigner, rustcrypto::RustCryptoSigner},
    sigv4::{HmacCredentials, HmacSettings, Payload, SigningRequest, sign_headers},
};
use rolesanywhere_emulator::{Request, Response, Service};

use crate::{
    client::{Arns, REGION},
    handmade::{Handmade, Key, signed_by_openssl, tlv},
    lab::{ROOT_NAME, lab},
    pki::{Certificate, Identity},
};

const HOST: &str = "127.0.0.1:8443";

/// A certificate chain in PEM and a private key in PEM.
struct Pair {
    name: String,
    chain_pem: String,
    key_pem: String,
}

fn pairs() -> Vec<Pair> {
    let lab = lab();
    let mut pairs = Vec::new();
    for kind in ["rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521"] {
        // Below an intermediate, whose certificate follows in the same PEM.
        let leaf = Certificate::leaf("/CN=workload")
            .key(kind)
            .signed_by(&lab.issuing);
        pairs.push(Pair {
            name: kind.to_owned(),
            chain_pem: format!("{}{}", leaf.pem(), lab.issuing.pem()),
            key_pem: std::fs::read_to_string(&leaf.key).unwrap(),
        });
    }
    pairs.push(ml_dsa::<MlDsa44>(1, "ML-DSA-44"));
    pairs.push(ml_dsa::<MlDsa65>(2, "ML-DSA-65"));
    pairs.push(ml_dsa::<MlDsa87>(3, "ML-DSA-87"));
    pairs
}

fn ml_dsa<P: MlDsaParams>(seed: u8, name: &str) -> Pair
where
    ml_dsa::SigningKey<P>: Send + Sync + 'static,
{
    let lab = lab();
    let key = Key::ml_dsa::<P>(seed);
    let leaf = signed_by_openssl(
        &Handmade::leaf("workload", lab.now),
        &key,
        &lab.root,
        ROOT_NAME,
    );
    assert!(leaf.der().len() > size_of::<EncodedVerifyingKey<P>>());
    // OneAsymmetricKey of RFC 9881's seed form: [0] IMPLICIT, 32 bytes.
    let seed = tlv(0x04, &tlv(0x80, &[seed; 32]));
    let info = tlv(
        0x30,
        &[tlv(0x02, &[0]), key.algorithm.clone(), seed].concat(),
    );
    let text = data_encoding::BASE64.encode(&info);
    Pair {
        name: name.to_owned(),
        chain_pem: leaf.pem(),
        key_pem: format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"),
    }
}

/// Both signers; ring's hands on to RustCrypto what ring cannot.
fn signers(key: &PrivateKey) -> [(&'static str, Box<dyn Signer>); 2] {
    [
        ("rustcrypto", Box::new(RustCryptoSigner::new(key).unwrap())),
        ("ring", Box::new(RingSigner::new(key).unwrap())),
    ]
}

fn create_session(arns: &Arns, base_path: &str) -> CreateSession {
    let endpoint = Endpoint::custom(&format!("https://{HOST}{base_path}"), REGION).unwrap();
    CreateSession::new(&arns.trust_anchor, &arns.profile, &arns.role)
        .unwrap()
        .with_endpoint(endpoint)
        .unwrap()
}

/// The core's request as it would arrive.
fn arriving(request: &rolesanywhere_core::HttpRequest) -> Request {
    let target = request.url.split_once(HOST).unwrap().1;
    let mut headers: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
    {
        headers.push(("host".to_owned(), HOST.to_owned()));
    }
    Request {
        method: request.method.to_string(),
        target: target.to_owned(),
        headers,
        body: request.body.to_vec(),
        peer: None,
    }
}

fn session_of(response: Response) -> Session {
    let response = HttpResponse::new(response.status, response.headers, response.body);
    Session::from_response(&response).unwrap()
}

fn sign_in(service: &Service, call: &CreateSession, pair: &Pair) -> Session {
    let lab = lab();
    let chain = CertificateChain::from_pem(pair.chain_pem.as_bytes()).unwrap();
    let key = PrivateKey::from_pem(pair.key_pem.as_bytes(), None).unwrap();
    let unsigned = call.prepare(&chain, lab.now).unwrap();
    let mut last = None;
    for (signer, with) in signers(&key) {
        let request = unsigned.sign(with.as_ref()).unwrap();
        let response = service.handle(&arriving(&request), lab.now);
        let records = service.audit_records();
        let record = records.last().unwrap();
        assert_eq!(response.status, 201, "{} {signer}: {record:?}", pair.name);
        assert!(
            record.nonconformance.is_empty(),
            "{} {signer}: {record:?}",
            pair.name
        );
        last = Some(session_of(response));
    }
    last.unwrap()
}

#[test]
fn every_key_type_with_both_signers() {
    let lab = lab();
    let arns = lab.arns("root", "app", "app");
    for pair in pairs() {
        let service = lab.service();
        let session = sign_in(&service, &create_session(&arns, ""), &pair);
        assert_eq!(service.issued_credentials(), 2, "{}", pair.name);
        assert_eq!(session.source_identity(), Some("CN=workload"));
        assert_eq!(session.server_time(), Some(lab.now));
        assert_eq!(
            session.credentials().expiration(),
            lab.now.plus_seconds(3_600)
        );
        assert_eq!(session.role_arn().unwrap().as_str(), arns.role);
    }
}

#[test]
fn every_option_of_the_call() {
    let lab = lab();
    let arns = lab.arns("root", "named", "pathed");
    let p256 = &pairs()[3];
    let mut config = lab.config();
    config.base_path = "/stage/one".to_owned();
    let service = Service::new(&config).unwrap();
    for placement in [ArnPlacement::Body, ArnPlacement::Query] {
        let call = create_session(&arns, "/stage/one")
            .with_arn_placement(placement)
            .with_duration(std::time::Duration::from_secs(900))
            .unwrap()
            .with_role_session_name("a+b=c,d.e@f-g")
            .unwrap()
            .with_instance_property("key", "välue \"quoted\"")
            .unwrap();
        let session = sign_in(&service, &call, p256);
        assert_eq!(
            session.credentials().expiration(),
            lab.now.plus_seconds(900)
        );
        assert_eq!(
            session.assumed_role_arn().unwrap().as_str(),
            "arn:aws:sts::123456789012:assumed-role/pathed/a+b=c,d.e@f-g"
        );
    }
    // A path that the endpoint does not have.
    let chain = CertificateChain::from_pem(p256.chain_pem.as_bytes()).unwrap();
    let key = PrivateKey::from_pem(p256.key_pem.as_bytes(), None).unwrap();
    let unsigned = create_session(&arns, "").prepare(&chain, lab.now).unwrap();
    let request = unsigned
        .sign(&RustCryptoSigner::new(&key).unwrap())
        .unwrap();
    assert_eq!(service.handle(&arriving(&request), lab.now).status, 404);
}

#[test]
fn its_credentials_sign_for_sts() {
    let lab = lab();
    let service = lab.service();
    let call = create_session(&lab.arns("root", "app", "app"), "");
    let session = sign_in(&service, &call, &pairs()[3]);
    let keys = session.credentials();
    let credentials = HmacCredentials {
        access_key_id: keys.access_key_id(),
        secret_access_key: keys.secret_access_key().expose(),
        session_token: Some(keys.session_token().expose()),
    };
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let headers = [
        ("host", HOST),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    for content_sha256_header in [false, true] {
        let request = SigningRequest {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            payload: Payload::Bytes(body.as_bytes()),
        };
        let settings = HmacSettings {
            content_sha256_header,
            ..HmacSettings::default()
        };
        let signed =
            sign_headers(&request, &credentials, lab.now, REGION, "sts", settings).unwrap();
        let all = headers.iter().copied().chain(
            signed
                .headers()
                .iter()
                .map(|(name, value)| (*name, value.as_str())),
        );
        let request = Request {
            method: "POST".to_owned(),
            target: "/".to_owned(),
            headers: all
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: body.as_bytes().to_vec(),
            peer: None,
        };
        let response = service.handle(&request, lab.now);
        assert_eq!(response.status, 200, "{}", response.text());
        assert!(response.text().contains(":assumed-role/app/"));
    }
}
