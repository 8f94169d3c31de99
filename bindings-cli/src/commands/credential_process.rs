//! `rolesanywhere credential-process`: the whole way from files to the JSON of an SDK.

use rolesanywhere_core::{
    CertificateChain, Endpoint, EndpointOptions, Error, ErrorKind, Result, Session,
    identity::{self, Severity},
    session::{ArnPlacement, CreateSession},
    signers::ring::RingSigner,
};

use crate::{
    arguments::{ArnsIn, CredentialProcess, SessionOptions},
    console::Console,
    environment::Environment,
    exchange::{self, Exchange},
    https::{HttpsClient, Reach},
    identity_files::Identity,
};

/// Prints the credentials.
///
/// # Errors
/// What [`session`] returns; nothing has been printed then.
pub(crate) fn run(
    options: &CredentialProcess,
    environment: &Environment<'_>,
    console: &Console,
) -> Result<()> {
    console.set_verbose(options.output.verbose);
    let session = session(options, environment, console)?;
    super::print(
        session
            .credentials()
            .to_credential_process_json()
            .expose()
            .as_bytes(),
    )
}

/// Asks the service for a session.
///
/// Options and files are checked before anything is sent; the identity is loaded once, so that its
/// parts are of one generation.
///
/// # Errors
/// The core's, the files' and the network's, each with what to do.
pub(crate) fn session(
    options: &CredentialProcess,
    environment: &Environment<'_>,
    console: &Console,
) -> Result<Session> {
    let request = create_session(&options.session, environment, console)?;
    let identity = Identity::load(&options.identity, environment, console)?;
    let end_entity = identity.chain.end_entity();
    console.detail(format_args!(
        "certificate: {} serial {}, {}, {} intermediate(s)",
        end_entity.subject(),
        end_entity.serial_decimal(),
        identity.key.algorithm(),
        identity.chain.intermediates().len()
    ));
    stop_at_findings(
        &identity.chain,
        options.session.role_session_name.as_deref(),
        console,
    )?;
    let signer = RingSigner::new(&identity.key)?;
    let network = &options.network;
    if network.no_verify_ssl {
        console.warn("--no-verify-ssl: whoever answers is believed, and may read the credentials");
    }
    let reach = Reach {
        connect_timeout: network.connect_timeout,
        request_timeout: network.request_timeout,
        insecure: network.no_verify_ssl,
        ca_bundle: network.ca_bundle.clone(),
    };
    let client = HttpsClient::new(request.endpoint().url(), reach, environment)?;
    console.detail(format_args!("{}", client.describe()));
    Exchange {
        request: &request,
        chain: &identity.chain,
        signer: &signer,
        client: &client,
        console,
    }
    .run()
}

/// What the service will refuse stops here, with its reason, which the service does not give.
fn stop_at_findings(
    chain: &CertificateChain,
    session_name: Option<&str>,
    console: &Console,
) -> Result<()> {
    let now = exchange::now();
    let session_name = session_name.filter(|name| !name.is_empty());
    for finding in identity::findings(chain, now, session_name) {
        match finding.severity {
            Severity::Refusal => {
                return Err(Error::new(
                    ErrorKind::InvalidCertificate,
                    format!("the service will refuse this: {finding}"),
                ));
            }
            _ => console.warn(finding.to_string()),
        }
    }
    Ok(())
}

/// The call that the options and the environment ask for.
fn create_session(
    options: &SessionOptions,
    environment: &Environment<'_>,
    console: &Console,
) -> Result<CreateSession> {
    let request = CreateSession::new(
        &options.trust_anchor_arn,
        &options.profile_arn,
        &options.role_arn,
    )?
    .with_duration(options.session_duration)?
    .with_arn_placement(match options.arns_in {
        ArnsIn::Body => ArnPlacement::Body,
        ArnsIn::Query => ArnPlacement::Query,
    });
    let request = match options.role_session_name.as_deref() {
        None | Some("") => request, // An empty name is none, as for aws_signing_helper.
        Some(name) => request.with_role_session_name(name)?,
    };
    let (custom, origin) = custom_endpoint(options, environment).unzip();
    let region = options
        .region
        .as_deref()
        .filter(|region| !region.is_empty());
    let region = region.unwrap_or(request.trust_anchor().region());
    let wanted = EndpointOptions {
        fips: options.use_fips_endpoint || environment.is_true("AWS_USE_FIPS_ENDPOINT"),
        dual_stack: options.use_dualstack_endpoint
            || environment.is_true("AWS_USE_DUALSTACK_ENDPOINT"),
    };
    let name = |error: Error| match origin {
        Some(origin) if origin != "--endpoint" => error.context(origin),
        _ => error,
    };
    let endpoint = Endpoint::new(custom.as_deref(), region, wanted).map_err(name)?;
    console.detail(format_args!(
        "endpoint: {} ({}), signing for {}",
        endpoint.url(),
        origin.unwrap_or("from the region"),
        endpoint.signing_region()
    ));
    request
        .with_endpoint(endpoint)
        .map_err(|error| Error::new(ErrorKind::InvalidInput, error.message()))
}

/// The endpoint that the user names, and where: the option before the variable of the service before
/// the variable of all services. `aws_signing_helper` lets the service's variable win over its
/// option; what stands on the command line was meant for this call, what stands in the environment
/// may have been set for another.
fn custom_endpoint(
    options: &SessionOptions,
    environment: &Environment<'_>,
) -> Option<(String, &'static str)> {
    if let Some(url) = options.endpoint.clone().filter(|url| !url.is_empty()) {
        return Some((url, "--endpoint"));
    }
    if environment.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
        return None;
    }
    let (name, url) = environment.first(&["AWS_ENDPOINT_URL_ROLESANYWHERE", "AWS_ENDPOINT_URL"])?;
    Some((url, name))
}

#[cfg(test)]
mod tests;
