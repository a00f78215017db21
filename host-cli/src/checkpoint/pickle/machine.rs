//! The stack machine: one arm an opcode (Python's `pickletools` documents them).

use std::collections::HashMap;

use super::{Global, Id, Pickle, PickleError, Value, globals};

/// Parses a pickle.
pub fn parse(bytes: &[u8]) -> Result<Pickle, PickleError> {
    let mut machine = Machine::default();
    let mut input = Input { bytes, offset: 0 };
    loop {
        if let Some(root) = machine.step(&mut input)? {
            return Ok(Pickle { values: machine.values, root });
        }
    }
}

/// A longer shape is damage: repeated by reference it would eat memory.
const MOST_AXES: usize = 16;

fn malformed(what: &str) -> PickleError {
    PickleError::Malformed(what.to_owned())
}

/// The unread bytes.
struct Input<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], PickleError> {
        let end = self.offset.checked_add(count).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| malformed("it ends early"))?;
        let taken = &self.bytes[self.offset..end];
        self.offset = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| malformed("it ends early"))
    }

    fn byte(&mut self) -> Result<u8, PickleError> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn length(&mut self) -> Result<usize, PickleError> {
        self.array().map(|bytes| u32::from_le_bytes(bytes) as usize)
    }

    fn line(&mut self) -> Result<String, PickleError> {
        let rest = &self.bytes[self.offset..];
        let end = rest.iter().position(|&byte| byte == b'\n');
        let end = end.ok_or_else(|| malformed("it ends early"))?;
        let line = text(self.take(end)?)?;
        self.take(1)?;
        Ok(line)
    }
}

fn text(bytes: &[u8]) -> Result<String, PickleError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| malformed("a text is not UTF-8"))
}

/// Values, the stack of handles, open marks and the memo.
#[derive(Debug, Default)]
pub(super) struct Machine {
    values: Vec<Value>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<usize, Id>,
}

impl Machine {
    pub(super) fn value(&self, id: Id) -> &Value {
        &self.values[id]
    }

    /// A non-negative integer.
    pub(super) fn extent(&self, id: Id) -> Result<u64, PickleError> {
        match self.value(id) {
            Value::Int(n) if *n >= 0 => Ok(n.unsigned_abs()),
            _ => Err(malformed("an extent that is no count")),
        }
    }

    /// A tuple of non-negative integers, no longer than a tensor has axes.
    pub(super) fn extents(&self, id: Id) -> Result<Vec<u64>, PickleError> {
        match self.value(id) {
            Value::Tuple(parts) if parts.len() <= MOST_AXES => {
                parts.iter().map(|&part| self.extent(part)).collect()
            }
            _ => Err(malformed("a shape that is no short tuple")),
        }
    }

    fn push(&mut self, value: Value) {
        self.values.push(value);
        self.stack.push(self.values.len() - 1);
    }

