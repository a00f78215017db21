//! Every planted fault is reported, and in the way it should be.

use longseq_cuda_emulator::{Emulator, EmulatorError, Fault, Options, faults, probes::PROBES};

use super::probes::{scan, tile_product};

/// How a fault showed: an error, or a wrong result.
fn reports(fault: &Fault) -> Vec<String> {
    let run = |options| -> Result<Option<String>, EmulatorError> {
        let mut emulator = Emulator::new(options).with_fault(fault);
        let (found, expected) = match fault.sources.0 {
            "probes/tiles.cu" => tile_product(&mut emulator, (37, 21, 72))?,
            _ => scan(&mut emulator, 256)?,
        };
        Ok((found != expected).then(|| "wrong".to_owned()))
    };
    let all =
        Options::all(1).map(|options| run(options).unwrap_or_else(|error| Some(error.to_string())));
    all.flatten().collect()
}

#[test]
fn every_fault_in_a_probe_is_reported() {
    let paths: Vec<&str> = PROBES.iter().map(|kernel| kernel.source.path).collect();
    let planted: Vec<&Fault> = faults().filter(|fault| paths.contains(&fault.sources.0)).collect();
    assert!(planted.len() >= 10);
    for fault in planted {
        assert!(!reports(fault).is_empty(), "{}", fault.name);
    }
}

/// The messages say what is wrong and where.
#[test]
fn errors_name_the_fault() {
    for (name, message) in [
        ("threads stand at different barriers", "divergent barriers: thread "),
        ("some lanes are missing from a shuffle", "deadlock: thread "),
        ("a shared array is read beyond its end", "bytes into an array of 128 in shared memory"),
        ("a shared array is written before its beginning", "beside an array was written to"),
        ("an access of eight bytes is not aligned", "an access is not aligned"),
        ("one row more than there is", "reaches at byte 5328 of a buffer of 5328"),
    ] {
        let fault = faults().find(|fault| fault.name == name).expect("the fault");
        let found = reports(fault);
        assert!(found.iter().any(|report| report.contains(message)), "{name}: {found:?}");
    }
}
