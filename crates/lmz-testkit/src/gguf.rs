//! GGUF files written by hand, to be damaged or to be filled with blocks.

use std::path::Path;

use lmz_model::Checkpoint;

use crate::models::{ModelDirectory, byte_char};

/// A value of the metadata.
#[derive(Clone, Debug)]
pub enum Meta {
    /// Type 2.
    U16(u16),
    /// Type 4.
    U32(u32),
    /// Type 6.
    F32(f32),
    /// Type 7.
    Bool(bool),
    /// Type 8.
    Text(String),
    /// An array of type 8.
    Texts(Vec<String>),
    /// An array of type 5.
    I32s(Vec<i32>),
    /// An array of type 6.
    F32s(Vec<f32>),
}

/// A tensor.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// As the file has it.
    pub name: String,
    /// The row's length first.
    pub dimensions: Vec<u64>,
    /// The number of ggml's type.
    pub kind: u32,
    /// Where it begins; `None` for a place that is found when the file is written.
    pub offset: Option<u64>,
    /// Its blocks.
    pub bytes: Vec<u8>,
}

/// A file before it is written.
#[derive(Clone, Debug)]
pub struct File {
    /// 2 or 3, or what is to be refused.
    pub version: u32,
    /// In the order in which it is written.
    pub metadata: Vec<(String, Meta)>,
    /// Likewise.
    pub tensors: Vec<Tensor>,
}

impl File {
    /// A Llama of one layer with a byte-level tokenizer of 258 tokens and a padding row.
    pub fn llama() -> Self {
        let mut tokens: Vec<String> = (0..=255).map(|b| byte_char(b).to_string()).collect();
        tokens.extend(["th".into(), "<|end|>".into(), "[PAD258]".into()]);
        let mut types = vec![1; 257];
        types.extend([3, 5]);
        let text = |text: &str| Meta::Text(text.into());
        let metadata = [
            ("general.architecture", text("llama")),
            ("general.name", text("By hand")),
            ("llama.block_count", Meta::U32(1)),
            ("llama.context_length", Meta::U32(64)),
            ("llama.embedding_length", Meta::U32(8)),
            ("llama.feed_forward_length", Meta::U32(12)),
            ("llama.attention.head_count", Meta::U32(4)),
            ("llama.attention.head_count_kv", Meta::U32(2)),
            ("llama.attention.layer_norm_rms_epsilon", Meta::F32(1e-5)),
            ("llama.rope.freq_base", Meta::F32(10000.0)),
            ("tokenizer.ggml.model", text("gpt2")),
            ("tokenizer.ggml.pre", text("gpt-2")),
            ("tokenizer.ggml.tokens", Meta::Texts(tokens)),
            ("tokenizer.ggml.token_type", Meta::I32s(types)),
            ("tokenizer.ggml.merges", Meta::Texts(vec!["t h".into()])),
            ("tokenizer.ggml.bos_token_id", Meta::U32(257)),
        ];
        let shapes: [(&str, &[u64]); 11] = [
            ("token_embd", &[8, 259]),
            ("blk.0.attn_norm", &[8]),
            ("blk.0.attn_q", &[8, 8]),
            ("blk.0.attn_k", &[8, 4]),
            ("blk.0.attn_v", &[8, 4]),
            ("blk.0.attn_output", &[8, 8]),
            ("blk.0.ffn_norm", &[8]),
            ("blk.0.ffn_gate", &[8, 12]),
            ("blk.0.ffn_up", &[8, 12]),
            ("blk.0.ffn_down", &[12, 8]),
            ("output_norm", &[8]),
        ];
        let tensor = |(i, (name, shape)): (usize, (&str, &[u64]))| Tensor {
            name: format!("{name}.weight"),
            dimensions: shape.to_vec(),
            kind: 0,
            offset: None,
            bytes: ModelDirectory::eighths(i)
                .take(shape.iter().product::<u64>() as usize)
                .flat_map(f32::to_le_bytes)
                .collect(),
        };
        Self {
            version: 3,
            metadata: metadata.map(|(key, value)| (key.into(), value)).into(),
            tensors: shapes.into_iter().enumerate().map(tensor).collect(),
        }
    }

