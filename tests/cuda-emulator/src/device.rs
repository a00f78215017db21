//! What the C++ side is asked.

use core::ffi::{CStr, c_char, c_int, c_void};

use crate::text;

/// In which order threads of a block run between barriers, and blocks of a grid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub enum Order {
    /// From the first.
    #[default]
    Up,
    /// From the last.
    Down,
    /// Threads anyhow, anew each time; blocks from the first.
    Random,
}

/// When asynchronous copies arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub enum Arrival {
    /// When they are waited for.
    #[default]
    Late,
    /// At once.
    Early,
    /// Some so, some so.
    Random,
}

/// What a GPU leaves open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Options {
    /// Of threads.
    pub order: Order,
    /// Of copies.
    pub copies: Arrival,
    /// Of what is random.
    pub seed: u64,
}

impl Options {
    /// Every order, for kernels without asynchronous copies.
    pub fn orders(seed: u64) -> impl Iterator<Item = Self> {
        let orders = [Order::Up, Order::Down, Order::Random];
        orders.into_iter().map(move |order| Self { order, copies: Arrival::Late, seed })
    }

    /// Every order with every arrival.
    pub fn all(seed: u64) -> impl Iterator<Item = Self> {
        let arrivals = [Arrival::Late, Arrival::Early, Arrival::Random];
        let orders = [Order::Up, Order::Down, Order::Random];
        let all = move |order| arrivals.map(|copies| Self { order, copies, seed });
        orders.into_iter().flat_map(all)
    }

    /// The same with another seed for each launch.
    pub(crate) const fn of_launch(self, number: u64) -> Self {
        Self { seed: self.seed.wrapping_add(number.wrapping_mul(0x9e37_79b9)), ..self }
    }
}

/// What kernels have done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Statistics {
    /// Barriers of blocks.
    pub barriers: u64,
    /// Operations of warps, those below among them.
    pub warp_operations: u64,
    /// Loads of four matrices.
    pub matrix_loads: u64,
    /// Rows of those that waited for another's bank.
    pub bank_conflicts: u64,
    /// Products on the tensor cores.
    pub multiplications: u64,
    /// Bytes of static shared memory, at most.
    pub static_shared: u64,
}

/// Why a launch ended, and the address that was out of reach.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) fault: Option<u64>,
}

/// A kernel as it was built.
#[derive(Debug)]
pub(crate) struct Entry(*const c_void);

#[repr(C)]
struct RawLaunch {
    entry: *const c_void,
    blocks: [u32; 3],
    threads: u32,
    dynamic_shared: usize,
    arguments: *mut *mut c_void,
    options: Options,
}

#[repr(C)]
struct RawFailure {
    message: [c_char; 600],
    faulted: c_int,
    fault: *const c_void,
}

unsafe extern "C" {
    fn emulator_find(name: *const c_char, fault: *const c_char) -> *const c_void;
    fn emulator_parameters(entry: *const c_void, sizes: *mut *const usize) -> c_int;
    fn emulator_launch(
        launch: *const RawLaunch,
        statistics: *mut Statistics,
        failure: *mut RawFailure,
    ) -> c_int;
}

impl Entry {
    /// The kernel of that name, with a planted fault where it was built with one.
    pub(crate) fn find(name: &CStr, fault: &CStr) -> Option<Self> {
        // SAFETY: both end with a null byte and are only read.
        let entry = unsafe { emulator_find(name.as_ptr(), fault.as_ptr()) };
        (!entry.is_null()).then_some(Self(entry))
    }

    /// Bytes of each parameter.
    pub(crate) fn sizes(&self) -> &'static [usize] {
        let mut sizes = core::ptr::null();
        // SAFETY: the entry is one of the static table, whose sizes are static, too.
        unsafe {
            let count = emulator_parameters(self.0, &raw mut sizes);
            core::slice::from_raw_parts(sizes, count as usize)
        }
    }

    /// Runs it.
    ///
    /// # Safety
    /// The pointers are to values of the parameters' types.
    pub(crate) unsafe fn launch(
        &self,
        (blocks, threads, dynamic_shared): ([u32; 3], u32, usize),
        arguments: &mut [*mut c_void],
        options: Options,
        statistics: &mut Statistics,
    ) -> Result<(), Failure> {
        let arguments = arguments.as_mut_ptr();
        let entry = self.0;
        let launch = RawLaunch { entry, blocks, threads, dynamic_shared, arguments, options };
        let mut failure = RawFailure { message: [0; 600], faulted: 0, fault: core::ptr::null() };
        // SAFETY: all three live until this returns; the arguments are as the caller says.
        let failed = unsafe { emulator_launch(&raw const launch, statistics, &raw mut failure) };
        if failed == 0 {
            return Ok(());
        }
        let fault = (failure.faulted != 0).then_some(failure.fault as u64);
        Err(Failure { message: text(&failure.message), fault })
    }
}
