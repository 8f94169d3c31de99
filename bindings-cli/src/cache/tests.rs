use std::{os::unix::fs::PermissionsExt as _, time::Duration};

use super::*;

const KEY: &str = "abababababababababababababababababababababababababababababababab";
const OTHER: &str = "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd";
const TIMEOUT: Duration = Duration::from_secs(2);

fn cache<'a>(directory: &Path, console: &'a Console) -> Cache<'a> {
    Cache {
        directory: directory.to_owned(),
        sharing: Sharing::with_lock(),
        chain: None,
        console,
        lock: None,
    }
}

fn store(cache: &mut Cache<'_>, key: &str, entry: &str) -> Event {
    let action = Action::Store {
        id: 7,
        key: key.to_owned(),
        entry: Secret::new(entry.as_bytes().to_vec()),
        ttl: Duration::from_secs(3600),
        timeout: TIMEOUT,
    };
    cache.execute(action).unwrap()
}

fn load(cache: &mut Cache<'_>, key: &str) -> Event {
    let (key, timeout) = (key.to_owned(), TIMEOUT);
    let action = Action::Load {
        id: 8,
        key,
        timeout,
    };
    cache.execute(action).unwrap()
}

fn lock(cache: &mut Cache<'_>, key: &str) -> Event {
    let action = Action::Lock {
        id: 9,
        key: key.to_owned(),
        lease: Duration::from_secs(30),
        timeout: TIMEOUT,
    };
    cache.execute(action).unwrap()
}

fn unlock(cache: &mut Cache<'_>, key: &str) {
    let (key, timeout) = (key.to_owned(), TIMEOUT);
    let action = Action::Unlock {
        id: 10,
        key,
        timeout,
    };
    assert!(matches!(
        cache.execute(action),
        Some(Event::Unlocked { id: 10 })
    ));
}

/// Stores anything, after which the directory is swept.
fn keep(cache: &mut Cache<'_>) {
    assert!(matches!(store(cache, KEY, "any"), Event::Stored { id: 7 }));
}

#[test]
fn what_is_stored_is_loaded_by_its_owner_alone() {
    let (directory, console) = (tempfile::tempdir().unwrap(), Console::default());
    let mut cache = cache(directory.path(), &console);
    assert!(matches!(
        load(&mut cache, KEY),
        Event::Loaded { id: 8, entry: None }
    ));
    assert!(matches!(
        store(&mut cache, KEY, "entry"),
        Event::Stored { id: 7 }
    ));
    let Event::Loaded {
        entry: Some(entry), ..
    } = load(&mut cache, KEY)
    else {
        panic!("it was stored");
    };
    assert_eq!(entry.expose(), b"entry");
    let path = cache.path(KEY, SESSION);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(load(&mut cache, KEY), Event::Unreadable { id: 8 }));
    assert!(matches!(
        load(&mut cache, OTHER),
        Event::Loaded { entry: None, .. }
    ));
}

#[test]
fn a_lock_has_one_holder() {
    let (directory, console) = (tempfile::tempdir().unwrap(), Console::default());
    let (mut first, mut second) = (
        cache(directory.path(), &console),
        cache(directory.path(), &console),
    );
    assert!(matches!(lock(&mut first, KEY), Event::Locked { id: 9 }));
    assert!(matches!(lock(&mut second, KEY), Event::LockHeld { id: 9 }));
    assert!(matches!(lock(&mut second, OTHER), Event::Locked { id: 9 }));
    unlock(&mut second, OTHER);
    unlock(&mut first, KEY);
    assert!(matches!(lock(&mut second, KEY), Event::Locked { id: 9 }));
    // The system frees it with its holder.
    drop(second);
    assert!(matches!(lock(&mut first, KEY), Event::Locked { id: 9 }));
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
    let mut cache = cache(directory.path(), &console);
    let key = "0123456789abcdef".repeat(4);
    let ours = [
        format!("{key}.json"),
        format!("{key}.lock"),
        format!(".{key}.json.rolesanywhere-AbC123"),
    ];
    let others = [
        "old.json".to_owned(),
        "yarn.lock".to_owned(),
        "Cargo.lock".to_owned(),
        ".tmpAbC123".to_owned(),
        "notes.txt".to_owned(),
        format!("{}.json", key.to_uppercase()),
        format!("{key}0.json"),
        format!("{key}.json.lock"),
        format!(".{key}.json.backup"),
        format!(".{key}.lock.rolesanywhere-AbC123"),
    ];
    for name in ours.iter().chain(&others) {
        leave(&directory.path().join(name));
    }
    // A file of ours that is new, and names of ours that are no plain files.
    let new = directory.path().join(format!("{}.json", "1".repeat(64)));
    fs::write(&new, "").unwrap();
    let folder = directory.path().join(format!("{}.json", "2".repeat(64)));
    fs::create_dir(&folder).unwrap();
    keep(&mut cache);
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
    let mut cache = cache(directory.path(), &console);
    assert!(matches!(lock(&mut cache, KEY), Event::Locked { .. }));
    let (own, other) = (cache.path(KEY, LOCK), cache.path(OTHER, LOCK));
    for path in [&own, &other] {
        leave(path);
    }
    let foreign = File::open(&other).unwrap();
    foreign.lock().unwrap();
    keep(&mut cache);
    assert!(own.exists() && other.exists());
    drop(foreign);
    keep(&mut cache);
    assert!(own.exists() && !other.exists(), "free and old");
}

#[test]
fn a_lock_that_was_swept_away_guards_nothing() {
    let (directory, console) = (tempfile::tempdir().unwrap(), Console::default());
    let cache = cache(directory.path(), &console);
    let path = cache.path(KEY, LOCK);
    let swept = cache.try_lock(KEY).unwrap().unwrap();
    fs::remove_file(&path).unwrap();
    let lock = cache.try_lock(KEY).unwrap().unwrap();
    assert!(directory::is_still(&path, &lock).unwrap());
    assert!(!directory::is_still(&path, &swept).unwrap());
    assert!(cache.try_lock(KEY).unwrap().is_none());
}

#[test]
fn pipes_and_links_under_the_names_of_its_files_are_not_waited_for() {
    let (directory, console) = (tempfile::tempdir().unwrap(), Console::default());
    let mut cache = cache(directory.path(), &console);
    for extension in [SESSION, LOCK] {
        let mut mkfifo = std::process::Command::new("mkfifo");
        let made = mkfifo.arg(cache.path(KEY, extension)).status().unwrap();
        assert!(made.success());
    }
    assert!(matches!(load(&mut cache, KEY), Event::Unreadable { .. }));
    assert!(matches!(lock(&mut cache, KEY), Event::StoreFailed { .. }));
    keep(&mut cache);
    // The session has taken the pipe's place.
    let taken = |event: &Event| matches!(event, Event::Loaded { entry: Some(_), .. });
    assert!(taken(&load(&mut cache, KEY)));
    // A link is not followed, wherever it leads, but replaced.
    let (path, elsewhere) = (cache.path(KEY, SESSION), directory.path().join("elsewhere"));
    fs::rename(&path, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    assert!(matches!(load(&mut cache, KEY), Event::Unreadable { .. }));
    assert!(matches!(
        store(&mut cache, KEY, "newer"),
        Event::Stored { .. }
    ));
    assert!(taken(&load(&mut cache, KEY)));
    assert_eq!(fs::read(&elsewhere).unwrap(), b"any");
}
