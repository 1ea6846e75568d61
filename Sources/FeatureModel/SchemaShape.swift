/// What the rules of compatibility look at: the shape of one schema version, of a view or of a source.
public struct SchemaShape: Sendable, Hashable {
    /// One part of what identifies a row.
    public struct Key: Sendable, Hashable {
        public let name: String
        /// Its type, or its role and type.
        public let text: String

        public init(name: String, text: String) {
            self.name = name
            self.text = text
        }
    }

    public let version: Int32
    /// Ordered by name, as UTF-8 bytes. They are compared as a whole: any difference is a changed key.
    public let keys: [Key]
    /// Ordered by id; the order of a definition means nothing to the rules.
    public let fields: [FeatureSchema]

    public init(version: Int32, keys: [Key], fields: [FeatureSchema]) {
        self.version = version
        self.keys = keys.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        self.fields = fields.sorted { $0.id < $1.id }
    }

    /// The field with that id, by binary search.
    public func field(id: Int32) -> FeatureSchema? {
        var range = fields.startIndex..<fields.endIndex
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            let field = fields[middle]
            if field.id == id { return field }
            range = field.id < id ? middle + 1..<range.upperBound : range.lowerBound..<middle
        }
        return nil
    }
}

extension ViewSchema {
    /// Keys by the type they are stored in: int32 and int64 keys of the same value are the same entity.
    public var shape: SchemaShape {
        SchemaShape(
            version: version,
            keys: joinKeys.map { SchemaShape.Key(name: $0.name, text: $0.storedType.description) }, fields: features)
    }
}
