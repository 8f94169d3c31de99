//! `update` where the file is not alone, not free or not the user's: what guards it stays, what stands in the
//! way is named, and nobody can hold it up.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};

use rustix::fs::{XattrFlags, getxattr, setxattr};

use crate::{
    harness::{Arns, PROGRAM, Run, World, mkfifo, program, run},
    scripted::{Scripted, session},
};

/// A user that no machine gives to a person, for tests that run as root.
const NOBODY: u32 = 65_534;

const CONTENT: &str = "[other]\nx = 1\n";

struct Place {
    world: World,
    server: Scripted,
}

impl Place {
    fn new() -> Self {
        let (world, server) = (World::new(), Scripted::tls(vec![session()]));
        world.write("server-ca.pem", server.ca_pem.as_bytes());
        fs::create_dir(world.path("aws")).unwrap();
        world.write_private("aws/credentials", CONTENT.as_bytes());
        Self { world, server }
    }

    /// `update --once` of `aws/credentials`.
    fn command(&self, extra: &[&str]) -> Command {
        let (ca, endpoint) = (self.world.text("server-ca.pem"), self.server.https());
        let line = [
            &["--endpoint", &endpoint, "--ca-bundle", &ca, "--once"],
            extra,
        ]
        .concat();
        let like = self.world.credential_process(&Arns::any(), &line);
        let mut command = program(&["update"]);
        command
            .args(like.get_args().skip(1))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.file());
        command
    }

    fn file(&self) -> std::path::PathBuf {
        self.world.path("aws/credentials")
    }

    /// As a user for whom permissions count: root gives everything to another, and runs a copy of the program.
    fn run_as_user(&self, extra: &[&str]) -> Run {
        let mut command = self.command(extra);
        if rustix::process::geteuid().is_root() {
            for name in ["", "certificate.pem", "key.pem", "server-ca.pem"] {
                chown(self.world.path(name), Some(NOBODY), Some(NOBODY)).unwrap();
            }
            let copy = self.world.path("rolesanywhere");
            fs::copy(PROGRAM, &copy).unwrap();
            let mut other = Command::new(copy);
            other.args(command.get_args()).env_clear();
            other.env("AWS_SHARED_CREDENTIALS_FILE", self.file());
            other.uid(NOBODY).gid(NOBODY);
            command = other;
        }
        run(&mut command)
    }

    /// Gives a file or directory to the user of [`run_as_user`](Self::run_as_user).
    fn give(&self, name: &str, mode: u32) {
        let path = self.world.path(name);
        if rustix::process::geteuid().is_root() {
            chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[track_caller]
    fn is_updated(&self) {
        let text = fs::read_to_string(self.file()).unwrap();
        let new = "[default]\naws_access_key_id = ASIAEXAMPLE\naws_secret_access_key = example-secret\n\
                   aws_session_token = example-token\n";
        assert_eq!(text, format!("{CONTENT}\n{new}"));
    }

    #[track_caller]
    fn is_as_it_was(&self) {
        assert_eq!(fs::read_to_string(self.file()).unwrap(), CONTENT);
    }
}

/// A POSIX access control list as Linux keeps it (linux/posix_acl_xattr.h): version 2, then tag, permissions and
/// id of each entry.
fn access_list(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        list.extend(tag.to_le_bytes());
        list.extend(permissions.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    list
}

const OWNER: u16 = 1;
const USER: u16 = 2;
const GROUP: u16 = 4;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;
const NO_ID: u32 = u32::MAX;

fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = Vec::with_capacity(1024);
    getxattr(path, name, rustix::buffer::spare_capacity(&mut value)).ok()?;
    Some(value)
}

#[test]
fn access_lists_and_attributes_stay() {
    let place = Place::new();
    let file = place.file();
    let list = access_list(&[
        (OWNER, 6, NO_ID),
        (USER, 4, 12_345),
        (GROUP, 0, NO_ID),
        (MASK, 4, NO_ID),
        (OTHER, 0, NO_ID),
    ]);
    setxattr(&file, "system.posix_acl_access", &list, XattrFlags::empty()).unwrap();
    setxattr(&file, "user.note", b"kept", XattrFlags::empty()).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640);
    let ended = run(&mut place.command(&[]));
    assert_eq!(ended.status, Some(0), "{ended:?}");
    place.is_updated();
    // Before, the group, to whom the list gives nothing, could read the new file: the list's mask was taken for
    // the group's permissions.
    assert_eq!(attribute(&file, "system.posix_acl_access"), Some(list));
    assert_eq!(attribute(&file, "user.note"), Some(b"kept".to_vec()));
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640);
}

