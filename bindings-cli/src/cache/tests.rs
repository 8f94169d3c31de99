use std::{cell::Cell, os::unix::fs::PermissionsExt as _};

use rolesanywhere_core::{Error, ErrorKind, HttpResponse};

use super::*;

const LIFETIME: i64 = 3600;

/// A session as the service sends it, made at `now`.
fn session(now: UnixTime, token: &str) -> Session {
    let expiration = now.plus_seconds(LIFETIME).to_iso8601();
    let body = format!(
        r#"{{"credentialSet":[{{"credentials":{{"accessKeyId":"ASIAEXAMPLE","expiration":"{expiration}",
           "secretAccessKey":"secret","sessionToken":"{token}"}}}}]}}"#
    );
    Session::from_response(&HttpResponse::new(201, Vec::new(), body.into_bytes())).unwrap()
}

fn cache<'a>(directory: &Path, console: &'a Console) -> Cache<'a> {
    Cache {
        directory: directory.to_owned(),
        key: "ab".repeat(32),
        console,
    }
}

fn refused() -> Error {
    Error::new(ErrorKind::ServiceUnavailable, "the service is away")
}

/// Puts a session of the given age into the cache.
fn keep(cache: &Cache<'_>, age: i64, token: &str) {
    let issued = exchange::now().plus_seconds(-age);
    cache.write(&Kept::new(issued, &session(issued, token)));
}

#[test]
fn a_session_is_made_once_and_used_until_its_window() {
    let (directory, console) = (tempfile::tempdir().unwrap(), Console::default());
    let cache = cache(directory.path(), &console);
    let made = Cell::new(0);
    let make = || {
        made.set(made.get() + 1);
        Ok(session(exchange::now(), "first"))
    };
    let first = cache.credentials(make).unwrap();
    for _ in 0..100 {
        assert_eq!(cache.credentials(make).unwrap().expose(), first.expose());
    }
    assert_eq!(made.get(), 1);
    let mode = fs::metadata(cache.path("session"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    // An hour's window begins 20 minutes before the end, less a quarter for the jitter.
    for (age, renewed) in [
        (39 * 60, false),
        (46 * 60, true),
        (55 * 60, true),
        (2 * 3600, true),
    ] {
        keep(&cache, age, "old");
        let json = cache
            .credentials(|| Ok(session(exchange::now(), "new")))
            .unwrap();
        assert_eq!(json.expose().contains("new"), renewed, "{age}");
    }
}

#[test]
fn a_failed_renewal_uses_what_is_valid_and_does_not_try_again_at_once() {
    let (directory, console) = (tempfile::tempdir().unwrap(), Console::default());
    let cache = cache(directory.path(), &console);
    for age in [46 * 60, 59 * 60] {
        keep(&cache, age, "old");
        let json = cache.credentials(|| Err(refused())).unwrap();
        assert!(json.expose().contains("old"));
        let again = || panic!("asked again within {RETRY_SECONDS} s");
        assert!(cache.credentials(again).unwrap().expose().contains("old"));
    }
    keep(&cache, 3600, "over");
    let error = cache.credentials(|| Err(refused())).unwrap_err();
    assert_eq!(error.message(), "the service is away");
}

#[test]
fn a_renewal_of_another_process_is_not_waited_for_while_the_session_lasts() {
    let (directory, console) = (tempfile::tempdir().unwrap(), Console::default());
    let cache = cache(directory.path(), &console);
    keep(&cache, 46 * 60, "old");
    let lock = cache.try_lock().unwrap().unwrap();
    let make = || panic!("another renews");
    assert!(cache.credentials(make).unwrap().expose().contains("old"));
    drop(lock);
}

#[test]
fn what_is_damaged_foreign_or_of_another_time_is_replaced() {
    let (directory, console) = (tempfile::tempdir().unwrap(), Console::default());
    let cache = cache(directory.path(), &console);
    keep(&cache, 0, "good");
    let path = cache.path("session");
    let good = fs::read(&path).unwrap();
    let is_replaced = || {
        let made = Cell::new(false);
        let make = || {
            made.set(true);
            Ok(session(exchange::now(), "new"))
        };
        cache.credentials(make).unwrap();
        made.get()
    };
    assert!(!is_replaced());
    let mut cases = vec![
        Vec::new(),
        b"\n".to_vec(),
        vec![0xff; 100],
        vec![b'x'; 1 << 17],
    ];
    cases.push(good[..good.len() - 1].to_vec());
    for at in [0, 30, 90, 120, 200, good.len() - 10] {
        let mut flipped = good.clone();
        flipped[at] ^= 1;
        cases.push(flipped);
    }
    for content in cases {
        fs::write(&path, &content).unwrap();
        assert!(is_replaced(), "{:?}", String::from_utf8_lossy(&content));
        assert!(!is_replaced());
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(is_replaced());
    // The file of another key, under this one's name.
    let other = Cache {
        key: "cd".repeat(32),
        ..self::cache(directory.path(), &console)
    };
    keep(&other, 0, "other");
    fs::rename(other.path("session"), &path).unwrap();
    assert!(is_replaced());
    // A clock that was set back tells no age.
    keep(&cache, -3600, "future");
    assert!(is_replaced());
}

#[test]
fn a_directory_that_others_can_write_to_keeps_nothing() {
    let (directory, console) = (tempfile::tempdir().unwrap(), Console::default());
    let none = Environment::new(&|_| None);
    let named = directory.path().join("new");
    let found = directory::find(Some(&named), &none, &console).unwrap();
    assert_eq!(
        fs::metadata(&found).unwrap().permissions().mode() & 0o777,
        0o700
    );
    fs::set_permissions(&named, fs::Permissions::from_mode(0o770)).unwrap();
    assert!(directory::find(Some(&named), &none, &console).is_none());
    fs::set_permissions(&named, fs::Permissions::from_mode(0o750)).unwrap();
    assert!(directory::find(Some(&named), &none, &console).is_some());
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(directory::find(Some(&file), &none, &console).is_none());
    assert!(directory::find(None, &none, &console).is_none());
    let home = directory.path().to_str().unwrap().to_owned();
    let lookup = move |name: &str| (name == "HOME").then(|| home.clone());
    let found = directory::find(None, &Environment::new(&lookup), &console).unwrap();
    assert!(found.ends_with("rolesanywhere") && found.starts_with(directory.path()));
}

#[test]
fn files_of_sessions_long_over_are_removed() {
    let (directory, console) = (tempfile::tempdir().unwrap(), Console::default());
    let cache = cache(directory.path(), &console);
    let long_ago = SystemTime::now() - STALE - Duration::from_secs(60);
    let names = [
        "old.session",
        "old.lock",
        ".tmpAbC",
        "notes.txt",
        "new.session",
    ];
    for name in names {
        let path = directory.path().join(name);
        fs::write(&path, "").unwrap();
        if name != "new.session" {
            File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(long_ago)
                .unwrap();
        }
    }
    keep(&cache, 0, "any");
    let left = names.map(|name| directory.path().join(name).exists());
    assert_eq!(left, [false, false, false, true, true]);
}
