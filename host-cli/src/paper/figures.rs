//! The published figures, in percent, as the paper prints them.
//!
//! `huang2025.json` holds tables 1 to 4 and 7 to 19. What the paper prints and what follows from
//! its other figures are not always the same: six figures of tables 2 and 3 are not the means they
//! should be. Both can be asked for here.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use crate::error::{Error, Result};

/// Half of the last decimal: as far as a figure may be from what it was rounded from.
pub const ROUNDING: f64 = 0.005;

/// Rows by the system's short name.
type Rows<const COLUMNS: usize> = BTreeMap<String, Option<[f64; COLUMNS]>>;

/// The figures of all tables.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Where they were published.
    pub source: String,
    /// What they are.
    pub unit: String,
    /// Lengths of tables 1 and 7 to 19, in tokens.
    pub lengths: [usize; 5],
    /// Depths of tables 2 and 3, in percent.
    pub depths: [u8; 7],
    table_1: Rows<6>,
    table_2: Rows<8>,
    table_3: Rows<8>,
    table_4_depths: [u8; 3],
    table_4: BTreeMap<String, BTreeMap<String, BTreeMap<usize, [f64; 3]>>>,
    tables_7_to_19: BTreeMap<String, Rows<6>>,
}

/// Which of the two tables of means by depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepthTable {
    /// Table 2: at the training length.
    AtTrainingLength,
    /// Table 3: at twice the training length.
    AtTwiceThat,
}

/// A figure, and what it should be where that is known and differs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    /// As printed.
    pub printed: f64,
    /// As recomputed from the paper's other figures, where the printed one is not its rounding.
    pub recomputed: Option<f64>,
}

static FIGURES: LazyLock<serde_json::Result<Figures>> =
    LazyLock::new(|| serde_json::from_str(include_str!("huang2025.json")));

/// The figures; an error only in a program built from a damaged file.
pub fn figures() -> Result<&'static Figures> {
    FIGURES.as_ref().map_err(|source| {
        Error::new(format!("this program's copy of the paper's figures is damaged: {source}"))
            .help("build it again from unchanged sources")
    })
}

impl DepthTable {
    /// Both.
    pub const ALL: [Self; 2] = [Self::AtTrainingLength, Self::AtTwiceThat];

    /// The paper's number of the table.
    pub fn number(self) -> usize {
        match self {
            Self::AtTrainingLength => 2,
            Self::AtTwiceThat => 3,
        }
    }
}

impl Published {
    fn new(printed: f64, mean: Option<f64>) -> Self {
        // Twice the rounding: the mean is one of rounded figures itself.
        let differs = |mean: &f64| (mean - printed).abs() > 2.0 * ROUNDING;
        Self { printed, recomputed: mean.filter(differs) }
    }
}

impl Figures {
    /// Tables 7 to 19: a task at a length.
    pub fn task(&self, system: &str, task: &str, length: usize) -> Option<f64> {
        Some(row(self.tables_7_to_19.get(task)?, system)?[self.column(length)?])
    }

    /// Table 1: the mean over the 13 tasks at a length.
    pub fn mean(&self, system: &str, length: usize) -> Option<f64> {
        Some(row(&self.table_1, system)?[self.column(length)?])
    }

    /// Table 1: the mean over the 13 tasks and all lengths.
    pub fn average(&self, system: &str) -> Option<f64> {
        let [.., average] = row(&self.table_1, system)?;
        Some(average)
    }

    /// Tables 2 and 3: the mean over the three formats at a depth, whose parts may be in table 4 if
    /// `length` is that of the table.
    pub fn at_depth(
        &self,
        table: DepthTable,
        system: &str,
        depth: u8,
        length: usize,
    ) -> Option<Published> {
        let column = self.depths.iter().position(|&of| of == depth)?;
        let printed = row(self.depth_table(table), system)?[column];
        Some(Published::new(printed, self.mean_of_formats(system, length, depth)))
    }

    /// Tables 2 and 3: the average over the depths.
    pub fn depth_average(&self, table: DepthTable, system: &str) -> Option<Published> {
        let [depths @ .., printed] = row(self.depth_table(table), system)?;
        Some(Published::new(printed, Some(depths.iter().sum::<f64>() / depths.len() as f64)))
    }

    /// Table 4: a format at a length and a depth.
    pub fn format(&self, system: &str, format: &str, length: usize, depth: u8) -> Option<f64> {
        let column = self.table_4_depths.iter().position(|&of| of == depth)?;
        Some(self.table_4.get(format)?.get(system)?.get(&length)?[column])
    }

