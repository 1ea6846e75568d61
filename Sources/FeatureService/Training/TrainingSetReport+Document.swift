import FeatureModel
public import TextFormats

extension TrainingSetReport {
    /// As JSON, without the names of files.
    public var document: JSONValue {
        var members: [JSONValue.Member] = [
            .init("rows", .integer(rowCount)), .init("columns", .array(columns.map { .string($0) })),
            .init("views", .array(views.map(\.document))),
        ]
        if let saved {
            members += [
                .init("name", .string(saved.name)), .init("as_of", .string(saved.asOf.description)),
                .init("content_sha256", .string(saved.contentHash)),
            ]
        }
        return .object(members)
    }
}

extension TrainingSetReport.View {
    var document: JSONValue {
        .object([
            .init("view", .string(name)), .init("found", .integer(found)), .init("not_found", .integer(notFound)),
            .init("outside_max_age", outsideMaxAge.map { .integer($0) } ?? .null),
            .init("invalid_key", .integer(invalidKey)),
        ])
    }
}
