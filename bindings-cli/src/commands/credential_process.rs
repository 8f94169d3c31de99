//! `rolesanywhere credential-process`: the whole way from files to the JSON of an SDK.

use rolesanywhere_core::{Result, provider::Policy};

use crate::{
    arguments::CredentialProcess, cache::Cache, client::Client, console::Console, driver::Driver,
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
    let cache = Cache::open(&options.cache, &client, environment, console);
    let mut driver = Driver::new(&client, Policy::for_botocore(), cache);
    let json = driver.session()?.credentials().to_credential_process_json();
    super::print(json.expose().as_bytes())
}
