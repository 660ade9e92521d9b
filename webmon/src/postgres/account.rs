//! Whose process the server is: `PostgreSQL` refuses to run as root.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use color_eyre::eyre::{self, WrapErr as _, bail, eyre};
use tokio::process::Command;

/// The accounts of the system that may run the server for root, the first that exists.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// The user and the group of the server's process and files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    /// The user's id.
    pub(super) uid: u32,
    /// The group's id.
    pub(super) gid: u32,
}

impl Account {
    /// Ourselves; if we are root, whoever owns `cluster`, or else an account of the system.
    pub(super) fn choose(cluster: &Path) -> eyre::Result<Account> {
        let owner = fs::metadata(cluster).ok().map(|found| Account {
            uid: found.uid(),
            gid: found.gid(),
        });
        let ours = Account {
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
        };
        match (ours.uid, owner) {
            (0, Some(owner)) if owner.uid != 0 => Ok(owner),
            (0, _) => of_the_system(),
            (_, Some(owner)) if owner.uid != ours.uid => bail!(
                "{} belongs to the user with id {}, and webmon runs with id {}: run webmon as that \
                 user or as root, or choose another folder with --data",
                cluster.display(),
                owner.uid,
                ours.uid
            ),
            _ => Ok(ours),
        }
    }

    /// Makes `command` run as this account.
    pub(super) fn run(self, command: &mut Command) {
        if rustix::process::geteuid().is_root() {
            // The standard library also drops root's supplementary groups then.
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// Gives `path` to this account.
    pub(super) fn give(self, path: &Path) -> eyre::Result<()> {
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid)).wrap_err_with(|| {
                format!("cannot give {} to user id {}", path.display(), self.uid)
            })?;
        }
        Ok(())
    }

    /// Fails on the first folder above `path`, or `path` itself, that this account may not pass
    /// through.
    pub(super) fn must_reach(self, path: &Path) -> eyre::Result<()> {
        let mut folders: Vec<&Path> = path.ancestors().collect();
        folders.reverse();
        for folder in folders {
            let found = fs::metadata(folder)
                .wrap_err_with(|| format!("cannot look at {}", folder.display()))?;
            if !self.may_pass(&found) {
                bail!(
                    "PostgreSQL does not run as root but as user id {}, who may not enter {}: \
                     choose another folder with --data, such as /var/lib/webmon, or `chmod o+x {}`",
                    self.uid,
                    folder.display(),
                    folder.display()
                );
            }
        }
        Ok(())
    }

    /// Whether the permissions of a folder let this account through.
    fn may_pass(self, folder: &fs::Metadata) -> bool {
        let bit = if folder.uid() == self.uid {
            0o100
        } else if folder.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        self.uid == 0 || folder.mode() & bit != 0
    }
}

/// The account for a server that root starts.
fn of_the_system() -> eyre::Result<Account> {
    let passwd = fs::read_to_string("/etc/passwd").wrap_err("cannot read /etc/passwd")?;
    CANDIDATES.iter().find_map(|name| look_up(&passwd, name)).ok_or_else(|| {
        eyre!(
            "PostgreSQL refuses to run as root, and /etc/passwd has no account {}: run webmon as \
             another user, or set database.url",
            CANDIDATES.join(" or ")
        )
    })
}

/// The account `name` of a file in the format of passwd(5).
fn look_up(passwd: &str, name: &str) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok().filter(|uid| *uid != 0)?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::{Account, look_up};

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let passwd =
            "root:x:0:0:root:/root:/bin/sh\npostgresql:x:7:8::/:\npostgres:x:101:104::/:\n";
        assert_eq!(
            look_up(passwd, "postgres"),
            Some(Account { uid: 101, gid: 104 })
        );
        assert_eq!(look_up(passwd, "nobody"), None);
        assert_eq!(look_up(passwd, "root"), None, "root cannot run PostgreSQL");
    }
}
