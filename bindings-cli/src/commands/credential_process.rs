//! `rolesanywhere credential-process`: the whole way from files to the JSON of an SDK.

use rolesanywhere_core::{Result, Secret, Session};

use crate::{
    arguments::CredentialProcess, cache::Cache, client::Client, console::Console,
    environment::Environment,
};

/// Prints the credentials: those of a session that was kept, else of a new one. Nothing is said on stderr
/// then, unless it is a terminal or `--verbose` asks.
///
/// # Errors
/// The options', the files' and the service's, each with what to do; nothing has been printed then.
pub(crate) fn run(
    options: &CredentialProcess,
    environment: &Environment<'_>,
    console: &Console,
) -> Result<()> {
    console.set_verbose(options.output.verbose);
    console.succeed_in_silence();
    let client = Client::new(&options.client, *environment, console)?;
    let json = match Cache::open(&options.cache, &client, environment, console) {
        Some(cache) => cache.credentials(|| client.session())?,
        None => credential_process_json(&client.session()?),
    };
    super::print(json.expose().as_bytes())
}

fn credential_process_json(session: &Session) -> Secret<String> {
    session.credentials().to_credential_process_json()
}
