//! What a model is called, so that a file made with it does not depend on where the model lies.

use std::path::{Component, Path};

use serde_json::Value;

use crate::config::without_mark;

/// Of a directory whose `config.json` this is: what the configuration says, else the hub's name,
/// else the family's.
pub(crate) fn of_directory(directory: &Path, config: &[u8]) -> String {
    let config: Value = serde_json::from_slice(without_mark(config)).unwrap_or_default();
    let text = |field: &str| config.get(field).and_then(Value::as_str);
    // Where the model was loaded from before it was saved: a repository or a path.
    let said = text("_name_or_path").and_then(last_component);
    let named = said.or_else(|| hub_name(directory));
    named.unwrap_or_else(|| clean(text("model_type").unwrap_or("model")).unwrap_or_default())
}

/// Of a GGUF file: what it says, else its family.
pub(crate) fn of_gguf(name: Option<&str>, architecture: &str) -> String {
    let said = name.and_then(clean);
    said.unwrap_or_else(|| clean(architecture).unwrap_or_default())
}

fn last_component(path: &str) -> Option<String> {
    let parts = path.split(['/', '\\']).map(str::trim);
    let mut parts = parts.filter(|part| !matches!(*part, "" | "." | ".."));
    parts.next_back().and_then(clean)
}

/// Without characters that would move a terminal's cursor; `None` if nothing is left.
fn clean(name: &str) -> Option<String> {
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// `name` of the innermost folder `models--org--name`, as the hub's cache has them.
fn hub_name(directory: &Path) -> Option<String> {
    // "." and "dir/.." have names only once resolved; a snapshot's files are links, its folder
    // is none.
    let resolved = directory.canonicalize().ok()?;
    let folders = resolved.components().rev().filter_map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    let mut names = folders.filter_map(|name| name.strip_prefix("models--"));
    let (_, name) = names.next()?.split_once("--")?;
    clean(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_the_model_itself() {
        let name = |config: &str| of_directory(Path::new("/nowhere"), config.as_bytes());
        let named = |path: &str| name(&serde_json::json!({ "_name_or_path": path }).to_string());
        assert_eq!(named("Qwen/Qwen2.5-0.5B"), "Qwen2.5-0.5B");
        assert_eq!(named("/data/runs/step_7/"), "step_7");
        assert_eq!(named(r"C:\models\mine"), "mine");
        assert_eq!(named("a\u{1b}[2Jb"), "a[2Jb");
        assert_eq!(named("./"), "model");
        assert_eq!(name(r#"{ "model_type": "qwen2" }"#), "qwen2");
        assert_eq!(name("\u{feff}{ \"model_type\": \"qwen2\" }"), "qwen2");
        assert_eq!(name("{"), "model");
    }

    #[test]
    fn from_the_hub() {
        let cache = tempfile::tempdir().unwrap();
        let snapshot = cache.path().join("models--org--some--name/snapshots/0123");
        std::fs::create_dir_all(&snapshot).unwrap();
        assert_eq!(of_directory(&snapshot, b"{}"), "some--name");
        let other = cache.path().join("other");
        std::fs::create_dir_all(&other).unwrap();
        assert_eq!(of_directory(&other, br#"{"model_type":"llama"}"#), "llama");
    }

    #[test]
    fn from_a_file() {
        assert_eq!(of_gguf(Some(" Gemma 3 270m\n"), "gemma3"), "Gemma 3 270m");
        assert_eq!(of_gguf(Some("\n"), "gemma3"), "gemma3");
        assert_eq!(of_gguf(None, "gemma3"), "gemma3");
    }
}
