import FeatureDefinitions
import FeatureModel

/// What becomes of the columns of a data frame in one of the feature views that it is written into.
struct FeastColumns {
    enum Place {
        case field(Field)
        /// Not written into this view. With a sentence for the writer where no other view takes the values either.
        case leftOut(warning: String?)
    }

    /// What Feast's remote online store calls the two times of a row, whatever they are called in the source.
    private static let eventTimeColumn = "event_timestamp"
    private static let createdColumn = "created"

    private let push: PushTarget
    private let fields: [Field]
    private let namesElsewhere: Set<String>
    private let sentNames: Set<String>

    /// - Parameters:
    ///   - sentNames: of all columns of the data frame.
    ///   - targets: all that the data frame is written into.
    init(_ sentNames: [String], for push: PushTarget, among targets: [PushTarget]) {
        self.push = push
        self.sentNames = Set(sentNames)
        fields = Self.fields(of: push)
        let others = targets.filter { $0.home.view.id != push.home.view.id }
        namesElsewhere = Set(others.flatMap { Self.fields(of: $0).map(\.name) })
    }

    private static func fields(of push: PushTarget) -> [Field] {
        let keys = push.home.generation.joinKeys.map { Field(name: $0.name, type: $0.type) }
        let times = [push.source.timestampColumn, push.source.createdTimestampColumn].compactMap { name in
            name.map { Field(name: $0, type: .timestamp) }
        }
        let features = push.version.features.map { Field(name: $0.name, type: $0.type) }
        return keys + times + features + [Field(name: RawRowShape.deletedColumn, type: .bool)]
    }

    /// - Throws: `column_unknown` for the former name of a feature, and for a column that neither the views nor their
    ///   source have.
    func place(of name: String) throws(LarderError) -> Place {
        if let field = fields.first(where: { $0.name == name }) { return .field(field) }
        switch name {
        case Self.eventTimeColumn: return time(push.source.timestampColumn)
        case Self.createdColumn: return time(push.source.createdTimestampColumn)
        default: break
        }
        let isTakenElsewhere = namesElsewhere.contains(name)
        if let feature = push.version.features.first(where: { $0.aliases.contains(name) }),
            // Where another view has a feature of that name, it may be meant alone.
            !isTakenElsewhere || (isAlias(name, of: feature) && !sentNames.contains(feature.name))
        {
            throw LarderError(
                .columnUnknown,
                "version \(push.version.version) of feature view \"\(push.home.view.name)\" has no field \"\(name)\": "
                    + "the feature is called \"\(feature.name)\" now", hint: "send the column as \"\(feature.name)\"")
        }
        if isTakenElsewhere { return .leftOut(warning: nil) }
        guard push.source.versions.last?.column(named: name) != nil else { throw unknown(name) }
        return .leftOut(
            warning: "column \"\(name)\" of source \"\(push.source.name)\" is no field of feature view "
                + "\"\(push.home.view.name)\": its values were left out")
    }

    /// A time under Feast's name for it, which clients send whether the source has such a time or not.
    private func time(_ column: String?) -> Place {
        column.map { Place.field(Field(name: $0, type: .timestamp)) } ?? .leftOut(warning: nil)
    }

    /// Whether a version that is not retired has the feature under that name.
    private func isAlias(_ name: String, of feature: RegisteredFeature) -> Bool {
        push.home.view.versions.contains { $0.state != .retired && $0.feature(id: feature.id)?.name == name }
    }

    private func unknown(_ name: String) -> LarderError {
        let known = fields.map(\.name)
        return LarderError(
            .columnUnknown,
            "neither feature view \"\(push.home.view.name)\" nor its source has a column \"\(name.prefix(63))\"",
            hint: NameRule.nearest(to: name, in: known).map { "did you mean \"\($0)\"?" }
                ?? "the view's fields: \(known.joined(separator: ", "))")
    }
}
