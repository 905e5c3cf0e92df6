//! The file from which a bridge on this machine reads where to connect, and with which token.
//!
//! Only its owner can read it. It is there while the app runs, and is written beside its place and
//! moved there, so that a reader never sees half of it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use holdfast_hub::tokens::Token;

/// The file, for as long as it is ours.
#[derive(Debug)]
pub(crate) struct ConnectionFile {
    pub(crate) path: PathBuf,
    text: String,
}

impl ConnectionFile {
    /// Writes the file into `folder`.
    pub(crate) fn write(folder: &Path, bridge_url: &str, token: &Token) -> anyhow::Result<Self> {
        let path = folder.join("connection.json");
        let text = serde_json::json!({"url": bridge_url, "token": token.reveal()}).to_string();
        let beside = folder.join(format!("connection.json.{}", std::process::id()));
        let mut private = fs::OpenOptions::new();
        private.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut private, 0o600);
        let write = || {
            let mut file = private.open(&beside)?;
            file.write_all(text.as_bytes())?;
            fs::rename(&beside, &path)
        };
        write().with_context(|| format!("write {} for bridges", path.display()))?;
        Ok(Self { path, text })
    }
}

impl Drop for ConnectionFile {
    /// Removes the file, unless another app has put its own there meanwhile.
    fn drop(&mut self) {
        let is_ours = fs::read_to_string(&self.path).is_ok_and(|text| text == self.text);
        if is_ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "the connection file stays behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_owner_can_read_it_and_it_goes_with_its_app() {
        let folder = tempfile::tempdir().unwrap();
        let token = Token::new("secret");
        let url = "ws://127.0.0.1:4747/v1/bridge";
        let first = ConnectionFile::write(folder.path(), url, &token).unwrap();
        let text = fs::read_to_string(&first.path).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json, serde_json::json!({"url": url, "token": "secret"}));
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(&first.path).unwrap());
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        let second = ConnectionFile::write(folder.path(), url, &Token::new("other")).unwrap();
        drop(first);
        let path = second.path.clone();
        assert!(path.exists(), "it belongs to the second app now");
        drop(second);
        assert!(!path.exists());
    }
}
