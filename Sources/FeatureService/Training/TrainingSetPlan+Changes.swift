import FeatureDefinitions
import FeatureModel

extension TrainingSetPlan {
    /// The join keys that all feature views have: only then their changes are rows of one frame.
    /// - Throws: `request_invalid` when the views are of different entities.
    func commonKeys() throws(LarderError) -> [JoinKey] {
        let first = selection.views[0]
        for view in selection.views where view.requestKeys != first.requestKeys {
            throw LarderError(
                .requestInvalid,
                "feature views \"\(first.outputName)\" and \"\(view.outputName)\" have different join keys, so that their "
                    + "changes do not make one frame",
                hint: "ask for the views of one entity, or bring a spine")
        }
        return first.requestKeys
    }

    /// The entities whose changes are wanted: a column for each of the common keys. Nil for all entities.
    /// - Parameter maximum: how many entities may be named.
    /// - Throws: `request_invalid`, `join_key_missing`, `join_key_type` or `too_many_entities`.
    func keyColumns(of entities: EntityKeys?, maximum: Int) throws(LarderError) -> [Column]? {
        let keys = try commonKeys()
        guard let entities else { return nil }
        return try entities.columns(of: keys, maximum: maximum)
    }
}
