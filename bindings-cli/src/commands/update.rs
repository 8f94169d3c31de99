//! `rolesanywhere update`: keeps a profile of the credentials file fresh.

use std::time::Duration;

use rolesanywhere_core::{Result, provider::Policy};

use crate::{
    arguments::Update,
    client::Client,
    clock,
    console::Console,
    credentials_file::CredentialsFile,
    driver::{Driver, Outcome},
    environment::Environment,
};

/// The longest sleep between two looks at the clock: a machine that slept, or whose clock was set,
/// is noticed within that time.
const MAX_SLEEP: Duration = Duration::from_secs(30);

/// Writes credentials into the profile, and anew before they end, until it is killed: at no moment is the
/// file anything but whole. With `--once`, once.
///
/// # Errors
/// The first try's, which names what to correct, and what no retry can mend once the credentials have ended.
/// Other failures are said and tried again.
pub(crate) fn run(
    options: &Update,
    environment: &Environment<'_>,
    console: &Console,
) -> Result<()> {
    console.set_verbose(options.output.verbose);
    let client = Client::new(&options.client, *environment, console)?;
    if !options.once {
        client.check_is_read_again()?;
    }
    let file = CredentialsFile::locate(environment, options.in_place)?;
    let mut driver = Driver::new(&client, Policy::default(), None);
    // What a retry can mend, such as a network that is not up yet at boot, is tried again.
    let mut written = None;
    loop {
        let failed_before = driver.renewals().failed;
        let pause = match driver.look() {
            Outcome::Valid(window) => {
                match update(&mut driver, &file, options, console, &mut written) {
                    Ok(()) if options.once => return Ok(()),
                    Ok(()) => window.remaining(clock::reading()),
                    Err(error) if options.once || written.is_none() => return Err(error),
                    Err(error) => {
                        console.warn(format!("{error}; trying again"));
                        Policy::default().minimum_interval
                    }
                }
            }
            Outcome::None(again_after) => {
                let error = driver.error();
                if options.once || driver.is_failure_permanent() {
                    return Err(match written {
                        Some(_) => {
                            error.context("the credentials have ended and cannot be renewed")
                        }
                        None => error,
                    });
                }
                if driver.renewals().failed > failed_before {
                    console.warn(format!("no credentials ({error}): trying again"));
                }
                again_after
            }
        };
        // From here on nobody waits for the end to read the warnings.
        console.speak_at_once();
        std::thread::sleep(pause.min(MAX_SLEEP));
    }
}

/// Writes the credentials at hand, unless they stand there already.
fn update(
    driver: &mut Driver<'_>,
    file: &CredentialsFile,
    options: &Update,
    console: &Console,
    written: &mut Option<String>,
) -> Result<()> {
    let credentials = driver.session()?.credentials();
    if written.as_deref() == Some(credentials.access_key_id()) {
        return Ok(());
    }
    file.write(&options.profile, credentials, console)?;
    *written = Some(credentials.access_key_id().to_owned());
    let ends = credentials.expiration_text();
    let (profile, path) = (&options.profile, file.path().display());
    let told = format!("profile `{profile}` of `{path}` has new credentials, they end at {ends}");
    match options.once {
        true => console.detail(format_args!("{told}")),
        false => console.say(&told),
    }
    Ok(())
}
