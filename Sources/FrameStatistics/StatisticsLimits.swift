/// How much is kept of a column before exact answers give way to sketches. Tests take smaller ones, to reach the
/// sketches with few rows.
struct StatisticsLimits: Sendable {
    /// Values up to which quantiles are exact; a multiple of `quantileBuffer`. 8 bytes each.
    let exactQuantileValues: Int
    /// Values a level of the quantile sketch: 8 bytes each, and a level more each time the number of values doubles.
    let quantileBuffer: Int
    /// Distinct values that are counted one by one; at most 8,191.
    let trackedValues: Int
    /// Binary logarithm of the number of registers of `HyperLogLog`, a byte each.
    let hyperLogLogPrecision: Int

    /// With a thousand million values: 256 KiB (later 0.7 MiB) for quantiles, 130 KiB for tracked numbers (0.5 MiB for
    /// tracked strings, which have no quantiles) and 16 KiB of registers.
    static let standard = StatisticsLimits(
        exactQuantileValues: 32_768, quantileBuffer: 4_096, trackedValues: 6_144, hyperLogLogPrecision: 14)
}
