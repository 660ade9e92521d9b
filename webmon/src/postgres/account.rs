//! Whose process the server is: `PostgreSQL` refuses to run as root.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown};
use std::path::Path;

use color_eyre::eyre::{self, WrapErr as _, bail, eyre};
use tokio::process::Command;

/// The accounts of the system that may run the server for root, the first that exists: one of webmon's own before
/// that of another `PostgreSQL`.
const CANDIDATES: [&str; 2] = ["webmon", "postgres"];

/// The account of all that has none. What runs as this user can read the files of everything else that does.
const NOBODY: &str = "nobody";

/// The accounts of the system.
const PASSWD: &str = "/etc/passwd";

/// The members of a folder's group may pass through it, and do nothing else there.
const GROUP_PASSES: u32 = 0o010;

/// The user and the group of the server's process and files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    /// The user's id.
    pub(super) uid: u32,
    /// The group's id.
    pub(super) gid: u32,
}

impl Account {
    /// Ourselves; if we are root, the user that owns `cluster`, or else an account of the system.
    pub(super) fn choose(cluster: &Path) -> eyre::Result<Account> {
        let owner = fs::metadata(cluster).ok().map(|found| Account {
            uid: found.uid(),
            gid: found.gid(),
        });
        let ours = Account {
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
        };
        match owner {
            _ if ours.uid == 0 => {
                let passwd =
                    fs::read_to_string(PASSWD).wrap_err_with(|| format!("cannot read {PASSWD}"))?;
                for_root(&passwd, owner, cluster)
            }
            Some(owner) if owner.uid != ours.uid => bail!(
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
            lchown(path, Some(self.uid), Some(self.gid)).wrap_err_with(|| {
                format!("cannot give {} to user id {}", path.display(), self.uid)
            })?;
        }
        Ok(())
    }

    /// Has a folder of root's that is closed to others be passed by this account's group, and by no other.
    pub(super) fn let_through(self, path: &Path) -> eyre::Result<()> {
        let found =
            fs::metadata(path).wrap_err_with(|| format!("cannot look at {}", path.display()))?;
        let ours = rustix::process::geteuid().is_root() && found.uid() == 0;
        if !ours || found.mode() & 0o077 & !GROUP_PASSES != 0 || self.may_pass(&found) {
            return Ok(());
        }
        chown(path, None, Some(self.gid))
            .and_then(|()| {
                let mode = found.mode() & 0o700 | GROUP_PASSES;
                fs::set_permissions(path, Permissions::from_mode(mode))
            })
            .wrap_err_with(|| format!("cannot open {} to group id {}", path.display(), self.gid))
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
                    "PostgreSQL does not run as root but as user id {}, which may not enter {}: \
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

/// The account for a server that root starts: the `owner` of its files in `cluster`, if there are any.
fn for_root(passwd: &str, owner: Option<Account>, cluster: &Path) -> eyre::Result<Account> {
    let nobody = look_up(passwd, NOBODY).map(|account| account.uid);
    match owner.filter(|owner| owner.uid != 0) {
        Some(owner) if Some(owner.uid) == nobody => bail!(
            "{} belongs to {NOBODY}, and what else runs as {NOBODY} can read it: stop its PostgreSQL, then \
             `useradd --system webmon; chown -R webmon: {}/*/`",
            cluster.display(),
            cluster.parent().unwrap_or(cluster).display()
        ),
        Some(owner) => Ok(owner),
        None => {
            let found = CANDIDATES.iter().find_map(|name| look_up(passwd, name));
            found.ok_or_else(|| {
                eyre!(
                    "PostgreSQL refuses to run as root, and {PASSWD} has no account {}: make one with \
                     `useradd --system webmon`, run webmon as another user, or set database.url",
                    CANDIDATES.join(" or ")
                )
            })
        }
    }
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
    use std::path::Path;

    use super::{Account, for_root, look_up};

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:\n";

    /// The account for a server of root, or why there is none.
    fn chosen(more: &str, owner: Option<Account>) -> Result<u32, String> {
        let passwd = format!("{PASSWD}{more}");
        let account = for_root(&passwd, owner, Path::new("/d/postgres/cluster"));
        account
            .map(|account| account.uid)
            .map_err(|error| error.to_string())
    }

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

    #[test]
    fn root_runs_the_server_as_an_account_of_its_own_and_never_as_nobody() {
        let (postgres, webmon) = ("postgres:x:101:104::/:\n", "webmon:x:102:105::/:\n");
        assert_eq!(chosen(postgres, None), Ok(101));
        assert_eq!(chosen(&format!("{postgres}{webmon}"), None), Ok(102));
        assert_eq!(chosen(postgres, Some(Account { uid: 7, gid: 7 })), Ok(7));
        assert_eq!(chosen(postgres, Some(Account { uid: 0, gid: 0 })), Ok(101));

        let refused = chosen("", None).unwrap_err();
        assert!(refused.contains("`useradd --system webmon`"), "{refused}");
        let nobody = Account {
            uid: 65_534,
            gid: 65_534,
        };
        let refused = chosen(postgres, Some(nobody)).unwrap_err();
        let remedy = "chown -R webmon: /d/postgres/*/";
        assert!(refused.contains(remedy), "{refused}");
    }
}
