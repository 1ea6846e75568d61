public import FeatureModel

// The world as the join takes it.

extension RandomWorld {
    /// The spine's keys as columns of `spineKeyTypes`.
    public func spineKeyColumns() -> [Column] {
        spineKeyTypes.indices.map { index in
            var column = Column(type: spineKeyTypes[index])
            for keys in spineKeys {
                switch (keys[index], spineKeyTypes[index]) {
                case (.int64(let value), .int32): column.append(int32: Int32(truncatingIfNeeded: value))
                case (.int32(let value), .int64): column.append(int64: Int64(value))
                case (let value, _): column.append(value)
                }
            }
            return column
        }
    }

    /// The history in key order and the one order, cut at random places; some batches are empty.
    public func historyBatches() -> [HistoryBatch] {
        var random = SplitMix64(seed: ~seed)
        let rows = history.sorted(by: Self.precedes)
        let cutsBetweenAllRows = random.chance(10)
        var batches: [HistoryBatch] = []
        var start = 0
        for end in 0...rows.count where end == rows.count || cutsBetweenAllRows || random.chance(15) {
            batches.append(batch(rows[start..<end]))
            if random.chance(10) { batches.append(batch([])) }
            start = end
        }
        return batches
    }

    private func batch(_ rows: ArraySlice<OracleRow>) -> HistoryBatch {
        HistoryBatch(
            keyColumns: joinKeys.indices.map { index in column(joinKeys[index].type, rows.map { $0.keys[index] }) },
            eventTimes: rows.map(\.eventTime), recordedTimes: rows.map(\.recordedTime),
            sequences: rows.map(\.sequence), schemaVersions: rows.map(\.schemaVersion), arrivals: rows.map(\.arrival),
            tombstones: rows.map(\.isTombstone),
            features: featureTypes.indices.map { index in column(featureTypes[index], rows.map { $0.features[index] }) }
        )
    }

    private func column(_ type: ValueType, _ values: [Value]) -> Column {
        var column = Column(type: type)
        for value in values { column.append(value) }
        return column
    }

    /// By the typed keys, as a database sorts them, then by the one order.
    private static func precedes(_ left: OracleRow, _ right: OracleRow) -> Bool {
        for (mine, theirs) in zip(left.keys, right.keys) where mine != theirs { return precedes(mine, theirs) }
        return (left.eventTime, left.recordedTime, left.sequence, left.schemaVersion)
            < (right.eventTime, right.recordedTime, right.sequence, right.schemaVersion)
    }

    private static func precedes(_ left: Value, _ right: Value) -> Bool {
        switch (left, right) {
        case (.bool(let left), .bool(let right)): !left && right
        case (.int32(let left), .int32(let right)): left < right
        case (.int64(let left), .int64(let right)): left < right
        case (.date(let left), .date(let right)): left < right
        case (.string(let left), .string(let right)): left.utf8.lexicographicallyPrecedes(right.utf8)
        case (.bytes(let left), .bytes(let right)): left.lexicographicallyPrecedes(right)
        default: false
        }
    }
}
