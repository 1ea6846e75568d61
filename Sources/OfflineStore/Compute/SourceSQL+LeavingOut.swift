import FeatureDefinitions
import FeatureModel

extension SourceSQL {
    /// How the view leaves out rows of which a condition does not hold.
    /// - Parameter condition: with the source's name before its columns, none of which is taken for a word of SQL then, such
    ///   as user.
    func wayToLeaveOut(unless condition: String) -> String {
        generation.filter == nil
            ? "leave such rows out with where: \(condition)"
            : "leave such rows out: put where: in parentheses and add AND \(condition)"
    }

    /// How the view leaves out rows whose keys are too long.
    var wayOutOfLongKeys: String {
        let keys = generation.joinKeys.filter { [ValueType.string, .bytes].contains($0.storedType) }
        let length = keys.map { "octet_length(\(source.name).\($0.name))" }.joined(separator: " + ")
        return wayToLeaveOut(unless: "\(length) <= \(RowChecker.maximumKeyBytes)")
    }
}
