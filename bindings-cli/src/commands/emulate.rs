//! `rolesanywhere emulate`: the service on this machine, until it is told to stop.

use std::{net::SocketAddr, path::Path, sync::Arc};

use rolesanywhere_core::{Error, ErrorKind, Result};
use rolesanywhere_emulator::{
    Config, Service, SystemRandom,
    server::{self, Clock, RunningServer, ServerOptions, Tls},
};

use crate::{
    arguments::Emulate,
    console::{self, Console},
    files, output_file,
};

/// The account and the region of an emulator without a configuration.
const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";

/// Serves until SIGINT or SIGTERM, lets what is being answered finish, and ends well.
///
/// # Errors
/// A configuration or TLS files that cannot be used, an address that cannot be had or is not
/// loopback without `--allow-remote`, files that cannot be written.
pub(crate) fn run(options: &Emulate, console: &Console) -> Result<()> {
    console.set_verbose(options.output.verbose);
    check_address(options.listen, options.allow_remote)?;
    let mut config = match &options.config {
        Some(path) => Config::from_file(path)?,
        None => {
            console.say("no --config: there is no trust anchor until the control plane makes one");
            Config::new(ACCOUNT, REGION)
        }
    };
    if let Some(path) = &options.state {
        config.state_file = Some(path.clone());
    }
    let clock = Clock::system();
    let random = Box::new(SystemRandom::new());
    let service = Arc::new(Service::open(&config, random, clock.now())?);
    // Each call with the true reason of its refusal, which the client is not told.
    service.on_audit_record(|record| console::line(&record.to_string()));
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Tls::Files {
            certificate: certificate.clone(),
            key: key.clone(),
        },
        _ if options.plain_http => Tls::PlainHttp,
        _ => Tls::SelfMade,
    };
    let server_options = ServerOptions {
        listen: options.listen,
        tls,
        clock,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| unavailable(&error))?;
    runtime.block_on(async {
        // Listened to before anyone is told that it is ready: a signal that follows is not lost.
        let stop = super::stop_signal()?;
        let server = server::start(Arc::clone(&service), server_options).await?;
        let files = Files::write(options, &server)?;
        console.say(&format!("the service listens on {}", server.endpoint()));
        if let Some(ca_file) = &files.ca_file {
            console.say(&format!("its CA: --ca-bundle {ca_file}"));
        }
        describe(&config, &service, console);
        stop.await;
        server.stop().await;
        console.say("stopped");
        drop(files);
        Ok(())
    })
}

/// The emulator gives credentials to whoever has a certificate under its anchors, and knows no
/// throttling worth the name: a network is no place for it, unless the user says so.
fn check_address(address: SocketAddr, allow_remote: bool) -> Result<()> {
    if address.ip().is_loopback() || allow_remote {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidInput,
        format!(
            "`{address}` can be reached from other machines: listen on 127.0.0.1, or pass \
             --allow-remote if that is meant"
        ),
    ))
}

/// What is there for others to read while the emulator runs; gone when it ends, save `--ca-file`.
struct Files<'a> {
    ca_file: Option<String>,
    /// Where it is, and what tells it from another's that takes its place.
    ready_file: Option<(&'a Path, Option<(u64, u64)>)>,
    _directory: Option<tempfile::TempDir>,
}

impl<'a> Files<'a> {
    fn write(options: &'a Emulate, server: &RunningServer) -> Result<Self> {
        let mut directory = None;
        let ca_file = match (server.ca_pem(), &options.ca_file) {
            (None, _) => None,
            (Some(pem), named) => {
                let path = match named {
                    Some(path) => path.clone(),
                    None => {
                        let made = tempfile::Builder::new()
                            .prefix("rolesanywhere-emulator-")
                            .tempdir()
                            .map_err(|error| unavailable(&error))?;
                        directory.insert(made).path().join("ca.pem")
                    }
                };
                output_file::write_whole(&path, pem.as_bytes())?;
                let absolute = path.canonicalize().unwrap_or(path);
                Some(absolute.display().to_string())
            }
        };
        let ready_file = options.ready_file.as_deref();
        if let Some(path) = ready_file {
            let ready = serde_json::json!({ "endpoint": server.endpoint(), "ca_file": ca_file });
            output_file::write_whole(path, ready.to_string().as_bytes())?;
        }
        let ready_file = ready_file.map(|path| (path, files::identity(path)));
        Ok(Self {
            ca_file,
            ready_file,
            _directory: directory,
        })
    }
}

impl Drop for Files<'_> {
    fn drop(&mut self) {
        // Another emulator may have put its own there since.
        if let Some((path, identity)) = self.ready_file
            && files::identity(path) == identity
        {
            // Whoever removed it before saved us the trouble.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// What a client has to name.
fn describe(config: &Config, service: &Service, console: &Console) {
    let anchors = config.trust_anchors.iter().map(|anchor| &anchor.name);
    for arn in anchors.filter_map(|name| service.trust_anchor_arn(name)) {
        console.say(&format!("--trust-anchor-arn {arn}"));
    }
    let profiles = config.profiles.iter().map(|profile| &profile.name);
    for arn in profiles.filter_map(|name| service.profile_arn(name)) {
        console.say(&format!("--profile-arn {arn}"));
    }
    let roles = config.roles.iter().map(|role| &role.name);
    for arn in roles.filter_map(|name| service.role_arn(name)) {
        console.say(&format!("--role-arn {arn}"));
    }
}

fn unavailable(error: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::TransportFailed,
        format!("the system does not let the emulator start: {error}"),
    )
}
