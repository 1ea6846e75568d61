public import FeatureModel
public import TextFormats

/// What Feast's server takes at `/push` and `/write-to-online-store`.
public struct FeastWriteRequest: Sendable {
    enum Target: Sendable {
        case pushSource(String)
        case featureView(String)
    }

    let target: Target
    let frame: FeastDataFrame
    let destination: WriteDestination

    /// Members that say how Feast's server goes about it, and change nothing here.
    private static let ignoredMembers = ["allow_registry_cache", "transform_on_write"]
    private static let destinations: [(name: String, destination: WriteDestination)] = [
        ("online", .online), ("offline", .offline), ("online_and_offline", .both),
    ]
    private static let pushExample =
        #"{"push_source_name": "NAME", "df": {"KEY": [1], "event_timestamp": ["2026-01-01 00:00"], "FEATURE": [2]}}"#
    private static let writeExample =
        #"{"feature_view_name": "NAME", "df": {"KEY": [1], "event_timestamp": ["2026-01-01 00:00"], "FEATURE": [2]}}"#

    /// Reads `{"push_source_name": ..., "df": {...}, "to": "online"}`.
    /// - Throws: `request_invalid` naming the member; `too_many_rows`.
    public init(push json: JSONValue, maximumRows: Int) throws(LarderError) {
        let request = try RequestMembers(
            json, known: ["push_source_name", "df", "to"] + Self.ignoredMembers, example: Self.pushExample)
        target = .pushSource(try request.requiredString("push_source_name"))
        frame = try FeastDataFrame(request["df"], maximumRows: maximumRows)
        let name = try request.string("to") ?? "online"
        guard let found = Self.destinations.first(where: { $0.name == name }) else {
            throw LarderError(
                .requestInvalid, "rows cannot be pushed to \"\(name.prefix(63))\"",
                hint: "\"to\" is one of \(Self.destinations.map(\.name).joined(separator: ", "))")
        }
        destination = found.destination
    }

    /// Reads `{"feature_view_name": ..., "df": {...}}`.
    /// - Throws: `request_invalid` naming the member; `too_many_rows`.
    public init(writeToOnlineStore json: JSONValue, maximumRows: Int) throws(LarderError) {
        let request = try RequestMembers(
            json, known: ["feature_view_name", "df"] + Self.ignoredMembers, example: Self.writeExample)
        target = .featureView(try request.requiredString("feature_view_name"))
        frame = try FeastDataFrame(request["df"], maximumRows: maximumRows)
        destination = .online
    }
}

/// What a push of Feast's did, view by view.
public struct FeastWriteReport: Sendable {
    struct Write: Sendable {
        let view: String
        let report: ViewWriteReport

        var document: JSONValue {
            let name = JSONValue.Member("feature_view", .string(view))
            guard case .object(let members) = report.document else { return .object([name]) }
            return .object([name] + members)
        }
    }

    let writes: [Write]

    /// Whether rows are written and not published yet.
    public var isPending: Bool { writes.contains { $0.report.online.isPending } }

    /// `{"feature_views": [{"feature_view": NAME, ...}]}`, each with what a write of rows into it says.
    public var document: JSONValue {
        .object([.init("feature_views", .array(writes.map(\.document)))])
    }
}
