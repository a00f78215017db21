//! What a GPU has to pass before it is used: small models beside the CPU.

use longseq::engine::cuda::check::compare;
use longseq_cuda::Cuda;
use longseq_cuda_emulator::{Emulator, Options, faults};
use longseq_tests::device::{self, is_skipped};

#[test]
fn the_kernels_pass() {
    compare(device::cuda(Options::default())).unwrap_or_else(|error| panic!("{error}"));
}

/// One of each mixer's kernels, of those whose order does not matter.
#[test]
fn faults_are_reported() {
    if is_skipped("planted faults", false) {
        return;
    }
    for name in [
        "a query sees one key more than it may",
        "a window of one key more",
        "a warp's last keys are left out",
        "a token sees the next",
        "a tile's last warp is left out",
        "half of the keys are left out of a sum",
        "the inputs before a run are those of a token earlier",
        "the second stream has the proportions of the first",
    ] {
        let fault = faults().find(|fault| fault.name == name).expect("a fault of that name");
        let emulator = Emulator::new(Options::default()).with_fault(fault);
        let error = compare(Cuda::new(emulator)).expect_err(name).to_string();
        println!("{name}: {error}");
        assert!(
            error.starts_with("error: this GPU does not compute what the CPU does: the logits of")
        );
        assert!(error.contains("\nhelp: please report it") && error.contains("--backend cpu"));
    }
}
