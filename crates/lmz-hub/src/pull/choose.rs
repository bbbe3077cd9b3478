//! Which files of a model lmz reads.

use super::info::{Info, Listed};
use crate::cache::{CONFIG, INDEX, SINGLE, TOKENIZER};
use crate::error::{HubError, Result};
use crate::gguf_name;
use crate::name::HubName;

/// What is read if it is there: the template for chats, the tokens that end a text.
const OPTIONAL: [&str; 3] = [
    "tokenizer_config.json",
    "generation_config.json",
    "chat_template.jinja",
];

/// The files to fetch; of weights in many files the index alone, which names them.
///
/// # Errors
/// There is no model that lmz can read, or there are several.
pub(super) fn files(name: &HubName, info: &Info) -> Result<Vec<Listed>> {
    let listed = |file: &str| info.listed(name, file);
    let ggufs = gguf_name::models(info.names());
    if let Some(file) = name.file() {
        if !info.has(file) {
            return Err(HubError::NoModel {
                name: name.to_string(),
                reason: match ggufs.as_slice() {
                    [] => format!("there is no {file} in it, and no other GGUF file"),
                    some => format!("there is no {file} in it, but {}", some.join(", ")),
                },
            });
        }
        return gguf_name::parts(file)
            .iter()
            .map(|part| listed(part))
            .collect();
    }
    let weights = [SINGLE, INDEX].into_iter().find(|file| info.has(file));
    let no_model = |reason: &str| HubError::NoModel {
        name: name.to_string(),
        reason: reason.to_owned(),
    };
    match (weights, ggufs.as_slice()) {
        (Some(weights), _) if info.has(CONFIG) => {
            if !info.has(TOKENIZER) {
                return Err(no_model(
                    "it has no tokenizer.json, and lmz reads no other kind of tokenizer file",
                ));
            }
            let optional = OPTIONAL.into_iter().filter(|file| info.has(file));
            let files = [CONFIG, TOKENIZER].into_iter().chain(optional);
            files.chain([weights]).map(listed).collect()
        }
        (_, [one]) => gguf_name::parts(one)
            .iter()
            .map(|part| listed(part))
            .collect(),
        (_, []) => Err(no_model(match info.has(CONFIG) {
            true => "it has neither safetensors nor a GGUF file",
            false => "it has no config.json and no GGUF file",
        })),
        (_, several) => Err(HubError::Several {
            name: name.to_string(),
            repo: name.to_string(),
            files: several.iter().map(|&file| file.to_owned()).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(name: &str, files: &[&str]) -> Result<Vec<String>, String> {
        let siblings = files
            .iter()
            .map(|file| format!("{{\"rfilename\":\"{file}\"}}"));
        let siblings = siblings.collect::<Vec<_>>().join(",");
        let json = format!(
            "{{\"sha\":\"{}\",\"siblings\":[{siblings}]}}",
            "a".repeat(40)
        );
        let info = Info::read("u", json.as_bytes()).unwrap();
        let chosen = super::files(&HubName::parse(name).unwrap(), &info);
        chosen
            .map(|files| files.into_iter().map(|file| file.name).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn only_what_is_read_is_fetched() {
        let files = [
            ".gitattributes",
            "README.md",
            "config.json",
            "pytorch_model.bin",
            "tokenizer.json",
            "tokenizer_config.json",
            "vocab.json",
            "model.safetensors",
            "onnx/model.onnx",
        ];
        let all = chosen("a/b", &files).unwrap();
        let wanted = [
            "config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "model.safetensors",
        ];
        assert_eq!(all, wanted);
        let parted = [
            "config.json",
            "tokenizer.json",
            "model.safetensors.index.json",
        ];
        assert_eq!(chosen("a/b", &parted).unwrap(), parted);
        let one = [
            "x-00002-of-00002.gguf",
            "x-00001-of-00002.gguf",
            "config.json",
        ];
        assert_eq!(chosen("a/b", &one).unwrap(), [one[1], one[0]]);
        let two = ["q4.gguf", "q8.gguf", "config.json"];
        assert_eq!(chosen("a/b:q8.gguf", &two).unwrap(), ["q8.gguf"]);
    }

    #[test]
    fn what_cannot_be_chosen_is_explained() {
        let cases: [(&str, &[&str], &str); 6] = [
            (
                "a/b",
                &["q4.gguf", "q8.gguf"],
                "a/b:FILE with one of q4.gguf, q8.gguf",
            ),
            (
                "a/b",
                &["config.json", "pytorch_model.bin"],
                "neither safetensors",
            ),
            ("a/b", &["README.md"], "no config.json and no GGUF"),
            (
                "a/b",
                &["config.json", "model.safetensors"],
                "no tokenizer.json",
            ),
            (
                "a/b:q5.gguf",
                &["q4.gguf"],
                "there is no q5.gguf in it, but q4.gguf",
            ),
            (
                "a/b:x-00001-of-00002.gguf",
                &["x-00001-of-00002.gguf"],
                "no file x-00002-of-00002.gguf",
            ),
        ];
        for (name, files, words) in cases {
            let error = chosen(name, files).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
