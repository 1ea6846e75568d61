public import FeatureModel

/// What was chosen for some neighbouring keys of a spine: one entry for each of their rows, in the order of
/// `SpineIndex.sortedRows`.
///
/// Parts of one spine are made independently, and put together by `AsOfResult`.
public struct AsOfPart: Sendable {
    /// Which of `SpineIndex.sortedRows` this is about.
    public let positions: Range<Int>
    /// The features of the distinct chosen rows.
    public internal(set) var winners: [Column]
    /// The schema version that each of the distinct chosen rows was written under.
    public internal(set) var winnerSchemaVersions: [Int32] = []
    /// -1 unless the status is `found`.
    private(set) var winnerOfPosition: [Int32]
    private(set) var statusOfPosition: [AsOfStatus]
    /// Microseconds since 1970; has a meaning only where the status is `found` or `outsideMaxAge`.
    private(set) var eventTimeOfPosition: [Int64]

    init(positions: Range<Int>, featureTypes: [ValueType]) {
        self.positions = positions
        winners = featureTypes.map(Column.init(type:))
        winnerOfPosition = [Int32](repeating: -1, count: positions.count)
        statusOfPosition = [AsOfStatus](repeating: .notFound, count: positions.count)
        eventTimeOfPosition = [Int64](
            repeating: Timestamp.negativeInfinity.microsecondsSince1970, count: positions.count)
    }

    mutating func addWinner(schemaVersion: Int32) -> Int32 {
        winnerSchemaVersions.append(schemaVersion)
        return Int32(winnerSchemaVersions.count - 1)
    }

    mutating func set(_ position: Int, _ status: AsOfStatus, eventTime: Int64, winner: Int32) {
        let index = position - positions.lowerBound
        statusOfPosition[index] = status
        eventTimeOfPosition[index] = eventTime
        winnerOfPosition[index] = winner
    }
}