#[test]
fn the_list_that_a_directory_gives_to_new_files_lets_nobody_in() {
    let place = Place::new();
    let list = access_list(&[
        (OWNER, 7, NO_ID),
        (USER, 7, 12_345),
        (GROUP, 5, NO_ID),
        (MASK, 7, NO_ID),
        (OTHER, 0, NO_ID),
    ]);
    let folder = place.world.path("aws");
    setxattr(
        &folder,
        "system.posix_acl_default",
        &list,
        XattrFlags::empty(),
    )
    .unwrap();
    fs::set_permissions(place.file(), fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(run(&mut place.command(&[])).status, Some(0));
    place.is_updated();
    assert_eq!(attribute(&place.file(), "system.posix_acl_access"), None);
    assert_eq!(fs::metadata(place.file()).unwrap().mode() & 0o777, 0o640);
}

#[test]
fn a_directory_that_cannot_be_written_is_named_and_the_file_written_only_if_told_so() {
    let place = Place::new();
    place.give("aws/credentials", 0o600);
    place.give("aws", 0o555);
    let ended = place.run_as_user(&[]);
    ended.fails_with("which this user cannot write to: change its mode or owner");
    ended.fails_with("--in-place");
    place.is_as_it_was();
    let before = fs::metadata(place.file()).unwrap();
    let ended = place.run_as_user(&["--in-place"]);
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""));
    place.is_updated();
    let after = fs::metadata(place.file()).unwrap();
    assert_eq!((before.ino(), before.mode()), (after.ino(), after.mode()));
    // A file that is shorter afterwards keeps nothing of its old end.
    let long = format!(
        "{CONTENT}\n[default]\naws_session_token = {}\n",
        "x".repeat(5000)
    );
    fs::write(place.file(), long).unwrap();
    assert_eq!(place.run_as_user(&["--in-place"]).status, Some(0));
    let text = fs::read_to_string(place.file()).unwrap();
    assert!(
        text.ends_with("aws_secret_access_key = example-secret\n") && text.len() < 400,
        "{text}"
    );
    // Where it can be replaced, it is.
    place.give("aws", 0o755);
    assert_eq!(place.run_as_user(&["--in-place"]).status, Some(0));
    assert_ne!(fs::metadata(place.file()).unwrap().ino(), after.ino());
    place.give("aws", 0o755);
}

#[test]
fn a_file_of_another_user_is_named_by_its_owner() {
    if !rustix::process::geteuid().is_root() {
        // Only root can give a file away: others meet the message for a directory above.
        return;
    }
    let place = Place::new();
    place.give("aws", 0o755);
    fs::set_permissions(place.file(), fs::Permissions::from_mode(0o666)).unwrap();
    let ended = place.run_as_user(&[]);
    ended.fails_with("it belongs to user 0, and only its owner or root can replace it");
    place.is_as_it_was();
    assert_eq!(place.run_as_user(&["--in-place"]).status, Some(0));
    place.is_updated();
    assert_eq!(fs::metadata(place.file()).unwrap().uid(), 0);
}

