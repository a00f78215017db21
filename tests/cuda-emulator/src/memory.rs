//! Memory between pages that nobody may touch, and a list of it.

use core::ffi::{c_char, c_int};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use longseq_cuda::runtime::{self, Address};

unsafe extern "C" {
    fn emulator_allocate(bytes: usize) -> *mut c_char;
    fn emulator_free(memory: *mut c_char, bytes: usize);
    fn emulator_intact(memory: *const c_char, bytes: usize) -> c_int;
}

/// A piece of memory.
#[derive(Debug)]
pub struct Memory {
    address: Address,
    bytes: usize,
    allocations: Arc<Mutex<Allocations>>,
}

/// Address and bytes of all memory in use.
#[derive(Debug, Default)]
pub(crate) struct Allocations(BTreeMap<Address, usize>);

impl Memory {
    pub(crate) fn new(bytes: usize, allocations: &Arc<Mutex<Allocations>>) -> Option<Self> {
        // No machine has half of what can be addressed.
        if bytes > isize::MAX as usize / 2 {
            return None;
        }
        // SAFETY: any size may be asked for.
        let memory = unsafe { emulator_allocate(bytes) };
        if memory.is_null() {
            return None;
        }
        let address = memory as Address;
        lock(allocations).0.insert(address, bytes);
        Some(Self { address, bytes, allocations: allocations.clone() })
    }

    pub(crate) fn read(&self, offset: usize, bytes: &mut [u8]) {
        let at = self.address + offset as Address;
        lock(&self.allocations).read(at, bytes).expect("within the memory");
    }

    pub(crate) fn write(&self, offset: usize, bytes: &[u8]) {
        let at = self.address + offset as Address;
        lock(&self.allocations).write(at, bytes).expect("within the memory");
    }
}

fn lock(allocations: &Mutex<Allocations>) -> std::sync::MutexGuard<'_, Allocations> {
    allocations.lock().unwrap_or_else(PoisonError::into_inner)
}

impl runtime::Memory for Memory {
    fn address(&self) -> Address {
        self.address
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        lock(&self.allocations).0.remove(&self.address);
        // SAFETY: it was allocated with this size, and nobody knows it any more.
        unsafe { emulator_free(self.address as *mut c_char, self.bytes) };
    }
}

impl Allocations {
    /// The last allocation that begins at an address or before it.
    fn before(&self, address: Address) -> Option<(Address, usize)> {
        self.0.range(..=address).next_back().map(|(&first, &bytes)| (first, bytes))
    }

    fn check(&self, address: Address, bytes: usize) -> Result<(), String> {
        let end = address.checked_add(bytes as Address);
        let inside =
            |(first, size): (Address, usize)| end.is_some_and(|end| end <= first + size as Address);
        if bytes == 0 || self.before(address).is_some_and(inside) {
            return Ok(());
        }
        Err(format!("{bytes} bytes{}", self.describe(address)))
    }

    pub(crate) fn read(&self, address: Address, bytes: &mut [u8]) -> Result<(), String> {
        self.check(address, bytes.len())?;
        // SAFETY: it lies within an allocation, which was written when it was made and is not freed meanwhile.
        unsafe {
            core::ptr::copy_nonoverlapping(address as *const u8, bytes.as_mut_ptr(), bytes.len())
        };
        Ok(())
    }

    pub(crate) fn write(&self, address: Address, bytes: &[u8]) -> Result<(), String> {
        self.check(address, bytes.len())?;
        // SAFETY: it lies within an allocation, which is not freed meanwhile and of which no reference exists.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), address as *mut u8, bytes.len()) };
        Ok(())
    }

    /// Where an address is, after "… reaches".
    pub(crate) fn describe(&self, address: Address) -> String {
        match self.before(address) {
            Some((first, bytes)) if address - first < bytes as Address + (1 << 20) => {
                format!(" at byte {} of a buffer of {bytes}", address - first)
            }
            _ => match self.0.range(address..).next() {
                Some((&first, bytes)) if first - address < 1 << 20 => {
                    format!(" {} bytes before a buffer of {bytes}", first - address)
                }
                _ => format!(" at {address:#x}, far from any buffer"),
            },
        }
    }

    /// The size of a buffer beside which something was written.
    pub(crate) fn damaged(&self) -> Option<usize> {
        // SAFETY: all of them are in use.
        let intact = |(&first, &bytes): (&Address, &usize)| unsafe {
            emulator_intact(first as *const c_char, bytes) != 0
        };
        self.0.iter().find(|&of| !intact(of)).map(|(_, &bytes)| bytes)
    }
}
