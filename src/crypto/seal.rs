//! Secrets at rest that have to be read again: those of second factors and of other systems, and mail that holds a
//! link. Sealed with XChaCha20-Poly1305; what was sealed for one row cannot be opened as another's.
//!
//! The keys stand in a file, one a line, the first one seals and all of them open. To change keys, put a new one on top,
//! [`Keyring::renew`] what is stored, and then take the old one away.
use std::{
    fmt, io,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

use super::{base64url, random, sha256};

/// The first byte of what is sealed: how it is laid out.
const LAYOUT: u8 = 1;
/// Bytes of the id of a key, which stands in what it has sealed.
const ID: usize = 4;
/// Bytes at the beginning of what is sealed that say how it is laid out and which key opens it.
pub const HEAD: usize = 1 + ID;
/// Bytes of a nonce: long enough to be drawn at random.
const NONCE: usize = 24;
/// Longest file of keys that is read.
const LARGEST: usize = 64 << 10;

/// Why something cannot be sealed or opened. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// With PostgreSQL, nobody can guess where a key that several processes share should lie.
    #[error(
        "there is no key to seal secrets with: make one (openssl rand -base64 32 > tributary.key), give it to every process with TRIBUTARY_KEY_FILE, and keep a copy apart from the database"
    )]
    NoKey,
    /// The file is there and of no use.
    #[error("the file of keys {0} cannot be used: {1}")]
    File(PathBuf, String),
    /// Sealed with a key that is not in the file.
    #[error("this was sealed with the key {0}, which is not in the file of keys: add it there on a line of its own")]
    UnknownKey(String),
    /// Not what was sealed, or not for this row.
    #[error("what is stored was not sealed here, or not for this place")]
    Broken,
}

/// What a sealed value belongs to: the table and column, and the row. Another row's value does not open.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// `second_factors.secret`.
    pub column: &'static str,
    /// The row's key as text, with the tenant in front where it has one.
    pub row: &'a str,
}

/// The keys, read when first needed. Cheap to clone.
#[derive(Clone)]
pub struct Keyring {
    /// None: nobody said where, and there is no file of a database to put it beside.
    file: Option<PathBuf>,
    /// Whether a missing file may be made.
    may_make: bool,
    keys: Arc<OnceLock<Vec<Key>>>,
}

struct Key {
    id: [u8; ID],
    cipher: XChaCha20Poly1305,
}

impl Keyring {
    /// The keys in `file`; without one, beside `database` when that is a file. There it is made when it is first
    /// needed; what several processes share has to be there.
    pub fn at(file: Option<&Path>, database: Option<&Path>) -> Self {
        let beside = database.map(|database| database.with_extension("key"));
        let may_make = beside.is_some();
        Self { file: file.map(Path::to_owned).or(beside), may_make, keys: Arc::default() }
    }

    /// Keys that live as long as this value: for tests.
    pub fn in_memory() -> Self {
        let keys = OnceLock::new();
        let _ = keys.set(vec![Key::new(&random())]);
        Self { file: None, may_make: false, keys: Arc::new(keys) }
    }

    /// Whether something can be sealed; makes the key if it may.
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn ready(&self) -> Result<(), SealError> {
        self.keys(true).map(drop)
    }

    /// Whether something could be sealed, as far as one sees without making a key.
    pub fn is_available(&self) -> bool {
        self.keys.get().is_some() || self.may_make || self.file.as_deref().is_some_and(Path::exists)
    }

    /// Seals `plain` for one place.
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn seal(&self, place: Place, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let key = self.keys(true)?.first().ok_or(SealError::NoKey)?;
        let nonce: [u8; NONCE] = random()[..NONCE].try_into().map_err(|_| SealError::Broken)?;
        let aad = place.bytes();
        let payload = Payload { msg: plain, aad: &aad };
        let text = key.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::Broken)?;
        Ok([&[LAYOUT][..], &key.id, &nonce, &text].concat())
    }

    /// Opens what was sealed for that place.
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (id, nonce, text) = parts(sealed)?;
        let keys = self.keys(false)?;
        let key = keys.iter().find(|key| key.id == id).ok_or_else(|| SealError::UnknownKey(written(id)))?;
        let aad = place.bytes();
        key.cipher.decrypt(&XNonce::from(nonce), Payload { msg: text, aad: &aad }).map_err(|_| SealError::Broken)
    }

    /// Whether this process has the key of something that was sealed; its beginning is enough ([`HEAD`] bytes).
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn has_key_of(&self, sealed: &[u8]) -> Result<(), SealError> {
        let id = sealed.get(1..HEAD).ok_or(SealError::Broken)?;
        if self.keys(false)?.iter().any(|key| key.id == id) {
            return Ok(());
        }
        Err(SealError::UnknownKey(written(id.try_into().map_err(|_| SealError::Broken)?)))
    }

    /// What was sealed with an older key, sealed with the newest; none when it is already.
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn renew(&self, place: Place, sealed: &[u8]) -> Result<Option<Vec<u8>>, SealError> {
        let newest = self.keys(false)?.first().map(|key| key.id);
        if newest == Some(parts(sealed)?.0) {
            return Ok(None);
        }
        self.seal(place, &self.open(place, sealed)?).map(Some)
    }

    fn keys(&self, make: bool) -> Result<&[Key], SealError> {
        if let Some(keys) = self.keys.get() {
            return Ok(keys);
        }
        let file = self.file.as_deref().ok_or(SealError::NoKey)?;
        let fault = |error: io::Error| SealError::File(file.to_owned(), error.to_string());
        let text = match std::fs::read(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && make && self.may_make => {
                make_file(file).map_err(fault)?;
                std::fs::read(file).map_err(fault)?
            }
            read => read.map_err(fault)?,
        };
        let keys = read(&text).map_err(|why| SealError::File(file.to_owned(), why.to_owned()))?;
        Ok(self.keys.get_or_init(|| keys))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Key {
    fn new(bytes: &[u8; 32]) -> Self {
        let digest = sha256(bytes);
        let mut id = [0; ID];
        id.copy_from_slice(&digest[..ID]);
        Self { id, cipher: XChaCha20Poly1305::new(&(*bytes).into()) }
    }
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        [self.column.as_bytes(), &[0], self.row.as_bytes()].concat()
    }
}

