//! What a file has beside its bytes, for the file that is made of it.

use std::fs::{self, File, Metadata};

/// Permissions, times, owner, and extended attributes with access control lists among them.
#[derive(Clone, Debug)]
pub struct Attributes {
    metadata: Metadata,
    extended: system::Extended,
}

impl Attributes {
    /// Those of an open file. What cannot be read of them is left out.
    pub fn of(file: &File, metadata: Metadata) -> Self {
        Self {
            extended: system::read(file),
            metadata,
        }
    }

    /// What the file's size, times and kind are.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Gives them to `file`. As with gzip, what cannot be had is done without: the bytes are what counts.
    pub fn give(&self, file: &File) {
        let like = &self.metadata;
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
            let mut mode = like.mode() & 0o777;
            let _ = fchown(file, Some(like.uid()), None);
            let same_group = fchown(file, None, Some(like.gid())).is_ok();
            if !same_group {
                // These permissions were meant for another group.
                mode &= 0o707;
            }
            let _ = file.set_permissions(fs::Permissions::from_mode(mode));
            system::write(file, &self.extended, same_group);
        }
        #[cfg(not(unix))]
        let _ = file.set_permissions(like.permissions());
        if let Ok(modified) = like.modified() {
            let mut times = fs::FileTimes::new().set_modified(modified);
            if let Ok(accessed) = like.accessed() {
                times = times.set_accessed(accessed);
            }
            let _ = file.set_times(times);
        }
    }
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
mod system {
    use std::ffi::CString;
    use std::fs::File;

    use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr};

    /// Where Linux keeps an access control list.
    const ACL: &[u8] = b"system.posix_acl_access";
    /// What users keep on Linux. Other name spaces say what the kernel or a security module thinks of a file's bytes.
    /// Apple's systems have no name spaces.
    const USER: &[u8] = match cfg!(target_vendor = "apple") {
        true => b"",
        false => b"user.",
    };
    /// No attribute is longer.
    const MOST: usize = 64 << 10;

    pub type Extended = Vec<(CString, Vec<u8>)>;

    pub fn read(file: &File) -> Extended {
        let mut names = vec![0u8; MOST];
        let len = flistxattr(file, &mut names[..]).unwrap_or(0);
        let names = names[..len.min(MOST)].split(|&byte| byte == 0);
        let names = names.filter(|name| !name.is_empty());
        let wanted = names.filter(|name| name.starts_with(USER) || *name == ACL);
        let mut value = vec![0u8; MOST];
        let read = wanted.filter_map(|name| {
            let name = CString::new(name).ok()?;
            let len = fgetxattr(file, &name, &mut value[..]).ok()?;
            Some((name, value.get(..len)?.to_vec()))
        });
        read.collect()
    }

    /// Without the list that was meant for another group, unless it is the `same_group`.
    pub fn write(file: &File, extended: &Extended, same_group: bool) {
        for (name, value) in extended {
            if same_group || name.as_bytes() != ACL {
                let _ = fsetxattr(file, name, value, XattrFlags::empty());
            }
        }
    }
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
mod system {
    use std::fs::File;

    pub type Extended = ();

    pub fn read(_: &File) -> Extended {}

    #[cfg(unix)]
    pub fn write(_: &File, _: &Extended, _: bool) {}
}