    /// Sets a key, or adds it.
    pub fn set(&mut self, key: &str, value: Meta) {
        self.remove(key);
        self.metadata.push((key.into(), value));
    }

    /// Takes a key away.
    pub fn remove(&mut self, key: &str) {
        self.metadata.retain(|(other, _)| other != key);
    }

    /// The tensor of this name.
    ///
    /// # Panics
    /// If there is none.
    pub fn tensor(&mut self, name: &str) -> &mut Tensor {
        self.tensors.iter_mut().find(|t| t.name == name).unwrap()
    }

    /// The model that it holds.
    ///
    /// # Panics
    /// If it is refused.
    pub fn open(&self) -> Checkpoint {
        Checkpoint::from_gguf("model.gguf", self.bytes()).expect("a sound file")
    }

    /// The file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(self.version.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.metadata.len() as u64).to_le_bytes());
        for (key, value) in &self.metadata {
            string(&mut out, key);
            meta(&mut out, value);
        }
        let mut data = Vec::new();
        for tensor in &self.tensors {
            string(&mut out, &tensor.name);
            out.extend((tensor.dimensions.len() as u32).to_le_bytes());
            for dimension in &tensor.dimensions {
                out.extend(dimension.to_le_bytes());
            }
            out.extend(tensor.kind.to_le_bytes());
            let offset = tensor.offset.unwrap_or(data.len() as u64);
            out.extend(offset.to_le_bytes());
            data.extend(&tensor.bytes);
            data.resize(data.len().next_multiple_of(32), 0);
        }
        out.resize(out.len().next_multiple_of(32), 0);
        out.extend(data);
        out
    }

    /// Deals the tensors to files of a model in `count` parts; only the first has the metadata.
    ///
    /// # Panics
    /// If a file cannot be written.
    pub fn write_parts(&self, directory: &Path, stem: &str, count: usize) {
        for part in 0..count {
            let mut file = self.clone();
            let tensors = file.tensors.into_iter().skip(part).step_by(count);
            file.tensors = tensors.collect();
            if part > 0 {
                file.metadata.clear();
            }
            file.set("split.no", Meta::U16(part as u16));
            file.set("split.count", Meta::U16(count as u16));
            file.set("split.tensors.count", Meta::U32(self.tensors.len() as u32));
            let name = format!("{stem}-{:05}-of-{count:05}.gguf", part + 1);
            std::fs::write(directory.join(name), file.bytes()).unwrap();
        }
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

fn meta(out: &mut Vec<u8>, value: &Meta) {
    let kind = |out: &mut Vec<u8>, kind: u32| out.extend(kind.to_le_bytes());
    let array = |out: &mut Vec<u8>, of: u32, count: usize| {
        kind(out, 9);
        kind(out, of);
        out.extend((count as u64).to_le_bytes());
    };
    match value {
        Meta::U16(n) => {
            kind(out, 2);
            out.extend(n.to_le_bytes());
        }
        Meta::U32(n) => {
            kind(out, 4);
            out.extend(n.to_le_bytes());
        }
        Meta::F32(x) => {
            kind(out, 6);
            out.extend(x.to_le_bytes());
        }
        Meta::Bool(flag) => {
            kind(out, 7);
            out.push(u8::from(*flag));
        }
        Meta::Text(text) => {
            kind(out, 8);
            string(out, text);
        }
        Meta::Texts(texts) => {
            array(out, 8, texts.len());
            texts.iter().for_each(|text| string(out, text));
        }
        Meta::I32s(list) => {
            array(out, 5, list.len());
            list.iter().for_each(|n| out.extend(n.to_le_bytes()));
        }
        Meta::F32s(list) => {
            array(out, 6, list.len());
            list.iter().for_each(|x| out.extend(x.to_le_bytes()));
        }
    }
}
