//! `rolesanywhere update`: keeps a profile of the credentials file fresh.

use std::time::Duration;

use rolesanywhere_core::{Error, Next, Renewal, RenewalPolicy, Result, UnixTime};

use crate::{
    arguments::Update, client::Client, console::Console, credentials_file::CredentialsFile,
    environment::Environment, exchange,
};

/// The longest sleep between two looks at the clock: a machine that slept, or whose clock was set,
/// is noticed within that time.
const MAX_SLEEP: Duration = Duration::from_secs(30);

/// Writes credentials into the profile, and anew before they end, until it is killed: at no moment is the
/// file anything but whole. With `--once`, once.
///
/// # Errors
/// The first try's, which names what to correct. Later failures are said and tried again, until the
/// credentials have ended.
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
    let update = |renewal: &mut Renewal| -> Result<()> {
        let session = client.session()?;
        file.write(&options.profile, session.credentials(), console)?;
        renewal.renewed(exchange::now(), &session);
        let ends = session.credentials().expiration_text();
        let (profile, path) = (&options.profile, file.path().display());
        let told =
            format!("profile `{profile}` of `{path}` has new credentials, they end at {ends}");
        if options.once {
            console.detail(format_args!("{told}"));
        } else {
            console.say(&told);
        }
        Ok(())
    };
    let mut renewal = Renewal::new(RenewalPolicy::default(), exchange::random_jitter());
    update(&mut renewal)?;
    if options.once {
        return Ok(());
    }
    // From here on nobody waits for the end to read the warnings.
    console.speak_at_once();
    let mut last_failure = None;
    loop {
        let now = exchange::now();
        match renewal.next(now) {
            Next::Use { until } => sleep(now, until),
            Next::Renew | Next::UseAndRenew => match update(&mut renewal) {
                Ok(()) => last_failure = None,
                Err(error) => {
                    let now = exchange::now();
                    renewal.failed(now, &error);
                    if !renewal.is_valid(now) {
                        return Err(ended(error));
                    }
                    console.warn(format!(
                        "{error}; the credentials are still valid, trying again"
                    ));
                    last_failure = Some(error);
                }
            },
            Next::WaitUntil(until) => match last_failure {
                Some(error) => return Err(ended(error)),
                None => sleep(now, until),
            },
        }
    }
}

fn ended(error: Error) -> Error {
    error.context("the credentials have ended and cannot be renewed")
}

fn sleep(now: UnixTime, until: UnixTime) {
    let seconds = u64::try_from(until.seconds_since(now)).unwrap_or_default();
    std::thread::sleep(Duration::from_secs(seconds).clamp(Duration::from_millis(200), MAX_SLEEP));
}
