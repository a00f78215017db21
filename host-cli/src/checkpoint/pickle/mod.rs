//! The part of Python's pickle format that a PyTorch state dict is written in.
//!
//! Nothing is executed. Opcodes and globals beyond those that `torch.save` of a state dict emits are
//! refused by name. Every opcode makes at most one value, so memory is bounded by the file's size.

mod globals;
mod machine;

use std::fmt;

pub use globals::{Global, StorageDtype};
pub use machine::parse;

/// Handle of a value in a [`Pickle`].
pub type Id = usize;

/// A value, its parts by handle.
#[derive(Clone, Debug)]
pub enum Value {
    /// `None`.
    None,
    /// `True`, `False`.
    Bool(bool),
    /// An integer that fits in 64 bits; larger ones are refused.
    Int(i64),
    /// A float; no tensor needs its value.
    Float,
    /// Text.
    Text(String),
    /// `(…)`.
    Tuple(Vec<Id>),
    /// `[…]`.
    List(Vec<Id>),
    /// A `dict` or `OrderedDict`, in order of insertion.
    Dict(Vec<(Id, Id)>),
    /// A class or function of the accepted few.
    Global(Global),
    /// A storage: raw elements in a member of the zip archive.
    Storage(Storage),
    /// A view of a storage.
    Tensor(View),
}

/// A storage, by the number of its member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Element type.
    pub dtype: StorageDtype,
    /// Name of the member in the archive's `data/` folder.
    pub key: String,
    /// Elements.
    pub elements: u64,
}

/// A tensor: a strided view of a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The storage.
    pub storage: Storage,
    /// First element.
    pub offset: u64,
    /// Extents.
    pub shape: Vec<u64>,
    /// Elements between neighbours on each axis.
    pub strides: Vec<u64>,
}

/// All values of a pickle, and the one it is.
#[derive(Debug)]
pub struct Pickle {
    values: Vec<Value>,
    root: Id,
}

impl Pickle {
    /// The value of a handle.
    pub fn value(&self, id: Id) -> &Value {
        &self.values[id]
    }

    /// Named tensors of the state dict: of the pickle itself, or of its entry `state_dict` where
    /// it is a training checkpoint. Entries that are no tensors are passed over.
    pub fn state_dict(&self) -> Result<Vec<(&str, &View)>, PickleError> {
        let Value::Dict(root) = self.value(self.root) else {
            return Err(PickleError::Malformed("it holds no dict".to_owned()));
        };
        let nested =
            root.iter().find_map(|&(key, value)| match (self.value(key), self.value(value)) {
                (Value::Text(name), Value::Dict(entries)) if name == "state_dict" => Some(entries),
                _ => None,
            });
        let tensors = nested.unwrap_or(root).iter().filter_map(|&(key, value)| {
            match (self.value(key), self.value(value)) {
                (Value::Text(name), Value::Tensor(view)) => Some((name.as_str(), view)),
                _ => None,
            }
        });
        Ok(tensors.collect())
    }
}

/// Why a pickle was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PickleError {
    /// An opcode that no state dict needs.
    Opcode {
        /// The byte.
        opcode: u8,
        /// Where it stands.
        offset: usize,
    },
    /// A class or function that no state dict needs, as `module.name`.
    Global(String),
    /// The file ends early, or contradicts itself.
    Malformed(String),
}

impl fmt::Display for PickleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opcode { opcode, offset } => {
                write!(
                    f,
                    "pickle opcode 0x{opcode:02x} at byte {offset}, which no state dict needs"
                )
            }
            Self::Global(name) => {
                write!(f, "the pickle asks for {name}, which no state dict needs")
            }
            Self::Malformed(what) => write!(f, "the pickle is damaged: {what}"),
        }
    }
}
