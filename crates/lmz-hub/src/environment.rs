//! What the environment says: the variables of Hugging Face's own tools.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Variables by their names.
pub type Variables<'v> = &'v dyn Fn(&str) -> Option<OsString>;

/// The user's variables.
fn users(name: &str) -> Option<OsString> {
    env::var_os(name)
}

/// Where things are, and what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Where models are: `HF_HUB_CACHE`, or `hub` in the home of these tools. None without a home.
    pub cache: Option<PathBuf>,
    /// The server: `HF_ENDPOINT`, or the hub's own.
    pub endpoint: String,
    /// A secret that the server wants to see: `HF_TOKEN`.
    pub(crate) token: Option<OsString>,
    /// The file that holds one, where the variable is not set: `HF_TOKEN_PATH`, or `token` in that home.
    pub(crate) token_file: Option<PathBuf>,
    /// Whether nothing may be fetched: `HF_HUB_OFFLINE`.
    pub offline: bool,
}

impl Environment {
    /// The user's.
    pub fn of_user() -> Self {
        Self::new(&users)
    }

    /// By these variables.
    pub fn new(variables: Variables<'_>) -> Self {
        let set = |name: &str| variables(name).filter(|value| !value.is_empty());
        let user = set("HOME")
            .or_else(|| set("USERPROFILE"))
            .map(PathBuf::from);
        let path = |name: &str| Some(at_home(PathBuf::from(set(name)?), user.as_deref()));
        let caches = path("XDG_CACHE_HOME").or_else(|| Some(user.as_ref()?.join(".cache")));
        let home = path("HF_HOME").or_else(|| Some(caches?.join("huggingface")));
        let cache = path("HF_HUB_CACHE").or_else(|| path("HUGGINGFACE_HUB_CACHE"));
        let endpoint = set("HF_ENDPOINT").map(|text| text.to_string_lossy().into_owned());
        let endpoint = endpoint.unwrap_or_else(|| "https://huggingface.co".into());
        Self {
            cache: cache.or_else(|| Some(home.as_ref()?.join("hub"))),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            token: set("HF_TOKEN").or_else(|| set("HUGGING_FACE_HUB_TOKEN")),
            token_file: path("HF_TOKEN_PATH").or_else(|| Some(home?.join("token"))),
            offline: is_set(variables, "HF_HUB_OFFLINE")
                || is_set(variables, "TRANSFORMERS_OFFLINE"),
        }
    }
}

/// Whether the user wants nothing to be fetched.
pub fn is_offline() -> bool {
    Environment::of_user().offline
}

/// A switch of these tools is on.
fn is_set(variables: Variables<'_>, name: &str) -> bool {
    let value = variables(name).unwrap_or_default();
    let value = value.to_string_lossy().to_ascii_uppercase();
    matches!(value.as_str(), "1" | "ON" | "YES" | "TRUE")
}

/// `~` in front is the user's home.
fn at_home(path: PathBuf, user: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), user) {
        (Ok(rest), Some(user)) => user.join(rest),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Environment {
        Environment::new(&|name| {
            let found = pairs.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| value.into())
        })
    }

    #[test]
    fn the_cache_is_where_other_tools_have_it() {
        let cache = |pairs: &[(&str, &str)]| with(pairs).cache;
        let path = |text: &str| Some(PathBuf::from(text));
        let home = ("HOME", "/h");
        assert_eq!(cache(&[home]), path("/h/.cache/huggingface/hub"));
        let xdg = ("XDG_CACHE_HOME", "/x");
        assert_eq!(cache(&[home, xdg]), path("/x/huggingface/hub"));
        let hf = ("HF_HOME", "~/hf");
        assert_eq!(cache(&[home, xdg, hf]), path("/h/hf/hub"));
        let hub = ("HF_HUB_CACHE", "/hub");
        assert_eq!(cache(&[home, xdg, hf, hub]), path("/hub"));
        assert_eq!(cache(&[home, ("HF_HUB_CACHE", "")]), cache(&[home]));
        assert_eq!(cache(&[]), None);
    }

    #[test]
    fn switches_and_servers() {
        for (value, offline) in [("1", true), ("yes", true), ("0", false), ("", false)] {
            assert_eq!(
                with(&[("HF_HUB_OFFLINE", value)]).offline,
                offline,
                "{value}"
            );
        }
        assert_eq!(with(&[]).endpoint, "https://huggingface.co");
        assert_eq!(with(&[("HF_ENDPOINT", "http://a/")]).endpoint, "http://a");
        let found = with(&[("HF_HOME", "/hf"), ("HF_TOKEN", "t")]);
        assert_eq!(found.token, Some("t".into()));
        assert_eq!(found.token_file, Some("/hf/token".into()));
    }
}
