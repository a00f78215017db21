//! What can end the program.

use core::fmt;

use longseq_core::batch::BatchError;
use longseq_core::error::CapacityError;
use longseq_core::hybrid::ForwardError;
use longseq_core::hybrid::bind::BindError;
use longseq_core::hybrid::config::ConfigError;
use longseq_core::reference::ReferenceError;
use longseq_core::ruler::budget::GenerateError;
use longseq_core::state::StateError;

use crate::ops::OperationError;
use crate::tokenizer::TokenizeError;

macro_rules! failures {
    ($(#[$doc:meta] $name:ident($error:ty),)*) => {
        /// Why a command failed.
        #[derive(Clone, Debug)]
        pub enum Failure {
            /// The command is none.
            Usage,
            /// The output cannot be written.
            Write,
            /// The logits are not numbers.
            NotANumber,
            $(#[$doc] $name($error),)*
        }

        impl fmt::Display for Failure {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Usage => f.write_str(crate::command::USAGE),
                    Self::Write => f.write_str("the output cannot be written"),
                    Self::NotANumber => f.write_str("the logits are not numbers"),
                    $(Self::$name(error) => error.fmt(f),)*
                }
            }
        }

        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::$name(error)
            }
        })*
    };
}

failures! {
    /// An operation on fixed inputs.
    Operation(OperationError),
    /// The configuration.
    Config(ConfigError),
    /// The image lacks a tensor.
    Bind(BindError),
    /// The state.
    State(StateError),
    /// A buffer.
    Capacity(CapacityError),
    /// The batch.
    Batch(BatchError),
    /// The forward pass.
    Forward(ForwardError<ReferenceError>),
    /// The reference backend.
    Reference(ReferenceError),
    /// The generator.
    Generate(GenerateError),
    /// The tokenizer.
    Tokenize(TokenizeError),
}

impl core::error::Error for Failure {}

impl From<fmt::Error> for Failure {
    fn from(_: fmt::Error) -> Self {
        Self::Write
    }
}
