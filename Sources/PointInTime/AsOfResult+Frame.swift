public import FeatureModel

extension AsOfResult {
    /// The feature at `index` for some rows of the spine, null where no row was found.
    public func column(_ index: Int, _ rows: Range<Int>) -> Column {
        winners[index].gathered(at: Array(winnerOfRow[rows]))
    }

    /// Gives the chosen rows that were written under one of `versions` another value of a feature: its default, where
    /// those versions lack it.
    public mutating func replaceWinners(ofFeature index: Int, writtenUnder versions: Set<Int32>, by value: Value) {
        guard winnerSchemaVersions.contains(where: versions.contains) else { return }
        let old = winners[index]
        var replaced = Column(type: old.type)
        replaced.reserveCapacity(old.count)
        for (row, version) in winnerSchemaVersions.enumerated() {
            if !versions.contains(version) || !replaced.append(value) { replaced.append(from: old, row: row) }
        }
        winners[index] = replaced
    }
}
