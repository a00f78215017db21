//! Typed access to the keys of a JSON object. `null` is the same as a key that is not there.

use serde_json::{Map, Value};

/// A JSON object of the file.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    map: Option<&'a Map<String, Value>>,
    /// Where it stands: empty, or `"ssm_cfg."`.
    prefix: &'static str,
}

type Found<T> = Result<T, String>;

impl<'a> Fields<'a> {
    /// The outermost object.
    pub fn root(json: &'a Value) -> Found<Self> {
        match json {
            Value::Object(map) => Ok(Self { map: Some(map), prefix: "" }),
            _ => Err("it is no JSON object".to_owned()),
        }
    }

    /// The object at `key`, empty if it is not there; `prefix` names its keys in messages.
    pub fn object(&self, key: &str, prefix: &'static str) -> Found<Self> {
        match self.get(key) {
            None => Ok(Self { map: None, prefix }),
            Some(Value::Object(map)) => Ok(Self { map: Some(map), prefix }),
            Some(found) => Err(self.wrong(key, found, "an object")),
        }
    }

    /// Whether there is such a key.
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// A count that must be there.
    pub fn count(&self, key: &str) -> Found<usize> {
        self.count_if(key)?.ok_or_else(|| self.missing(key))
    }

    /// A count, or its default.
    pub fn count_or(&self, key: &str, default: usize) -> Found<usize> {
        Ok(self.count_if(key)?.unwrap_or(default))
    }

    /// A count, if it is there.
    pub fn count_if(&self, key: &str) -> Found<Option<usize>> {
        self.typed(key, "a count", count)
    }

    /// A list of counts, empty if it is not there.
    pub fn counts(&self, key: &str) -> Found<Vec<usize>> {
        let list = |value: &Value| value.as_array()?.iter().map(count).collect();
        Ok(self.typed(key, "a list of counts", list)?.unwrap_or_default())
    }

    /// A list of texts, if it is there.
    pub fn texts(&self, key: &str) -> Found<Option<Vec<&'a str>>> {
        let list = |value: &'a Value| value.as_array()?.iter().map(Value::as_str).collect();
        self.typed(key, "a list of texts", list)
    }

    /// A number, if it is there.
    pub fn number(&self, key: &str) -> Found<Option<f64>> {
        self.typed(key, "a number", Value::as_f64)
    }

    /// A flag, or its default.
    pub fn flag_or(&self, key: &str, default: bool) -> Found<bool> {
        Ok(self.typed(key, "true or false", Value::as_bool)?.unwrap_or(default))
    }

    /// A text, if it is there.
    pub fn text(&self, key: &str) -> Found<Option<&'a str>> {
        self.typed(key, "a text", Value::as_str)
    }

    /// One token id, a list of them, or none.
    pub fn token_ids(&self, key: &str) -> Found<Option<Vec<u32>>> {
        let id = |value: &Value| u32::try_from(value.as_u64()?).ok();
        let ids = |value: &Value| match value {
            Value::Array(list) => list.iter().map(id).collect(),
            one => id(one).map(|id| vec![id]),
        };
        self.typed(key, "a token id or a list of them", ids)
    }

    /// Refuses `key` if it is there and `supported` says that it changes what is computed.
    pub fn only(&self, key: &str, supported: impl Fn(&Value) -> bool) -> Found<()> {
        match self.get(key) {
            Some(value) if !supported(value) => {
                Err(format!("`{}{key}` is {value}, which is not supported", self.prefix))
            }
            _ => Ok(()),
        }
    }

    /// The message for a key that must be there.
    pub fn missing(&self, key: &str) -> String {
        format!("`{}{key}` is missing", self.prefix)
    }

    fn typed<T>(
        &self,
        key: &str,
        kind: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Found<Option<T>> {
        self.get(key)
            .map(|value| read(value).ok_or_else(|| self.wrong(key, value, kind)))
            .transpose()
    }

    fn get(&self, key: &str) -> Option<&'a Value> {
        self.map?.get(key).filter(|value| !value.is_null())
    }

    fn wrong(&self, key: &str, found: &Value, expected: &str) -> String {
        let found: String = found.to_string().chars().take(60).collect();
        format!("`{}{key}` is {found}, expected {expected}", self.prefix)
    }
}

fn count(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}
