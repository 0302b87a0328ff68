//! The user that the services run as: the present one, or `nobody` instead of root, which Postgres
//! refuses.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
};

use anyhow::{Context, Result, bail};
use nix::unistd::{Uid, User};

/// An unprivileged user that root can become.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unprivileged {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Returns the user that services must run as, or `None` if the present one will do.
pub(crate) fn unprivileged() -> Result<Option<Unprivileged>> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    let nobody = User::from_name("nobody")?
        .context("Postgres refuses to run as root, and this machine has no user `nobody` to run it as")?;
    Ok(Some(Unprivileged { uid: nobody.uid.as_raw(), gid: nobody.gid.as_raw() }))
}

/// Creates `folder` and gives it to the user that the services run as.
pub(crate) fn own_folder(folder: &Path, owner: Option<Unprivileged>) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    if let Some(owner) = owner {
        chown(folder, Some(owner.uid), Some(owner.gid))?;
        check_reachable(folder)?;
    }
    Ok(())
}

/// Refuses a folder below one that only its owner may enter, such as /root.
pub(crate) fn check_reachable(folder: &Path) -> Result<()> {
    for ancestor in folder.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()) {
        let metadata = fs::metadata(ancestor)?;
        if metadata.mode() & 0o001 == 0 {
            bail!(
                "{} lies below {}, which only its owner may enter; as root, services run as the user \
                `nobody`: choose a folder that everybody can reach, such as one in /var/lib",
                folder.display(),
                ancestor.display()
            );
        }
    }
    Ok(())
}
