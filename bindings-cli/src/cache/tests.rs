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

/// Makes a file that was last written so long ago that its session is over.
fn leave(path: &Path) {
    fs::write(path, "").unwrap();
    let long_ago = SystemTime::now() - STALE - Duration::from_secs(60);
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(long_ago).unwrap();
}

#[test]
fn files_of_sessions_long_over_are_removed_and_nobody_else_s() {
    let (directory, console) = (tempfile::tempdir().unwrap(), Console::default());
    let cache = cache(directory.path(), &console);
    let key = "0123456789abcdef".repeat(4);
    let ours = [
        format!("{key}.session"),
        format!("{key}.lock"),
        format!(".{key}.session.rolesanywhere-AbC123"),
    ];
    let others = [
        "old.session".to_owned(),
        "yarn.lock".to_owned(),
        "Cargo.lock".to_owned(),
        ".tmpAbC123".to_owned(),
        "notes.txt".to_owned(),
        format!("{}.session", key.to_uppercase()),
        format!("{key}0.session"),
        format!("{key}.session.lock"),
        format!(".{key}.session.backup"),
        format!(".{key}.lock.rolesanywhere-AbC123"),
    ];
    for name in ours.iter().chain(&others) {
        leave(&directory.path().join(name));
    }
    // A file of ours that is new, and names of ours that are no plain files.
    let new = directory.path().join(format!("{}.session", "1".repeat(64)));
    fs::write(&new, "").unwrap();
    let folder = directory.path().join(format!("{}.session", "2".repeat(64)));
    fs::create_dir(&folder).unwrap();
    keep(&cache, 0, "any");
    for name in &ours {
        assert!(!directory.path().join(name).exists(), "{name}");
    }
    for name in &others {
        assert!(directory.path().join(name).exists(), "{name}");
    }
    assert!(new.exists() && folder.exists());
}

#[test]
fn a_lock_that_is_held_stays_however_old_it_is() {
    let (directory, console) = (tempfile::tempdir().unwrap(), Console::default());
    let (own, other) = (
        cache(directory.path(), &console),
        Cache {
            key: "cd".repeat(32),
            ..cache(directory.path(), &console)
        },
    );
    for cache in [&own, &other] {
        leave(&cache.path("lock"));
    }
    let foreign = File::open(other.path("lock")).unwrap();
    foreign.lock().unwrap();
    let make = || {
        // As old as it was: the sweep at the end of this renewal must look at more than its age.
        leave(&own.path("lock"));
        Ok(session(exchange::now(), "new"))
    };
    own.credentials(make).unwrap();
    assert!(own.path("lock").exists() && other.path("lock").exists());
    drop(foreign);
    keep(&own, 0, "any");
    assert!(!other.path("lock").exists(), "free and old");
}

#[test]
fn a_lock_that_was_swept_away_guards_nothing() {
    let (directory, console) = (tempfile::tempdir().unwrap(), Console::default());
    let cache = cache(directory.path(), &console);
    let swept = cache.try_lock().unwrap().unwrap();
    fs::remove_file(cache.path("lock")).unwrap();
    let lock = cache.try_lock().unwrap().unwrap();
    assert!(directory::is_still(&cache.path("lock"), &lock).unwrap());
    assert!(!directory::is_still(&cache.path("lock"), &swept).unwrap());
    assert!(cache.try_lock().unwrap().is_none());
}

#[test]
fn pipes_and_links_under_the_names_of_its_files_are_not_waited_for() {
    let (directory, console) = (tempfile::tempdir().unwrap(), Console::default());
    let cache = cache(directory.path(), &console);
    for extension in ["session", "lock"] {
        let mut mkfifo = std::process::Command::new("mkfifo");
        let made = mkfifo.arg(cache.path(extension)).status().unwrap();
        assert!(made.success());
    }
    let make = || Ok(session(exchange::now(), "new"));
    assert!(cache.credentials(make).unwrap().expose().contains("new"));
    // The session has taken the pipe's place.
    let none = || panic!("it is kept");
    assert!(cache.credentials(none).unwrap().expose().contains("new"));
    // A link is not followed, wherever it leads, but replaced.
    let elsewhere = directory.path().join("elsewhere");
    fs::rename(cache.path("session"), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, cache.path("session")).unwrap();
    let make = || Ok(session(exchange::now(), "newer"));
    assert!(cache.credentials(make).unwrap().expose().contains("newer"));
    assert!(!fs::read_to_string(&elsewhere).unwrap().contains("newer"));
}