#[test]
fn a_file_that_is_mounted_by_itself_is_named_so() {
    let place = Place::new();
    let inner = place.world.write_private("elsewhere", CONTENT.as_bytes());
    // In a mount namespace of its own; where the system lets nobody but root make such, as root of it.
    let script = r#"mount --bind "$1" "$2" && shift 2 && exec "$@""#;
    let call = |extra: &[&str]| {
        let like = place.command(extra);
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--map-root-user", "sh", "-c", script, "sh"])
            .arg(&inner)
            .arg(place.file())
            .arg(PROGRAM)
            .args(like.get_args())
            .env("AWS_SHARED_CREDENTIALS_FILE", place.file());
        run(&mut command)
    };
    let ended = call(&[]);
    ended.fails_with("it is mounted by itself, so that it cannot be replaced: mount its directory");
    ended.fails_with("--in-place");
    assert_eq!(fs::read_to_string(&inner).unwrap(), CONTENT);
    let ended = call(&["--in-place"]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    place.is_as_it_was();
    let text = fs::read_to_string(&inner).unwrap();
    assert!(
        text.contains("ASIAEXAMPLE") && text.starts_with(CONTENT),
        "{text}"
    );
}

#[test]
fn a_pipe_or_a_link_to_nothing_good_is_refused_by_what_it_is() {
    let place = Place::new();
    fs::remove_file(place.file()).unwrap();
    mkfifo(&place.file());
    run(&mut place.command(&[])).fails_with("it is a pipe, not a file");
    fs::remove_file(place.file()).unwrap();
    std::os::unix::fs::symlink("/dev/null", place.file()).unwrap();
    run(&mut place.command(&[])).fails_with("it is a device, not a file");
    // Where a link leads to nothing yet, the file is made there.
    fs::remove_file(place.file()).unwrap();
    std::os::unix::fs::symlink("../not-yet", place.file()).unwrap();
    assert_eq!(run(&mut place.command(&[])).status, Some(0));
    assert!(place.file().is_symlink());
    assert!(place.world.read("not-yet").contains("ASIAEXAMPLE"));
    fs::remove_file(place.file()).unwrap();
    std::os::unix::fs::symlink("credentials", place.file()).unwrap();
    assert_eq!(run(&mut place.command(&[])).status, Some(1));
}

#[test]
fn nobody_can_hold_it_up_by_a_lock_or_a_planted_name() {
    let place = Place::new();
    let lock = fs::File::open(place.world.path("aws")).unwrap();
    lock.lock().unwrap();
    fs::create_dir(place.world.path("aws/credentials.rolesanywhere-new")).unwrap();
    let ended = run(&mut place.command(&[]));
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert!(
        ended.stderr.contains("another process holds the lock"),
        "{ended:?}"
    );
    place.is_updated();
}

#[test]
fn what_killed_processes_left_goes_and_nothing_else() {
    let place = Place::new();
    let old = SystemTime::now() - Duration::from_secs(3600);
    let names = [
        (".credentials.rolesanywhere-AbC123", false),
        (".credentials.rolesanywhere-AbC12", true),
        (".credentials.backup", true),
        (".config.rolesanywhere-AbC123", true),
        ("credentials.rolesanywhere-AbC123", true),
    ];
    for (name, _) in names {
        let path = place.world.write(&format!("aws/{name}"), b"x");
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(old).unwrap();
    }
    place
        .world
        .write("aws/.credentials.rolesanywhere-NeW123", b"x");
    assert_eq!(run(&mut place.command(&[])).status, Some(0));
    for (name, stays) in names {
        assert_eq!(place.world.path("aws").join(name).exists(), stays, "{name}");
    }
    assert!(
        place
            .world
            .path("aws/.credentials.rolesanywhere-NeW123")
            .exists()
    );
    // By itself it leaves nothing.
    assert_eq!(fs::read_dir(place.world.path("aws")).unwrap().count(), 6);
}

#[test]
fn the_token_s_old_name_and_the_account_do_not_stay_behind() {
    let place = Place::new();
    let content =
        "[default]\naws_security_token = old\naws_account_id = 000000000000\n[ default ]\nx = 1\n";
    fs::write(place.file(), content).unwrap();
    assert_eq!(run(&mut place.command(&[])).status, Some(0));
    let text = fs::read_to_string(place.file()).unwrap();
    assert_eq!(
        text,
        "[default]\naws_security_token = example-token\naws_account_id = 123456789012\n\
         aws_access_key_id = ASIAEXAMPLE\naws_secret_access_key = example-secret\n\
         aws_session_token = example-token\n[ default ]\nx = 1\n"
    );
}
