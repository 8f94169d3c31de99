//! A client of the service, as the options describe it: what every command that asks for sessions has
//! in common.

use std::path::PathBuf;

use rolesanywhere_core::{
    Endpoint, EndpointOptions, Error, ErrorKind, Result, Session,
    provider::Policy,
    session::{ArnPlacement, CreateSession},
    source::Parameter,
};

use crate::{
    arguments::{ArnsIn, ClientOptions, NetworkOptions, SessionOptions},
    console::Console,
    driver::Driver,
    environment::Environment,
    files,
    https::{HttpsClient, Reach},
    identity::Identity,
    identity_files::InputFile,
    inputs::Input,
    keys::{Access, uri::Uri},
    password::Passwords,
};

/// Asks the service for sessions.
pub(crate) struct Client<'a> {
    options: &'a ClientOptions,
    environment: Environment<'a>,
    console: &'a Console,
    passwords: Passwords<'a>,
    request: CreateSession,
}

impl<'a> Client<'a> {
    /// Reads the options; touches no file.
    ///
    /// # Errors
    /// The core's, when the ARNs, the endpoint or the session's settings cannot be meant.
    pub(crate) fn new(
        options: &'a ClientOptions,
        environment: Environment<'a>,
        console: &'a Console,
    ) -> Result<Self> {
        Ok(Self {
            options,
            environment,
            console,
            passwords: Passwords::new(&options.identity.password),
            request: create_session(&options.session, &options.network, &environment, console)?,
        })
    }

    /// What will be asked for.
    pub(crate) fn request(&self) -> &CreateSession {
        &self.request
    }

    /// The options that it was made of.
    pub(crate) fn options(&self) -> &ClientOptions {
        self.options
    }

    /// Checks, for commands that renew, that each input can be read again at a renewal.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] naming the option whose value is a pipe or a terminal.
    pub(crate) fn check_is_read_again(&self) -> Result<()> {
        let identity = &self.options.identity;
        let bundle = self.environment.value("AWS_CA_BUNDLE").map(PathBuf::from);
        let pins = [&identity.certificate, &identity.private_key].map(|place| {
            let text = place.as_deref()?.to_str()?;
            let uri = text.starts_with("pkcs11:").then(|| Uri::read(text));
            Some(uri?.ok()?.pin_source()?.to_owned())
        });
        for (option, path) in [
            ("--certificate", &identity.certificate),
            ("--private-key", &identity.private_key),
            ("--intermediates", &identity.intermediates),
            ("--password-file", &identity.password.password_file),
            ("--ca-bundle", &self.options.network.ca_bundle),
            ("AWS_CA_BUNDLE", &bundle),
            ("pin-source in the URI of --certificate", &pins[0]),
            ("pin-source in the URI of --private-key", &pins[1]),
        ] {
            let Some(path) = path.as_deref().filter(|path| files::is_read_once(path)) else {
                continue;
            };
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "`{}` of {option} can be read once only, and this command reads it again at each renewal: \
                     write it to a file that its owner alone can read, and name that",
                    path.display()
                ),
            ));
        }
        Ok(())
    }

    /// Opens the identity, all parts of one generation.
    ///
    /// # Errors
    /// What [`Identity::open`] returns.
    pub(crate) fn identity(&self) -> Result<Identity> {
        Identity::open(self.options.identity.whereabouts(), &self.access())
    }

    /// The content that an option of the identity names.
    ///
    /// # Errors
    /// What [`InputFile::of`] returns.
    pub(crate) fn content(&self, input: Input<'_>, option: Parameter<'_>) -> Result<InputFile> {
        InputFile::of(input, option, &self.access())
    }

    fn access(&self) -> Access<'_> {
        let key = &self.options.identity.key;
        Access::new(key, &self.passwords, &self.environment, self.console)
    }

    /// Asks for a session, past the kept ones. The files are read anew each time, so that renewed
    /// certificates count.
    ///
    /// # Errors
    /// The core's, the files' and the network's, each with what to do.
    pub(crate) fn session(&self) -> Result<Session> {
        let mut driver = Driver::new(self, Policy::default(), None);
        driver.session().cloned()
    }

    /// The policy with what the options say.
    pub(crate) fn policy(&self, policy: Policy) -> Policy {
        let network = &self.options.network;
        let policy = Policy {
            attempt_timeout: network.request_timeout.unwrap_or(policy.attempt_timeout),
            ..policy
        };
        match self.passwords.may_ask() {
            true => policy.with_person(),
            false => policy,
        }
    }

    /// Where progress and warnings are said.
    pub(crate) fn console(&self) -> &'a Console {
        self.console
    }

    /// The way to the endpoint.
    ///
    /// # Errors
    /// What [`HttpsClient::new`] returns.
    pub(crate) fn http(&self) -> Result<HttpsClient> {
        if self.options.network.no_verify_ssl {
            self.console
                .warn("--no-verify-ssl: whoever answers is believed, and may read the credentials");
        }
        let reach = reach(&self.options.network);
        HttpsClient::new(self.request.endpoint().url(), reach, &self.environment)
    }

    /// The session's name, where the options give one.
    pub(crate) fn session_name(&self) -> Option<&str> {
        let name = self.options.session.role_session_name.as_deref();
        name.filter(|name| !name.is_empty())
    }
}

fn reach(network: &NetworkOptions) -> Reach {
    Reach {
        connect_timeout: network.connect_timeout,
        insecure: network.no_verify_ssl,
        ca_bundle: network.ca_bundle.clone(),
    }
}

/// The call that the options and the environment ask for.
fn create_session(
    options: &SessionOptions,
    network: &NetworkOptions,
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
    let endpoint = match network.no_verify_ssl {
        true => endpoint.with_plain_http(),
        false => endpoint,
    };
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