    /// Takes the top of the stack, not below the last mark.
    fn pop(&mut self) -> Result<Id, PickleError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.len() > floor {
            true => self.stack.pop().ok_or_else(|| malformed("its stack is empty")),
            false => Err(malformed("its stack is empty")),
        }
    }

    fn top(&self) -> Result<Id, PickleError> {
        self.stack.last().copied().ok_or_else(|| malformed("its stack is empty"))
    }

    /// Takes everything above the last mark.
    fn pop_mark(&mut self) -> Result<Vec<Id>, PickleError> {
        let mark = self.marks.pop().ok_or_else(|| malformed("a mark is missing"))?;
        Ok(self.stack.split_off(mark))
    }

    fn pop_tuple(&mut self, count: usize) -> Result<(), PickleError> {
        let mut parts = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
        parts.reverse();
        self.push(Value::Tuple(parts));
        Ok(())
    }

    fn remember(&mut self, slot: usize) -> Result<(), PickleError> {
        let top = self.top()?;
        self.memo.insert(slot, top);
        Ok(())
    }

    fn recall(&mut self, slot: usize) -> Result<(), PickleError> {
        let id = self.memo.get(&slot).ok_or_else(|| malformed("a reference to nothing"))?;
        self.stack.push(*id);
        Ok(())
    }

    fn set_items(&mut self, items: &[Id]) -> Result<(), PickleError> {
        let target = self.top()?;
        let (pairs, []) = items.as_chunks::<2>() else {
            return Err(malformed("a key without a value"));
        };
        match &mut self.values[target] {
            Value::Dict(entries) => entries.extend(pairs.iter().map(|&[key, value]| (key, value))),
            _ => return Err(malformed("an entry for something that is no dict")),
        }
        Ok(())
    }

    fn append(&mut self, items: &[Id]) -> Result<(), PickleError> {
        let target = self.top()?;
        match &mut self.values[target] {
            Value::List(list) => list.extend_from_slice(items),
            _ => return Err(malformed("an element for something that is no list")),
        }
        Ok(())
    }

    fn reduce(&mut self) -> Result<(), PickleError> {
        let (arguments, callee) = (self.pop()?, self.pop()?);
        let value = match (self.value(callee), self.value(arguments)) {
            (Value::Global(global), Value::Tuple(arguments)) => global.call(self, arguments)?,
            _ => return Err(malformed("a call of something that is no function")),
        };
        self.push(value);
        Ok(())
    }

    fn persistent_id(&mut self) -> Result<(), PickleError> {
        let id = self.pop()?;
        let storage = match self.value(id) {
            Value::Tuple(parts) => globals::storage(self, parts)?,
            _ => return Err(malformed("a persistent id that is no tuple")),
        };
        self.push(Value::Storage(storage));
        Ok(())
    }

    /// One opcode; the result, once it is there.
    fn step(&mut self, input: &mut Input<'_>) -> Result<Option<Id>, PickleError> {
        let offset = input.offset;
        match input.byte()? {
            // PROTO, FRAME: nothing to do.
            0x80 => drop(input.take(1)?),
            0x95 => drop(input.take(8)?),
            b'.' => return self.pop().map(Some),
            b'(' => self.marks.push(self.stack.len()),
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'K' => self.push(Value::Int(input.byte()?.into())),
            b'M' => self.push(Value::Int(u16::from_le_bytes(input.array()?).into())),
            b'J' => self.push(Value::Int(i32::from_le_bytes(input.array()?).into())),
            0x8a => self.push(Value::Int(long(input)?)),
            b'G' => {
                input.take(8)?;
                self.push(Value::Float);
            }
            b'X' => {
                let length = input.length()?;
                self.push(Value::Text(text(input.take(length)?)?));
            }
            0x8c => {
                let length = input.byte()?.into();
                self.push(Value::Text(text(input.take(length)?)?));
            }
            b')' => self.push(Value::Tuple(Vec::new())),
            0x85 => self.pop_tuple(1)?,
            0x86 => self.pop_tuple(2)?,
            0x87 => self.pop_tuple(3)?,
            b't' => {
                let parts = self.pop_mark()?;
                self.push(Value::Tuple(parts));
            }
            b']' => self.push(Value::List(Vec::new())),
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])?;
            }
            b'e' => {
                let items = self.pop_mark()?;
                self.append(&items)?;
            }
            b'}' => self.push(Value::Dict(Vec::new())),
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set_items(&[key, value])?;
            }
            b'u' => {
                let items = self.pop_mark()?;
                self.set_items(&items)?;
            }
            b'q' => self.remember(input.byte()?.into())?,
            b'r' => self.remember(input.length()?)?,
            0x94 => self.remember(self.memo.len())?,
            b'h' => self.recall(input.byte()?.into())?,
            b'j' => self.recall(input.length()?)?,
            b'c' => {
                let (module, name) = (input.line()?, input.line()?);
                self.push(Value::Global(Global::find(&module, &name)?));
            }
            b'R' => self.reduce()?,
            // BUILD: the dict's `_metadata`, which no tensor needs.
            b'b' => drop(self.pop()?),
            b'Q' => self.persistent_id()?,
            opcode => return Err(PickleError::Opcode { opcode, offset }),
        }
        Ok(None)
    }
}

/// LONG1: a little-endian two's complement integer of up to eight bytes.
fn long(input: &mut Input<'_>) -> Result<i64, PickleError> {
    let length = input.byte()?.into();
    let bytes = input.take(length)?;
    if length > 8 {
        return Err(malformed("an integer of more than 64 bits"));
    }
    let sign = if bytes.last().is_some_and(|byte| byte >> 7 == 1) { 0xff } else { 0 };
    let mut padded = [sign; 8];
    padded[..length].copy_from_slice(bytes);
    Ok(i64::from_le_bytes(padded))
}
