//! ONNX Runtime: the library is loaded once a process, from `ORT_DYLIB_PATH`.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::ep::CPU;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use crate::error::ModelError;
use crate::manifest::Manifest;

/// Names the library file; read when the first ONNX model is loaded.
const LIBRARY: &str = "ORT_DYLIB_PATH";

/// The process's one environment. A failure is not kept: after the library has been put in place the next call succeeds.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

fn environment() -> Result<Environment, ModelError> {
    let mut slot = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = &*slot {
        return Ok(environment.clone());
    }
    let unusable = |reason: String| ModelError::Runtime { reason };
    let path = std::env::var_os(LIBRARY).ok_or_else(|| unusable(format!("{LIBRARY} is not set")))?;
    let path = Path::new(&path);
    if !path.is_file() {
        return Err(unusable(format!("{LIBRARY}={} is no file", path.display())));
    }
    let environment = ort::init_from(path)
        .map_err(|error| unusable(format!("{LIBRARY}={}: {error}", path.display())))?
        .with_name("heimdex")
        .with_telemetry(false)
        .build()
        .map_err(|error| unusable(format!("{LIBRARY}={}: {error}", path.display())))?;
    *slot = Some(environment.clone());
    Ok(environment)
}

/// What a graph is given from run to run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inputs {
    /// Always the same size, a few at a time: what one run has needed serves the next.
    Alike,
    /// Of many sizes up to a bound. An arena keeps what the largest one took; a plan of memory for each size would be kept as well, and is not made.
    Bounded,
    /// Pictures and sentences of any size. An arena would keep what the largest one took, for each graph and as long as the process lives.
    OfAnySize,
}

/// Opens an ONNX graph on the CPU with `threads` threads of its own.
pub(crate) fn session(manifest: &Manifest, path: &Path, threads: usize, inputs: Inputs) -> Result<Session, ModelError> {
    let environment = environment()?;
    let build = || -> Result<Session, String> {
        let text = |error: ort::Error| error.to_string();
        let builder = Session::builder(&environment).map_err(text)?;
        let builder = builder.with_intra_threads(threads.max(1)).map_err(|error| error.to_string())?;
        let builder = builder.with_inter_threads(1).map_err(|error| error.to_string())?;
        // Threads that spin between runs take the cores from the worker's other stages.
        let builder = builder.with_intra_op_spinning(false).map_err(|error| error.to_string())?;
        let builder =
            builder.with_optimization_level(GraphOptimizationLevel::All).map_err(|error| error.to_string())?;
        let builder = builder.with_memory_pattern(inputs == Inputs::Alike).map_err(|error| error.to_string())?;
        let cpu = CPU::default().with_arena_allocator(inputs != Inputs::OfAnySize).build().error_on_failure();
        let mut builder = builder.with_execution_providers([cpu]).map_err(|error| error.to_string())?;
        builder.commit_from_file(path).map_err(text)
    };
    build().map_err(|reason| ModelError::Mismatch {
        id: manifest.id.clone(),
        path: path.to_owned(),
        expected: "an ONNX graph".to_owned(),
        found: reason,
    })
}

/// The graph must have these inputs and outputs by name; others are an error too, since nobody would feed them.
pub(crate) fn expect_names(
    manifest: &Manifest,
    path: &Path,
    session: &Session,
    inputs: &[&str],
    outputs: &[&str],
) -> Result<(), ModelError> {
    let found_inputs: Vec<&str> = session.inputs().iter().map(|outlet| outlet.name()).collect();
    let found_outputs: Vec<&str> = session.outputs().iter().map(|outlet| outlet.name()).collect();
    let same = found_inputs.len() == inputs.len()
        && inputs.iter().all(|name| found_inputs.contains(name))
        && outputs.iter().all(|name| found_outputs.contains(name));
    if same {
        return Ok(());
    }
    Err(ModelError::Mismatch {
        id: manifest.id.clone(),
        path: path.to_owned(),
        expected: format!("inputs {inputs:?} and outputs {outputs:?}"),
        found: format!("inputs {found_inputs:?} and outputs {found_outputs:?}"),
    })
}

/// The names of the graph's one input and one output, for graphs whose names are nobody's choice.
pub(crate) fn only_names(manifest: &Manifest, path: &Path, session: &Session) -> Result<(String, String), ModelError> {
    let inputs: Vec<&str> = session.inputs().iter().map(|outlet| outlet.name()).collect();
    let outputs: Vec<&str> = session.outputs().iter().map(|outlet| outlet.name()).collect();
    match (&inputs[..], &outputs[..]) {
        ([input], [output]) => Ok(((*input).to_owned(), (*output).to_owned())),
        _ => Err(ModelError::Mismatch {
            id: manifest.id.clone(),
            path: path.to_owned(),
            expected: "one input and one output".to_owned(),
            found: format!("inputs {inputs:?} and outputs {outputs:?}"),
        }),
    }
}
