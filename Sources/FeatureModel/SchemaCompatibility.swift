/// What may change between schema versions.
///
/// Everything is made of one question: can a version read rows that another one wrote? Fields meet by id, so that a
/// rename is no change.
public enum SchemaCompatibility {
    /// All violations of `new` against the existing versions that the mode names: the latest one, or all.
    ///
    /// They are ordered by the existing version; then keys before fields, fields by id, rules as `Rule` lists them, and
    /// backward before forward.
    ///
    /// - Parameters:
    ///   - existing: ascending by version, none of them retired.
    ///   - noun: what the fields are called in paths and, without its s, in messages: `features` or `columns`.
    /// - Returns: nothing where the mode is `none`.
    public static func violations(
        of new: SchemaShape, against existing: [SchemaShape], mode: Compatibility, noun: String = "features"
    ) -> [CompatibilityViolation] {
        var directions: [CompatibilityViolation.Direction] = []
        if mode.asksBackward { directions.append(.backward) }
        if mode.asksForward { directions.append(.forward) }
        guard !directions.isEmpty else { return [] }
        return existing.suffix(mode.isTransitive ? existing.count : 1).flatMap { older in
            SchemaComparison(newer: new, older: older, noun: noun).violations(directions)
        }
    }

    /// Why a reader's field cannot be read off rows of a writer's version; nil when it can.
    ///
    /// A field the writer has too must be of the reader's type or widened to it without loss (int32 to int64, float32
    /// to float64), must not be nullable where the reader's is not, and must have the same default, or else rows of a
    /// third version without the field would read differently under the two. A field the writer lacks must be nullable
    /// or have a default; if it is not, the answer is `added`, whichever version is the older.
    ///
    /// - Returns: the first of several reasons in the order of `Rule`; never `keys` or `removed`.
    public static func obstacle(
        reading field: FeatureSchema, from writer: SchemaShape
    ) -> CompatibilityViolation.Rule? {
        obstacles(reading: field, from: writer.field(id: field.id)).first
    }

    /// Whether every field of a reader's version can be read off rows of a writer's version, and their keys agree.
    public static func canRead(_ reader: SchemaShape, rowsOf writer: SchemaShape) -> Bool {
        reader.keys == writer.keys && reader.fields.allSatisfy { obstacle(reading: $0, from: writer) == nil }
    }

    /// - Parameter stored: the field of the same id in the writer's version; nil where it lacks it.
    static func obstacles(
        reading field: FeatureSchema, from stored: FeatureSchema?
    ) -> [CompatibilityViolation.Rule] {
        guard let stored else {
            return field.isNullable || field.fill != .null ? [] : [.added]
        }
        var rules: [CompatibilityViolation.Rule] = []
        if stored.type != field.type, !stored.type.isWidened(to: field.type) { rules.append(.type) }
        if stored.isNullable, !field.isNullable { rules.append(.nullability) }
        if !field.fillsInLike(stored) { rules.append(.defaultValue) }
        return rules
    }
}

extension FeatureSchema {
    /// What stands in where a row does not have the field.
    var fill: Value { defaultValue ?? .null }

    /// `fill` as a version reads it in which the field is of `type`.
    func fill(as type: ValueType) -> Value {
        switch (fill, type) {
        case (.int32(let value), .scalar(.int64)): .int64(Int64(value))
        case (.float32(let value), .scalar(.float64)): .float64(Double(value))
        case (let value, _): value
        }
    }

    /// Whether a row without the field reads the same under both. Values of types that cannot be compared count as
    /// the same: the type is what is wrong then.
    fileprivate func fillsInLike(_ other: FeatureSchema) -> Bool {
        if fill.isNull || other.fill.isNull { return fill == other.fill }
        if type == other.type || type.isWidened(to: other.type) || other.type.isWidened(to: type) {
            return fill(as: other.type) == other.fill(as: type)
        }
        return true
    }
}

extension ValueType {
    /// Whether stored values of this type are read as `wider` without loss. Elements of arrays are not widened.
    public func isWidened(to wider: ValueType) -> Bool {
        switch (self, wider) {
        case (.scalar(.int32), .scalar(.int64)), (.scalar(.float32), .scalar(.float64)): true
        default: false
        }
    }
}
