//! The statistics of the timing test: medians, and whether two samples differ (Mann-Whitney).

/// The median of a sample that is sorted; 0 of none.
pub fn median(sorted: &[u64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted {
        [] => 0.0,
        _ if sorted.len() % 2 == 1 => sorted[middle] as f64,
        _ => (sorted[middle - 1] as f64 + sorted[middle] as f64) / 2.0,
    }
}

/// The two-sided p-value of the Mann-Whitney U test on two sorted samples, by the normal approximation with a correction
/// for ties. Good from some twenty values on.
pub fn mann_whitney(one: &[u64], other: &[u64]) -> f64 {
    let (m, n) = (one.len() as f64, other.len() as f64);
    if one.is_empty() || other.is_empty() {
        return 1.0;
    }
    let Ranks { sum_of_one, ties } = ranks(one, other);
    let u = sum_of_one - m * (m + 1.0) / 2.0;
    let all = m + n;
    let variance = m * n / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    let distance = ((u - m * n / 2.0).abs() - 0.5).max(0.0);
    erfc(distance / variance.sqrt() / std::f64::consts::SQRT_2)
}

struct Ranks {
    /// Sum of the ranks of the first sample in both together.
    sum_of_one: f64,
    /// Sum of `t^3 - t` over groups of `t` equal values.
    ties: f64,
}

fn ranks(one: &[u64], other: &[u64]) -> Ranks {
    let mut found = Ranks {
        sum_of_one: 0.0,
        ties: 0.0,
    };
    let (mut at_one, mut at_other) = (0, 0);
    while at_one < one.len() || at_other < other.len() {
        let next = [one.get(at_one), other.get(at_other)];
        let value = next.into_iter().flatten().min().copied().unwrap_or(0);
        let equal = |rest: &[u64]| rest.iter().take_while(|each| **each == value).count();
        let (in_one, in_other) = (equal(&one[at_one..]), equal(&other[at_other..]));
        let group = (in_one + in_other) as f64;
        let before = (at_one + at_other) as f64;
        found.sum_of_one += in_one as f64 * (before + (group + 1.0) / 2.0);
        found.ties += group * group * group - group;
        at_one += in_one;
        at_other += in_other;
    }
    found
}

/// The complementary error function for `x >= 0`, to 2e-7 of its value (Numerical Recipes section 6.2).
fn erfc(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 10] = [
        0.170_872_77,
        -0.822_152_23,
        1.488_515_87,
        -1.135_203_98,
        0.278_868_07,
        -0.186_288_06,
        0.096_784_18,
        0.374_091_96,
        1.000_023_68,
        -1.265_512_23,
    ];
    let t = 1.0 / (1.0 + x / 2.0);
    let sum = COEFFICIENTS.iter().fold(0.0, |sum, each| sum * t + each);
    t * (sum - x * x).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert_eq!(median(&[1, 2, 4]), 2.0);
        assert_eq!(median(&[1, 2, 4, 9]), 3.0);
        assert!((erfc(1.0) - 0.157_299_207).abs() < 1e-6);
        assert!((erfc(0.0) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn equal_samples_do_not_differ_and_shifted_ones_do() {
        let sample: Vec<u64> = (0..1000).map(|n| n * 7919 % 1000).collect();
        let sorted = |shift: u64| {
            let mut all: Vec<u64> = sample.iter().map(|n| n + shift).collect();
            all.sort_unstable();
            all
        };
        assert!(mann_whitney(&sorted(0), &sorted(0)) > 0.99);
        assert!(mann_whitney(&sorted(0), &sorted(100)) < 1e-9);
        // By hand: U = 2.5 of 9, one tie of two.
        let p = mann_whitney(&[1, 2, 3], &[3, 4, 5]);
        assert!(p > 0.1 && p < 0.2, "{p}");
    }
}
