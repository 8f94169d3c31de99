//! Owner, extended attributes and mode of a file that is replaced: the new file takes them over.

use std::{
    fs::{File, Metadata},
    io,
};

use crate::console::Console;

/// Gives a new file of mode 0600 the owner, the extended attributes (among them a POSIX access control list and
/// the SELinux label) and then the mode of the file that it replaces. An attribute that cannot be copied earns a
/// warning and never widens access: if an access control list is lost, only the owner keeps permissions, because
/// the group bits of the old mode were the mask of the list.
///
/// # Errors
/// When the new file cannot be given to the old one's owner and group, or cannot get its mode.
pub(super) fn take_over(
    new: &File,
    old: &File,
    metadata: &Metadata,
    console: &Console,
) -> io::Result<()> {
    keep_owner(new, metadata)?;
    // The list comes before the mode, whose group bits are the mask of the list.
    let narrowed = !extended::copy(new, old, console);
    set_mode(new, metadata, narrowed)
}

/// If root updates a file of another user, it stays that user's.
#[cfg(unix)]
fn keep_owner(file: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let new = file.metadata()?;
    if (new.uid(), new.gid()) == (old.uid(), old.gid()) {
        return Ok(());
    }
    std::os::unix::fs::fchown(file, Some(old.uid()), Some(old.gid()))
}

#[cfg(unix)]
fn set_mode(file: &File, old: &Metadata, narrowed: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = old.permissions().mode() & if narrowed { 0o700 } else { 0o7777 };
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn set_mode(file: &File, old: &Metadata, _: bool) -> io::Result<()> {
    file.set_permissions(old.permissions())
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
mod extended {
    use std::{fs::File, io};

    use rustix::{
        buffer::spare_capacity,
        fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr},
        io::Errno,
    };

    use crate::console::Console;

    /// The longest list of names and the longest value that Linux knows.
    const MAX_LENGTH: usize = 64 * 1024;

    /// The attribute by which Linux shows a POSIX access control list.
    const ACCESS_LIST: &[u8] = b"system.posix_acl_access";

    /// Attributes that the kernel derives from the content.
    const OF_THE_CONTENT: [&[u8]; 3] = [b"security.capability", b"security.evm", b"security.ima"];

    /// Copies the attributes. `false` if an access control list could not be copied.
    pub(super) fn copy(new: &File, old: &File, console: &Console) -> bool {
        let names = match names(old) {
            Ok(names) => names,
            Err(error) => {
                console.warn(format!(
                    "the extended attributes of the credentials file cannot be read ({error}): what they \
                     allowed beyond its owner is taken away"
                ));
                return false;
            }
        };
        let names = || {
            names
                .split(|byte| *byte == 0)
                .filter(|name| !name.is_empty())
        };
        if !names().any(|name| name == ACCESS_LIST) {
            // A list that the new file inherited from its directory would let in users whom the old file kept
            // out. Mostly there is no such list, and the call fails.
            let _ = fremovexattr(new, ACCESS_LIST);
        }
        let mut complete = true;
        for name in names().filter(|name| !OF_THE_CONTENT.contains(name)) {
            let Err(error) = copy_one(new, old, name) else {
                continue;
            };
            let shown = String::from_utf8_lossy(name);
            if name.starts_with(b"system.") {
                complete = false;
                console.warn(format!(
                    "the access control list `{shown}` of the credentials file could not be kept ({error}): \
                     its owner alone can get at it now"
                ));
            } else {
                console.warn(format!(
                    "the attribute `{shown}` of the credentials file could not be kept ({error}): set it again"
                ));
            }
        }
        complete
    }

    fn copy_one(new: &File, old: &File, name: &[u8]) -> io::Result<()> {
        let value = value(old, name)?;
        // The system may have set the same value already, and a process may not be allowed to set a label.
        if self::value(new, name).is_ok_and(|given| given == value) {
            return Ok(());
        }
        Ok(fsetxattr(new, name, &value, XattrFlags::empty())?)
    }

    fn names(file: &File) -> io::Result<Vec<u8>> {
        let mut names = Vec::with_capacity(MAX_LENGTH);
        match flistxattr(file, spare_capacity(&mut names)) {
            // A file system without attributes.
            Ok(_) | Err(Errno::NOTSUP) => Ok(names),
            Err(error) => Err(error.into()),
        }
    }

    fn value(file: &File, name: &[u8]) -> io::Result<Vec<u8>> {
        let mut value = Vec::with_capacity(MAX_LENGTH);
        fgetxattr(file, name, spare_capacity(&mut value))?;
        Ok(value)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod extended {
    pub(super) fn copy(_: &std::fs::File, _: &std::fs::File, _: &crate::console::Console) -> bool {
        true
    }
}