/// Id of the key, nonce, and what is encrypted.
type Parts<'a> = ([u8; ID], [u8; NONCE], &'a [u8]);

fn parts(sealed: &[u8]) -> Result<Parts<'_>, SealError> {
    let (layout, rest) = sealed.split_first().ok_or(SealError::Broken)?;
    let (id, rest) = rest.split_first_chunk::<ID>().ok_or(SealError::Broken)?;
    let (nonce, text) = rest.split_first_chunk::<NONCE>().ok_or(SealError::Broken)?;
    if *layout == LAYOUT { Ok((*id, *nonce, text)) } else { Err(SealError::Broken) }
}

fn written(id: [u8; ID]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

/// Makes a file with one key that its owner alone can read. Of two processes that do so at once, one wins: the file
/// appears under its name when it is whole, and never over another.
fn make_file(file: &Path) -> io::Result<()> {
    let half = file.with_extension(format!("key-{}", base64url(&random()[..9])));
    let mut open = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&half)?;
    let key = base64url(&random());
    let made = writeln!(open, "# opens what Tributary has sealed in its database: keep a copy apart from that\n{key}")
        .and_then(|()| open.sync_all())
        .and_then(|()| match std::fs::hard_link(&half, file) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        });
    std::fs::remove_file(&half)?;
    made?;
    tracing::info!(file = %file.display(), "made a key for secrets at rest: keep a copy apart from the database");
    Ok(())
}

fn read(text: &[u8]) -> Result<Vec<Key>, &'static str> {
    const FORM: &str = "each line has to hold 32 bytes in base64, such as `openssl rand -base64 32` prints";
    let text = std::str::from_utf8(text).map_err(|_| FORM)?;
    if text.len() > LARGEST {
        return Err(FORM);
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&alphabet::URL_SAFE, lenient);
    let keys = lines.map(|line| {
        let bytes = engine.decode(line.replace('+', "-").replace('/', "_")).map_err(|_| FORM)?;
        bytes.try_into().map(|bytes| Key::new(&bytes)).map_err(|_| FORM)
    });
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() { Err("it holds no key") } else { Ok(keys) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const HERE: Place = Place { column: "second_factors.secret", row: "1" };

    #[test]
    fn only_what_is_whole_and_in_its_place_opens() {
        let keys = Keyring::in_memory();
        let sealed = keys.seal(HERE, b"secret").unwrap();
        assert_eq!(keys.open(HERE, &sealed).unwrap(), b"secret");
        assert!(!sealed.windows(6).any(|six| six == b"secret"));
        assert_ne!(keys.seal(HERE, b"secret").unwrap(), sealed, "each time with a nonce of its own");
        for place in [Place { row: "2", ..HERE }, Place { column: "outbox.body", ..HERE }] {
            assert!(matches!(keys.open(place, &sealed), Err(SealError::Broken)), "{place:?}");
        }
        for at in 0..sealed.len() {
            let mut other = sealed.clone();
            other[at] ^= 1;
            assert!(keys.open(HERE, &other).is_err(), "byte {at}");
            assert!(keys.open(HERE, &sealed[..at]).is_err(), "cut at {at}");
        }
        assert!(matches!(Keyring::in_memory().open(HERE, &sealed), Err(SealError::UnknownKey(_))));
    }

    #[test]
    fn a_key_is_made_beside_a_database_in_a_file_and_never_for_a_server() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("t.db");
        let file = folder.path().join("t.key");
        let keys = Keyring::at(None, Some(&database));
        assert!(keys.open(HERE, &[1; 60]).is_err() && !file.exists(), "only sealing makes a key");
        let sealed = keys.seal(HERE, b"secret").unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        assert_eq!(Keyring::at(None, Some(&database)).open(HERE, &sealed).unwrap(), b"secret", "after a restart");

        assert!(matches!(Keyring::at(None, None).ready(), Err(SealError::NoKey)));
        let named = folder.path().join("other.key");
        let missing = Keyring::at(Some(&named), None).ready();
        assert!(matches!(missing, Err(SealError::File(..))) && !named.exists());
        for bad in ["", "# nothing\n", "short", "\u{fc}"] {
            std::fs::write(&named, bad).unwrap();
            assert!(Keyring::at(Some(&named), Some(&database)).ready().is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_can_be_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        let (old, new) = ("A".repeat(43), format!("{}/+E=", "B".repeat(40)));
        let ring = || Keyring::at(Some(&file), None);
        std::fs::write(&file, &old).unwrap();
        let sealed = ring().seal(HERE, b"secret").unwrap();
        std::fs::write(&file, format!("{new}\n{old}\n")).unwrap();
        assert_eq!(ring().open(HERE, &sealed).unwrap(), b"secret");
        let renewed = ring().renew(HERE, &sealed).unwrap().expect("sealed anew");
        assert!(ring().renew(HERE, &renewed).unwrap().is_none());
        std::fs::write(&file, &new).unwrap();
        assert_eq!(ring().open(HERE, &renewed).unwrap(), b"secret");
        assert!(matches!(ring().open(HERE, &sealed), Err(SealError::UnknownKey(_))));
    }
}
