//! Driver, GPUs, NVRTC and cuBLASLt, each by itself: what is there is shown also where something else is missing.

use indicatif::HumanBytes;
use longseq_cuda::{
    driver::{
        compile::Compiler,
        device::{self, Device},
        gemm,
        libraries::{Found, Library},
    },
    error::{GpuError, Version},
};
use serde_json::{Value, json};

use super::Fact;

/// All four, in the order in which they are needed.
pub fn facts() -> Vec<Fact> {
    let known =
        [("driver", driver()), ("gpu", gpus()), ("nvrtc", nvrtc()), ("cublaslt", cublas_lt())];
    let without_driver = known[0].1.as_ref().err();
    let facts = known.iter().map(|(name, known)| match known {
        Ok((text, json)) => Fact { name, text: text.clone(), help: None, json: json.clone() },
        Err(missing) => {
            let (what, help) = (missing.to_string(), missing.help());
            let json = json!({"error": what, "help": help});
            // The driver's line has said it.
            if *name == "gpu" && Some(missing) == without_driver {
                return Fact { name, text: "none without a driver".to_owned(), help: None, json };
            }
            Fact { name, text: what, help: Some(help), json }
        }
    });
    facts.collect()
}

/// As text and as data.
type Known = Result<(String, Value), GpuError>;

fn found(version: &str, found: &Found) -> (String, Value) {
    let json = json!({"version": version, "path": found.path, "found": found.place.to_string()});
    (format!("{version}, {found}"), json)
}

fn driver() -> Known {
    let version = Version(device::driver_version()?).to_string();
    Ok(found(&version, Library::Driver.load()?))
}

fn gpus() -> Known {
    let gpus: Vec<_> = device::devices()?.iter().map(gpu).collect();
    let (text, json): (Vec<_>, Vec<_>) = gpus.into_iter().unzip();
    Ok((text.join("\n"), json.into()))
}

fn gpu(device: &Device) -> (String, Value) {
    let Device { ordinal, name, capability: (major, minor), multiprocessors, memory, .. } = device;
    let free = device.open().and_then(|opened| opened.free_memory()).ok();
    let too_old = device.check().err();
    let memory_text = match free {
        Some(free) => format!("{} of {} free", HumanBytes(free), HumanBytes(*memory)),
        None => HumanBytes(*memory).to_string(),
    };
    let too_old_text = too_old.as_ref().map(|error| format!("\n{error}\nhelp: {}", error.help()));
    let text = format!(
        "{ordinal}: {name}, compute capability {major}.{minor}, {multiprocessors} multiprocessors, \
         {memory_text}{}",
        too_old_text.unwrap_or_default()
    );
    let json = json!({
        "number": ordinal, "name": name, "compute_capability": format!("{major}.{minor}"),
        "multiprocessors": multiprocessors, "shared_memory_of_a_block": device.shared_memory,
        "memory": memory, "free_memory": free,
        "error": too_old.as_ref().map(ToString::to_string),
        "help": too_old.as_ref().map(GpuError::help),
    });
    (text, json)
}

fn nvrtc() -> Known {
    let compiler = Compiler::new()?;
    // Only compiling shows whether its built-in functions are there.
    compiler.check()?;
    let (major, minor) = compiler.version();
    Ok(found(&format!("{major}.{minor}"), compiler.found()))
}

fn cublas_lt() -> Known {
    let (version, place) = gemm::version()?;
    Ok(found(&version, place))
}
