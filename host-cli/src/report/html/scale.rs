//! From numbers to places, and the numbers that stand at an axis.

/// Lengths in tokens along a horizontal axis, evenly by their logarithm.
#[derive(Clone, Debug)]
pub struct LengthScale {
    lengths: Vec<usize>,
    left: f64,
    right: f64,
}

impl LengthScale {
    /// Of ascending `lengths`.
    pub fn new(lengths: Vec<usize>, left: f64, right: f64) -> Self {
        Self { lengths, left, right }
    }

    /// The lengths.
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// The place of a length; the middle where there is but one.
    pub fn place(&self, length: usize) -> f64 {
        let log = |length: usize| (length.max(1) as f64).log2();
        match (self.lengths.first(), self.lengths.last()) {
            (Some(&first), Some(&last)) if first < last => {
                let share = (log(length) - log(first)) / (log(last) - log(first));
                self.left + share * (self.right - self.left)
            }
            _ => f64::midpoint(self.left, self.right),
        }
    }
}

/// Values from 0 up along a vertical axis.
#[derive(Clone, Debug)]
pub struct ValueScale {
    /// The values that the axis shows, ascending from 0; the last is its end.
    pub ticks: Vec<f64>,
    top: f64,
    bottom: f64,
}

impl ValueScale {
    /// Percent.
    pub fn percent(top: f64, bottom: f64) -> Self {
        Self { ticks: vec![0.0, 25.0, 50.0, 75.0, 100.0], top, bottom }
    }

    /// From 0 to at least `most`, in steps of 1, 2 or 5 times a power of ten (P. Heckbert, *Nice
    /// numbers for graph labels*, 1990).
    pub fn up_to(most: f64, top: f64, bottom: f64) -> Self {
        let rough = if most > 0.0 && most.is_finite() { most / 4.0 } else { 0.25 };
        let power = 10_f64.powf(rough.log10().floor());
        let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| rough <= factor * power);
        let step = factor.unwrap_or(10.0) * power;
        let count = (most / step).ceil().clamp(1.0, 10.0) as usize;
        Self { ticks: (0..=count).map(|i| i as f64 * step).collect(), top, bottom }
    }

    /// The place of a value.
    pub fn place(&self, value: f64) -> f64 {
        let end = self.ticks.last().copied().unwrap_or(1.0);
        self.bottom - (value / end).clamp(0.0, 1.0) * (self.bottom - self.top)
    }
}

/// `512`, `1K`, `16K`: whole multiples of 1,024 by their number.
pub fn short_length(length: usize) -> String {
    if length >= 1024 && length.is_multiple_of(1024) {
        format!("{}K", length / 1024)
    } else {
        length.to_string()
    }
}

/// `0`, `250`, `40 k`, `1.5 M`: a value with its decimal prefix.
pub fn short_value(value: f64) -> String {
    let (scaled, prefix) = match value {
        value if value >= 1e9 => (value / 1e9, " G"),
        value if value >= 1e6 => (value / 1e6, " M"),
        value if value >= 1e3 => (value / 1e3, " k"),
        value => (value, ""),
    };
    let text = if scaled >= 100.0 { format!("{scaled:.0}") } else { format!("{scaled:.1}") };
    format!("{}{prefix}", text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_most() {
        for (most, ticks) in [
            (100.0, vec![0.0, 50.0, 100.0]),
            (7.0, vec![0.0, 2.0, 4.0, 6.0, 8.0]),
            (0.0, vec![0.0, 0.5]),
        ] {
            assert_eq!(ValueScale::up_to(most, 0.0, 1.0).ticks, ticks, "{most}");
        }
    }

    #[test]
    fn doubled_lengths_are_evenly_spaced() {
        let scale = LengthScale::new(vec![256, 512, 1024], 0.0, 100.0);
        assert_eq!([256, 512, 1024].map(|length| scale.place(length)), [0.0, 50.0, 100.0]);
        assert_eq!(LengthScale::new(vec![512], 0.0, 100.0).place(512), 50.0);
    }

    #[test]
    fn values_are_short() {
        let shown = [0.0, 250.0, 1500.0, 40e3, 12.34e6].map(short_value);
        assert_eq!(shown, ["0", "250", "1.5 k", "40 k", "12.3 M"]);
        assert_eq!([512, 1024, 1536, 16384].map(short_length), ["512", "1K", "1536", "16K"]);
    }
}