    /// The formats of table 4: `niah_essay_numbers`, ….
    pub fn formats(&self) -> impl ExactSizeIterator<Item = &str> {
        self.table_4.keys().map(String::as_str)
    }

    fn mean_of_formats(&self, system: &str, length: usize, depth: u8) -> Option<f64> {
        let figures = self.formats().map(|format| self.format(system, format, length, depth));
        let figures: Vec<f64> = figures.collect::<Option<_>>()?;
        Some(figures.iter().sum::<f64>() / figures.len() as f64)
    }

    fn depth_table(&self, table: DepthTable) -> &Rows<8> {
        match table {
            DepthTable::AtTrainingLength => &self.table_2,
            DepthTable::AtTwiceThat => &self.table_3,
        }
    }

    fn column(&self, length: usize) -> Option<usize> {
        self.lengths.iter().position(|&of| of == length)
    }
}

fn row<const COLUMNS: usize>(rows: &Rows<COLUMNS>, system: &str) -> Option<[f64; COLUMNS]> {
    *rows.get(system)?
}

#[cfg(test)]
mod tests {
    use longseq_core::ruler::task::{DEPTH_TASKS, TASKS};

    use super::{super::systems::SYSTEMS, *};

    #[test]
    fn every_system_task_and_format_is_there() {
        let figures = figures().unwrap();
        assert_eq!(figures.tables_7_to_19.len(), TASKS.len());
        for system in SYSTEMS.map(|system| system.name) {
            for task in TASKS {
                assert!(figures.tables_7_to_19[task.name].contains_key(system), "{}", task.name);
            }
            let tables = [&figures.table_2, &figures.table_3];
            assert!(figures.table_1.contains_key(system));
            assert!(tables.iter().all(|table| table.contains_key(system)), "{system}");
        }
        for format in figures.formats() {
            assert!(DEPTH_TASKS.iter().any(|task| task.name == format!("{format}_50")));
            assert_eq!(figures.table_4[format].len(), 3);
        }
    }

    #[test]
    fn table_1_is_the_mean_of_tables_7_to_19() {
        let figures = figures().unwrap();
        let mut whole = 0;
        for system in SYSTEMS.map(|system| system.name) {
            for length in figures.lengths {
                let tasks = TASKS.iter().map(|task| figures.task(system, task.name, length));
                let Some(tasks) = tasks.collect::<Option<Vec<f64>>>() else {
                    assert_eq!(system, "SL-IT", "only its rows of vt and fwe are not readable");
                    continue;
                };
                let mean = tasks.iter().sum::<f64>() / tasks.len() as f64;
                let printed = figures.mean(system, length).unwrap();
                assert!((mean - printed).abs() <= ROUNDING, "{system} {length}: {mean} {printed}");
                whole += 1;
            }
        }
        assert_eq!(whole, 7 * 5);
    }

    #[test]
    fn rows_of_tables_1_and_7_to_19_end_with_their_mean() {
        let figures = figures().unwrap();
        let tables = figures.tables_7_to_19.values().chain([&figures.table_1]);
        for (system, row) in tables.flatten() {
            let Some([lengths @ .., average]) = row else { continue };
            let mean = lengths.iter().sum::<f64>() / lengths.len() as f64;
            assert!((mean - average).abs() <= 2.0 * ROUNDING, "{system}: {mean} {average}");
        }
    }

    /// The paper's slips, found by recomputing every mean of tables 2 and 3.
    #[test]
    fn six_figures_of_tables_2_and_3_are_not_the_means_they_should_be() {
        let figures = figures().unwrap();
        let mut slips = Vec::new();
        let mut note = |what: String, published: Option<Published>| {
            let Published { printed, recomputed } = published.unwrap();
            slips.extend(recomputed.map(|mean| format!("{what}: {printed} {mean:.2}")));
        };
        for table in DepthTable::ALL {
            for system in SYSTEMS {
                let (number, name) = (table.number(), system.name);
                let length = system.depth_lengths.tokens[number - 2];
                for depth in figures.depths {
                    let published = figures.at_depth(table, name, depth, length);
                    note(format!("{number} {name} {depth}"), published);
                }
                note(format!("{number} {name}"), figures.depth_average(table, name));
            }
        }
        assert_eq!(
            slips,
            [
                "2 Mamba2: 42.63 42.86",
                "2 M2A 100: 37.2 44.53",
                "2 M2A: 35.26 34.00",
                "2 TPP: 35.64 36.86",
                "3 Mamba2: 21.03 20.57",
                "3 M2A: 27.07 30.17",
            ]
        );
    }
}
