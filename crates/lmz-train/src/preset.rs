//! Presets: a model's shape and the recipe that trains it.

use lmz_model::Blueprint;
use serde::{Deserialize, Serialize};

use crate::error::{Result, TrainError};

/// Shape and recipe of a model. In TOML every field but `name` may be left out: it is then that of `small`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Preset {
    /// A name for people.
    pub name: String,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward layer.
    pub intermediate_size: usize,
    /// Number of transformer layers.
    pub layers: usize,
    /// Query heads; each is `hidden_size / heads` wide.
    pub heads: usize,
    /// Key and value heads.
    pub kv_heads: usize,
    /// Entries of the tokenizer, unless one is given.
    pub vocab: usize,
    /// Tokens of a context.
    pub context: usize,
    /// Tokens of a step.
    pub batch: usize,
    /// Learning rate of matrices, by Muon.
    pub muon_rate: f64,
    /// Learning rate of the embedding and of norms, by AdamW.
    pub adam_rate: f64,
    /// Weight decay of matrices, in shares of the learning rate.
    pub weight_decay: f64,
    /// Steps until the learning rate is full, or a twentieth of the budget if that is less.
    pub warmup: u64,
    /// The share of the budget at its end over which the rate falls.
    pub decay: f64,
    /// The longest that all gradients together may be.
    pub clip: f64,
    /// The share of pieces whose lines end in CRLF.
    pub crlf: f64,
    /// Domains that are prose: wrapped anew, with other quotes and dashes, now and then.
    pub prose: Vec<String>,
}

impl Default for Preset {
    fn default() -> Self {
        Self {
            name: "small".into(),
            hidden_size: 256,
            intermediate_size: 768,
            layers: 5,
            heads: 4,
            kv_heads: 2,
            vocab: 6144,
            context: 1024,
            batch: 8192,
            muon_rate: 0.015,
            adam_rate: 0.003,
            weight_decay: 0.05,
            warmup: 100,
            decay: 0.45,
            clip: 1.0,
            crlf: 0.06,
            prose: vec!["books".into(), "multi".into()],
        }
    }
}

impl Preset {
    /// The names of the presets that are part of the program.
    pub const NAMES: [&'static str; 3] = ["nano", "small", "base"];

    /// A preset by name: `nano` has about 0.9M parameters and is for a quarter of an hour on two
    /// cores and one kind of text; `small` is lmz-5m's shape; `base` has about 38M and wants a GPU.
    pub fn named(name: &str) -> Option<Self> {
        let small = Self::default();
        match name {
            "nano" => Some(Self {
                name: name.into(),
                hidden_size: 128,
                intermediate_size: 384,
                layers: 3,
                heads: 2,
                kv_heads: 1,
                vocab: 2048,
                batch: 4096,
                muon_rate: 0.02,
                adam_rate: 0.005,
                // One's own logs have the line ends that they have.
                crlf: 0.0,
                prose: vec![],
                ..small
            }),
            "small" => Some(small),
            "base" => Some(Self {
                name: name.into(),
                hidden_size: 512,
                intermediate_size: 1408,
                layers: 10,
                heads: 8,
                kv_heads: 4,
                vocab: 16_384,
                batch: 65_536,
                ..small
            }),
            _ => None,
        }
    }

    /// Reads a preset from TOML.
    ///
    /// # Errors
    /// A field that is unknown, of the wrong type or outside of its bounds.
    pub fn from_toml(text: &str) -> Result<Self> {
        let preset: Self = toml::from_str(text)
            .map_err(|error| TrainError::setting("preset", error.to_string().trim()))?;
        preset.check()?;
        Ok(preset)
    }

    /// Checks that every field is within its bounds.
    ///
    /// # Errors
    /// The first field outside of its bounds.
    pub fn check(&self) -> Result<()> {
        let whole = |name: &str, value: usize, low: usize, high: usize| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            let reason = format!("is {value}, must lie in {low}..={high}");
            Err(TrainError::setting(name, reason))
        };
        let real = |name: &str, value: f64, low: f64, high: f64| {
            // Written so that a NaN fails.
            if value >= low && value <= high {
                return Ok(());
            }
            let reason = format!("is {value}, must lie in {low}..={high}");
            Err(TrainError::setting(name, reason))
        };
        whole("hidden_size", self.hidden_size, 16, 8192)?;
        whole("intermediate_size", self.intermediate_size, 16, 32_768)?;
        whole("layers", self.layers, 1, 128)?;
        whole("heads", self.heads, 1, 128)?;
        whole("kv_heads", self.kv_heads, 1, self.heads)?;
        whole("vocab", self.vocab, 257, 65_536)?;
        whole("context", self.context, 16, 32_768)?;
        whole("batch", self.batch, self.context, 1 << 24)?;
        if !self.batch.is_multiple_of(self.context) {
            return Err(TrainError::setting(
                "batch",
                "must be a multiple of context",
            ));
        }
        if !self.hidden_size.is_multiple_of(2 * self.heads) {
            let reason = "must be a multiple of twice the heads: each head is of even width";
            return Err(TrainError::setting("hidden_size", reason));
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return Err(TrainError::setting(
                "heads",
                "must be a multiple of kv_heads",
            ));
        }
        real("muon_rate", self.muon_rate, 1e-6, 1.0)?;
        real("adam_rate", self.adam_rate, 1e-6, 1.0)?;
        real("weight_decay", self.weight_decay, 0.0, 10.0)?;
        real("decay", self.decay, 0.01, 1.0)?;
        real("clip", self.clip, 1e-3, 1e6)?;
        real("crlf", self.crlf, 0.0, 1.0)
    }

