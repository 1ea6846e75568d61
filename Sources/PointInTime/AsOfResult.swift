public import FeatureModel

/// What the join chose for every row of the spine.
public struct AsOfResult: Sendable {
    /// The features of the distinct chosen rows.
    public internal(set) var winners: [Column]
    /// The schema version that each of the distinct chosen rows was written under.
    public private(set) var winnerSchemaVersions: [Int32] = []
    /// For each spine row its row in `winners`; -1 unless the status is `found`.
    public private(set) var winnerOfRow: [Int32]
    /// One for each spine row.
    public private(set) var statusOfRow: [AsOfStatus]
    /// Event time of the chosen row, in microseconds since 1970; has a meaning only where the status is `found` or
    /// `outsideMaxAge`.
    public private(set) var eventTimeOfRow: [Int64]

    public var rowCount: Int { winnerOfRow.count }

    /// Nothing found yet.
    public init(spine: SpineIndex, featureTypes: [ValueType]) {
        winners = featureTypes.map(Column.init(type:))
        winnerOfRow = [Int32](repeating: -1, count: spine.rowCount)
        statusOfRow = [AsOfStatus](repeating: .notFound, count: spine.rowCount)
        eventTimeOfRow = [Int64](repeating: Timestamp.negativeInfinity.microsecondsSince1970, count: spine.rowCount)
        for row in spine.invalidRows { statusOfRow[Int(row)] = .invalidKey }
    }

    /// Takes over what was chosen for some keys of the spine.
    public mutating func add(_ part: consuming AsOfPart, of spine: SpineIndex) {
        let offset = Int32(winnerSchemaVersions.count)
        if offset == 0 {
            winners = part.winners
        } else {
            for index in winners.indices { winners[index].append(contentsOf: part.winners[index]) }
        }
        winnerSchemaVersions.append(contentsOf: part.winnerSchemaVersions)
        let first = part.positions.lowerBound
        for position in part.positions {
            let row = Int(spine.sortedRows[position])
            let winner = part.winnerOfPosition[position - first]
            winnerOfRow[row] = winner < 0 ? -1 : winner + offset
            statusOfRow[row] = part.statusOfPosition[position - first]
            eventTimeOfRow[row] = part.eventTimeOfPosition[position - first]
        }
    }

    /// The feature at `index` in spine order, null where no row was found.
    public func column(_ index: Int) -> Column {
        winners[index].gathered(at: winnerOfRow)
    }

    /// The status of one feature of one spine row. `defaulted` is not told here: it depends on what the winner's schema
    /// version (`winnerSchemaVersions`) lacks.
    public func status(feature index: Int, row: Int) -> FeatureStatus {
        switch statusOfRow[row] {
        case .found: winners[index].isNull(Int(winnerOfRow[row])) ? .nullValue : .present
        case .notFound: .notFound
        case .outsideMaxAge: .outsideMaxAge
        case .invalidKey: .invalidKey
        }
    }
}
