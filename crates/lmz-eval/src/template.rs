//! The templates and expressions of a task.

use std::collections::BTreeMap;

use crate::boxed::boxed;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};
use serde_json::{Map, Value as Json};

/// The fields of a record.
pub type Document = Map<String, Json>;

/// A task's templates, compiled.
pub struct Templates {
    environment: Environment<'static>,
}

/// An environment with what tasks may use: minijinja's own filters, Python's methods of strings and lists,
/// `regex_replace(pattern, with)`, `index_of(value)` in a list, `python_string`, and `boxed`: what the last `\boxed{}` of
/// a text holds.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
    if let Ok(syntax) = syntax {
        environment.set_syntax(syntax);
    }
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_filter("regex_replace", regex_replace);
    environment.add_filter("index_of", index_of);
    environment.add_filter("python_string", python_string);
    environment.add_filter("boxed", in_a_box);
    environment
}

fn regex_replace(text: &str, pattern: &str, with: &str) -> Result<String, Error> {
    let failed = |error: regex::Error| Error::new(ErrorKind::InvalidOperation, error.to_string());
    let pattern = regex::Regex::new(pattern).map_err(failed)?;
    Ok(pattern.replace_all(text, with).into_owned())
}

fn index_of(list: Vec<Value>, value: Value) -> Result<usize, Error> {
    list.iter().position(|one| *one == value).ok_or_else(|| {
        let message = format!("{value} is not in the list");
        Error::new(ErrorKind::InvalidOperation, message)
    })
}

/// A literal of Python with this value. JSON's escapes are Python's.
fn python_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What the last box holds; all of a text without one.
fn in_a_box(text: &str) -> String {
    boxed(text).unwrap_or_else(|| text.to_owned())
}

/// An error of a template, with its cause.
fn words(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl std::fmt::Debug for Templates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Templates")
    }
}

impl Templates {
    /// Compiles templates, and tries expressions; each with what errors call it.
    ///
    /// # Errors
    /// Which one is wrong, and why.
    pub fn new(
        templates: Vec<(&'static str, &str)>,
        expressions: &[(String, &str)],
    ) -> Result<Self, String> {
        let mut compiled = Self {
            environment: environment(),
        };
        for (name, template) in templates {
            compiled.add(name, template)?;
        }
        for (name, expression) in expressions {
            let tried = compiled.environment.compile_expression(expression);
            tried.map_err(|error| format!("{name}: {}", words(&error)))?;
        }
        Ok(compiled)
    }

    fn add(&mut self, name: &'static str, template: &str) -> Result<(), String> {
        let added = self
            .environment
            .add_template_owned(name, template.to_owned());
        added.map_err(|error| format!("{name}: {}", words(&error)))
    }

    /// A template's text for a document.
    ///
    /// # Errors
    /// Why it has none: a field is missing, as a rule.
    pub fn render(&self, name: &str, document: &Document) -> Result<String, String> {
        let failed = |error: Error| format!("{name}: {}", words(&error));
        let template = self.environment.get_template(name).map_err(failed)?;
        template
            .render(Value::from(Serde(document)))
            .map_err(failed)
    }

    /// A template's text for a document and one more field.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn render_with(
        &self,
        name: &str,
        document: &Document,
        field: &str,
        value: &str,
    ) -> Result<String, String> {
        let mut document = document.clone();
        document.insert(field.to_owned(), value.into());
        self.render(name, &document)
    }

    /// An expression's value for a document; `name` is what errors call it.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn value(&self, name: &str, expression: &str, document: &Document) -> Result<Json, String> {
        let values = self.values(&[(name, expression)], document)?;
        Ok(values
            .into_iter()
            .next()
            .map(|(_, value)| value)
            .unwrap_or_default())
    }

    /// Values of expressions, by name.
    fn values(
        &self,
        expressions: &[(&str, &str)],
        document: &Document,
    ) -> Result<Vec<(String, Json)>, String> {
        let context = Value::from(Serde(document));
        let each = expressions.iter().map(|&(name, expression)| {
            let failed = |error: Error| format!("{name}: {}", words(&error));
            let compiled = self
                .environment
                .compile_expression(expression)
                .map_err(failed)?;
            let value = compiled.eval(&context).map_err(failed)?;
            if value.is_undefined() {
                return Err(format!("{name}: {expression} is not there"));
            }
            let json = serde_json::to_value(&value).map_err(|error| format!("{name}: {error}"))?;
            Ok((name.to_owned(), json))
        });
        each.collect()
    }

    /// Adds a source's fields to a record, all computed from the record's own.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn extend(
        &self,
        record: &mut Document,
        fields: &BTreeMap<String, String>,
    ) -> Result<(), String> {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, expression)| (name.as_str(), expression.as_str()))
            .collect();
        if !fields.is_empty() {
            record.extend(self.values(&fields, record)?);
        }
        Ok(())
    }
}
