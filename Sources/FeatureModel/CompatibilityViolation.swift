/// One reason why one version of a schema cannot read rows of another.
public struct CompatibilityViolation: Sendable, Hashable {
    /// What the change did, in the order in which violations of one field are told.
    public enum Rule: String, Sendable, Hashable, CaseIterable {
        /// The keys differ, so that rows of the one belong to nothing the other knows.
        case keys
        /// A field the older version lacks is neither nullable nor has a default.
        case added
        /// A field the newer version lacks is neither nullable nor has a default in the older one.
        case removed
        /// The writer's type is neither the reader's nor widened to it without loss.
        case type
        /// The writer may store nulls, the reader has no place for them.
        case nullability
        /// A row of a version without the field would read as two different values.
        case defaultValue = "default"
    }

    public enum Direction: String, Sendable, Hashable, CaseIterable {
        /// The new version reads rows of the old one.
        case backward
        /// The old version reads rows of the new one.
        case forward
    }

    public let rule: Rule
    public let direction: Direction
    /// `keys`; `features.temp` of a field that was added or removed; `features.temp.type`, `.nullable` or `.default`.
    /// The name is that of the newer version, or of the older one where the newer lacks the field. The first word is
    /// `columns` for a source.
    public let path: String
    /// The existing version that was compared with.
    public let older: Int32
    /// The version that was judged.
    public let newer: Int32
    /// A sentence without its period that names the field and says what could not be read, or would be read wrongly.
    public let message: String

    public init(rule: Rule, direction: Direction, path: String, older: Int32, newer: Int32, message: String) {
        self.rule = rule
        self.direction = direction
        self.path = path
        self.older = older
        self.newer = newer
        self.message = message
    }
}
