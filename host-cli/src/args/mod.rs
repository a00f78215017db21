//! What was typed, and nothing resolved: one file a subcommand.

// These comments are what `--help` prints: `<task>` is a placeholder there, not HTML.
#![allow(rustdoc::invalid_html_tags)]

pub mod corpora;
pub mod devices;
pub mod generate;
pub mod inspect;
pub mod logits;
pub mod probe;
pub mod report;
pub mod run;
pub mod score;
pub mod show;
pub mod study;

use clap::{Parser, Subcommand};

/// How well does a long-sequence model use a long sequence?
#[derive(Debug, Parser)]
#[command(name = "longseq", version, about, propagate_version = true)]
pub struct Args {
    /// The subcommand.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Gets the corpora that RULER uses
    Corpora(corpora::CorporaArgs),
    /// Shows what this machine has to compute with, and what is missing for a GPU
    Devices(devices::DevicesArgs),
    /// Writes RULER's prompts, byte for byte as its scripts do
    Generate(Box<generate::GenerateArgs>),
    /// Shows what a checkpoint is and how much memory a sequence takes, or a prompt as the model reads it
    Inspect(Box<inspect::InspectArgs>),
    /// Writes a model's logits, for anyone to compare with another program's
    Logits(logits::LogitsArgs),
    /// Shows how much of a needle a model still has within reach when it answers, layer by layer
    Probe(Box<probe::ProbeArgs>),
    /// Shows what runs found, as tables and as data
    ///
    /// Tables in the shape of the paper's: tasks by length with their mean, runs side by side, and
    /// needles by depth where depth tasks were run. Each score has the 95 % interval of its mean;
    /// cells that are not complete say how many samples they hold, and failed samples are counted
    /// apart, never as zeros. Needs nothing but the folders of the runs.
    Report(report::ReportArgs),
    /// Runs a model on RULER's prompts
    ///
    /// Makes the prompts, checks that each fits, lets the model answer them and writes every answer
    /// to disk as soon as it is there. The same command again goes on where the run stopped.
    Run(Box<run::RunArgs>),
    /// Scores prediction files as RULER's evaluate.py does
    ///
    /// Writes summary.csv (summary-<task>.csv for a single task) and submission.csv into the
    /// folder, byte for byte as RULER's evaluate.py, and prints the summary. Predictions are never
    /// changed: chunk files <task>-<k>.jsonl are read together, not merged and deleted.
    Score(score::ScoreArgs),
    /// Shows one sample of a run: prompt, needles, answer, references
    ///
    /// Both ends of the prompt as it was read, where the references stand in it (by token, and in
    /// percent of the prompt), what the model wrote, and which references it found. Needs nothing but
    /// the folder of the run.
    Show(show::ShowArgs),
    /// Repeats the study of Huang (2025) with small models that are built in, and writes a report
    ///
    /// Five models of about a million parameters, trained alike, answer RULER's tasks at half to eight times
    /// their training length and find needles at several depths. The report shows scores against length,
    /// tests the paper's claims on them, and shows where each sample was lost. Your own checkpoints can
    /// stand beside them.
    Study(study::StudyArgs),
}
