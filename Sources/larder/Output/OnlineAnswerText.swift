import FeatureModel
import FeatureService
import TextFormats

/// An answer to an online request: for people, a table for each entity; for programs, in the shape of the HTTP API.
struct OnlineAnswerText {
    let response: OnlineResponse
    let now: Timestamp

    var table: String {
        (0..<response.entityCount).map { entity in
            let keys = response.keys.map { "\($0.name)=\(Self.plain($0.values[entity]))".printable }
            let heading = keys.isEmpty ? "" : keys.joined(separator: ", ") + "\n"
            return heading + features(of: entity)
        }.joined(separator: "\n\n")
    }

    private func features(of entity: Int) -> String {
        var table = TextTable([
            .text("feature"), .text("value"), .text("status"), .text("event time"), .text("age"),
        ])
        for feature in response.features {
            let time = feature.eventTimes[entity]
            let isStatic = time.map { !$0.isFinite } ?? false
            table.append([
                feature.name, Self.value(feature.values, entity), feature.statuses[entity].rawValue,
                isStatic ? "static" : time?.description ?? "", isStatic ? "" : time.map(age) ?? "",
            ])
        }
        return table.text
    }

    /// What helps against values that are too old.
    var hint: String? {
        let count = response.features.reduce(0) { $0 + $1.statuses.count { $0 == .outsideMaxAge } }
        guard count > 0 else { return nil }
        let values = count == 1 ? "a value is" : "\(count) values are"
        return "\(values) older than the ttl of its view; --clock-fixed TIME answers as of a time at which it was not"
    }

    /// In the largest unit that says something, and the next: `3d 4h`.
    private func age(_ time: Timestamp) -> String {
        let (micros, overflow) = now.microsecondsSince1970.subtractingReportingOverflow(time.microsecondsSince1970)
        if overflow { return "" }
        let seconds = (micros.magnitude + 500_000) / 1_000_000
        let parts = [
            (seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s"),
        ]
        let shown = parts.drop { $0.0 == 0 }.prefix(2).filter { $0.0 > 0 }
        let text = shown.isEmpty ? "0s" : shown.map { "\($0.0)\($0.1)" }.joined(separator: " ")
        return micros < 0 ? "in \(text)" : text
    }

    private static func value(_ column: Column, _ row: Int) -> String {
        switch column[row] {
        case .null: ""
        case .string(let text): text
        default: json(column, row)
        }
    }

    private static func json(_ column: Column, _ row: Int) -> String {
        var bytes: [UInt8] = []
        JSONText.write(column, row: row, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func plain(_ value: JSONValue) -> String {
        if case .string(let text) = value { text } else { "" }
    }

    // MARK: For programs

    var document: JSONValue {
        get throws {
            let names = response.keys.map(\.name) + response.features.map(\.name)
            var results: [JSONValue] = []
            for key in response.keys {
                // On a command line every value is text: what it was read as says more.
                let column = response.keyColumns.first { $0.name == key.name }?.column
                results.append(
                    Self.result(
                        values: try column.map { try Self.values($0) } ?? key.values,
                        statuses: key.values.map { _ in .present }, times: key.values.map { _ in nil }))
            }
            for feature in response.features {
                results.append(
                    Self.result(
                        values: try Self.values(feature.values), statuses: feature.statuses,
                        times: feature.eventTimes))
            }
            return .object([
                .init("metadata", .object([.init("feature_names", .array(names.map { .string($0) }))])),
                .init("results", .array(results)),
            ])
        }
    }

    private static func values(_ column: Column) throws -> [JSONValue] {
        try (0..<column.count).map { row in
            try JSONValue.parse(Array(json(column, row).utf8), code: .internalError)
        }
    }

    private static func result(
        values: [JSONValue], statuses: [FeatureStatus], times: [Timestamp?]
    ) -> JSONValue {
        .object([
            .init("values", .array(values)), .init("statuses", .array(statuses.map { .string($0.rawValue) })),
            .init(
                "event_timestamps",
                .array(times.map { time in time.flatMap { $0.isFinite ? .string($0.description) : nil } ?? .null })),
        ])
    }
}
