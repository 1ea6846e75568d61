public import FeatureModel
import OfflineStore
import OnlineStore
public import TextFormats

extension MaterializeViews.Request {
    private static let members = ["feature_views", "start", "end", "full", "only"]
    private static let example =
        #"{"feature_views": ["NAME"], "start": "2013-01-01T00:00:00Z", "end": "2013-02-01T00:00:00Z"}"#

    /// Reads `{"feature_views": [...], "start": TIME, "end": TIME, "full": BOOL, "only": "offline" or "online"}`, of
    /// which every member may be left out.
    ///
    /// - Throws: `request_invalid` naming the member.
    public init(json: JSONValue) throws(LarderError) {
        let request = try RequestMembers(json, known: Self.members, example: Self.example)
        let bounds = EventTimeBounds(start: try Self.time("start", request), end: try Self.time("end", request))
        if let start = bounds.start, let end = bounds.end, start > end {
            throw LarderError(.requestInvalid, "\"start\" is later than \"end\"")
        }
        self.init(
            views: try request.strings("feature_views"), bounds: bounds, isFull: try request.flag("full"),
            stages: try Self.stages(request))
    }

    private static func time(_ name: String, _ request: RequestMembers) throws(LarderError) -> Timestamp? {
        guard let text = try request.string(name) else { return nil }
        if let time = Timestamp(text) { return time }
        throw LarderError(
            .requestInvalid, "\"\(name)\" is \"\(text.prefix(63))\", which is no time with an offset",
            hint: "write 2013-01-01T00:00:00Z")
    }

    private static func stages(_ request: RequestMembers) throws(LarderError) -> Set<MaterializationStage> {
        guard let name = try request.string("only") else { return [.offline, .online] }
        if let stage = MaterializationStage(rawValue: name) { return [stage] }
        throw LarderError(
            .requestInvalid, "a materialization has no half \"\(name.prefix(63))\"",
            hint: "\"only\" is offline, which computes, or online, which publishes")
    }

    /// As `init(json:)` reads it, without what it would take for granted.
    public var document: JSONValue {
        var members: [JSONValue.Member] = []
        if !views.isEmpty { members.append(.init("feature_views", .array(views.map(JSONValue.string)))) }
        if let start = bounds.start { members.append(.init("start", .string(start.description))) }
        if let end = bounds.end { members.append(.init("end", .string(end.description))) }
        if isFull { members.append(.init("full", .bool(true))) }
        if stages.count == 1, let stage = stages.first { members.append(.init("only", .string(stage.rawValue))) }
        return .object(members)
    }
}

extension MaterializeViews.ViewResult {
    /// The result as JSON, the same over HTTP and from the command line. A half that was not done is left out.
    public var document: JSONValue {
        var members: [JSONValue.Member] = [
            .init("view", .string(view)), .init("generation", .integer(generation)),
        ]
        if let offline {
            members.append(
                .init(
                    "offline",
                    .object([
                        .init("rows_read", .integer(offline.rowsRead)),
                        .init("rows_written", .integer(offline.rowsWritten)),
                        .init("rows_withdrawn", .integer(offline.rowsWithdrawn)),
                        .init("rows_skipped", .integer(offline.rowsSkipped)),
                    ])))
        }
        if let online {
            members.append(
                .init(
                    "online",
                    .object([.init("written", .integer(online.written)), .init("kept", .integer(online.kept))])))
        }
        return .object(members)
    }
}