    /// The model of this shape, over a vocabulary.
    ///
    /// # Errors
    /// A shape that is outside of what the engines take.
    pub fn blueprint(&self, vocab_size: usize, start_token: u32) -> Result<Blueprint> {
        let config = self.config(vocab_size, start_token);
        let parsed = lmz_model::parse_config(config.to_string().as_bytes())?;
        Ok(parsed.blueprint)
    }

    /// The `config.json` of a Llama of this shape.
    pub(crate) fn config(&self, vocab_size: usize, start_token: u32) -> serde_json::Value {
        serde_json::json!({
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_size": self.hidden_size,
            "intermediate_size": self.intermediate_size,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.hidden_size / self.heads,
            "vocab_size": vocab_size,
            "max_position_embeddings": self.context,
            "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0,
            "hidden_act": "silu",
            "tie_word_embeddings": true,
            "bos_token_id": start_token,
            "eos_token_id": start_token,
            "attention_bias": false,
            "mlp_bias": false,
            "torch_dtype": "float16",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_presets_are_sound_and_of_the_sizes_that_are_told() {
        let count = |name| {
            let preset = Preset::named(name).unwrap();
            preset.check().unwrap();
            let blueprint = preset.blueprint(preset.vocab, 0).unwrap();
            let parts = blueprint.parts().into_iter();
            let sizes = parts.map(|part| blueprint.part_shape(part).iter().product::<usize>());
            sizes.sum::<usize>()
        };
        assert!(
            (500_000..1_000_000).contains(&count("nano")),
            "{}",
            count("nano")
        );
        assert_eq!(count("small"), 5_507_840);
        assert!((30_000_000..60_000_000).contains(&count("base")));
        assert!(Preset::named("huge").is_none());
    }

    #[test]
    fn wrong_fields_are_refused_by_name() {
        for (text, word) in [
            ("hiden_size = 3", "hiden_size"),
            ("layers = 0", "layers"),
            ("layers = -1", "layers"),
            ("layers = \"two\"", "layers"),
            ("heads = 3", "heads"),
            ("kv_heads = 3", "heads"),
            ("batch = 1000", "batch"),
            ("muon_rate = nan", "muon_rate"),
            ("decay = 2.0", "decay"),
            ("vocab = 100", "vocab"),
            ("[", "preset"),
        ] {
            let error = Preset::from_toml(text).expect_err(text).to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
        let preset = Preset::from_toml("name = \"mine\"\nlayers = 2").unwrap();
        assert_eq!((preset.layers, preset.hidden_size), (2, 256));
    }
}
