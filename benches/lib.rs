//! What benchmarks share.

pub mod roof;

/// Median, least and most.
pub fn order(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [values[values.len() / 2], values[0], values[values.len() - 1]]
}
