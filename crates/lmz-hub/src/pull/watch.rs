//! Who looks on while a model is fetched.

use lmz_net::Watch;

/// Follows a pull, and may stop it.
pub trait PullWatch: Watch {
    /// So many more bytes are going to come.
    fn expect(&self, bytes: u64);

    /// The model's `config.json` is here, and its weights are not: whether it is worth to go on.
    ///
    /// # Errors
    /// Why not.
    fn judge(&self, config: &[u8]) -> Result<(), String>;
}
