//! The classes and functions a state dict may name, and what calling them makes.

use super::{PickleError, Storage, Value, View, machine::Machine};

/// Element type of a storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageDtype {
    /// `torch.FloatStorage`.
    F32,
    /// `torch.HalfStorage`.
    F16,
    /// `torch.BFloat16Storage`.
    Bf16,
    /// Any other: named, with bytes an element. No weight is read from it.
    Other(&'static str, u64),
}

impl StorageDtype {
    /// Bytes an element takes.
    pub const fn bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Other(_, bytes) => bytes,
        }
    }
}

/// An accepted class or function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Global {
    /// `collections.OrderedDict`.
    OrderedDict,
    /// `torch._utils._rebuild_tensor_v2`.
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`.
    RebuildParameter,
    /// `torch.…Storage`.
    Storage(StorageDtype),
}

impl Global {
    /// Looks a global up; all but the few are refused by name.
    pub fn find(module: &str, name: &str) -> Result<Self, PickleError> {
        use StorageDtype::{Bf16, F16, F32, Other};
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", "FloatStorage") => Self::Storage(F32),
            ("torch", "HalfStorage") => Self::Storage(F16),
            ("torch", "BFloat16Storage") => Self::Storage(Bf16),
            ("torch", "DoubleStorage") => Self::Storage(Other("f64", 8)),
            ("torch", "LongStorage") => Self::Storage(Other("i64", 8)),
            ("torch", "IntStorage") => Self::Storage(Other("i32", 4)),
            ("torch", "ShortStorage") => Self::Storage(Other("i16", 2)),
            ("torch", "CharStorage") => Self::Storage(Other("i8", 1)),
            ("torch", "ByteStorage") => Self::Storage(Other("u8", 1)),
            ("torch", "BoolStorage") => Self::Storage(Other("bool", 1)),
            _ => return Err(PickleError::Global(format!("{module}.{name}"))),
        })
    }

    /// What calling it with `arguments` makes.
    pub(super) fn call(self, machine: &Machine, arguments: &[usize]) -> Result<Value, PickleError> {
        let malformed = |what: &str| Err(PickleError::Malformed(what.to_owned()));
        match (self, arguments) {
            (Self::OrderedDict, []) => Ok(Value::Dict(Vec::new())),
            (Self::RebuildTensor, [storage, offset, shape, strides, ..]) => {
                let Value::Storage(storage) = machine.value(*storage) else {
                    return malformed("a tensor without a storage");
                };
                let (shape, strides) = (machine.extents(*shape)?, machine.extents(*strides)?);
                if shape.len() != strides.len() {
                    return malformed("a tensor with unequal numbers of extents and strides");
                }
                let offset = machine.extent(*offset)?;
                Ok(Value::Tensor(View { storage: storage.clone(), offset, shape, strides }))
            }
            (Self::RebuildParameter, [tensor, ..]) => match machine.value(*tensor) {
                tensor @ Value::Tensor(_) => Ok(tensor.clone()),
                _ => malformed("a parameter without a tensor"),
            },
            _ => malformed("a call with arguments that no state dict has"),
        }
    }
}

/// PyTorch's keys are numbers; a long one, repeated by reference, would eat memory.
const LONGEST_KEY: usize = 64;

/// The storage that a persistent id `('storage', class, key, location, elements)` names.
pub(super) fn storage(machine: &Machine, parts: &[usize]) -> Result<Storage, PickleError> {
    let values: Vec<&Value> = parts.iter().map(|&id| machine.value(id)).collect();
    match values.as_slice() {
        [
            Value::Text(tag),
            Value::Global(Global::Storage(dtype)),
            Value::Text(key),
            _,
            Value::Int(n),
        ] if tag == "storage" && *n >= 0 && key.len() <= LONGEST_KEY => {
            Ok(Storage { dtype: *dtype, key: key.clone(), elements: n.unsigned_abs() })
        }
        _ => Err(PickleError::Malformed("a persistent id that names no storage".to_owned())),
    }
}
