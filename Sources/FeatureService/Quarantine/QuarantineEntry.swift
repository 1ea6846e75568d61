public import FeatureModel
import OfflineStore
public import TextFormats

/// A quarantined row, as it came, with every reason.
public struct QuarantineEntry: Sendable {
    public let id: Int64
    /// The version that the write named.
    public let schemaVersion: Int32
    /// The version that the reasons are about: another one once the row was replayed.
    public let judgedVersion: Int32
    public let writeID: Int64
    public let receivedAt: Timestamp
    public let actor: String
    /// `csv`, `ndjson`, or `json` for a row that came as Arrow.
    public let format: String
    /// The header line of CSV, without its end.
    public let header: [UInt8]?
    /// The row as it came, without the end of its line.
    public let record: [UInt8]
    public let nullSpelling: String?
    /// Their rows and lines are those of the input that the row came in.
    public let violations: [RowViolation]
    /// Position in that input, from 1.
    public let row: Int64
    public let line: Int64?

    init(_ row: QuarantinedRow) throws(LarderError) {
        id = row.id
        schemaVersion = row.schemaVersion
        judgedVersion = row.judgedVersion
        writeID = row.writeID
        receivedAt = row.receivedAt
        actor = row.actor
        format = row.format.rawValue
        header = row.header
        record = row.record
        nullSpelling = row.nullSpelling
        self.row = row.number
        line = row.line
        violations = try QuarantineReasons.decode(row.reasons)
    }

    /// The row as JSON. What is UTF-8 is text, under `header` and `record`; what is not is base64, under `header_base64` and
    /// `record_base64`.
    public var document: JSONValue {
        var members: [JSONValue.Member] = [
            .init("id", .integer(id)), .init("schema_version", .integer(schemaVersion)),
            .init("judged_version", .integer(judgedVersion)), .init("write_id", .integer(writeID)),
            .init("received_at", .string(receivedAt.description)), .init("actor", .string(actor)),
            .init("row", .integer(row)),
        ]
        if let line { members.append(.init("line", .integer(line))) }
        members.append(.init("format", .string(format)))
        if let header { members.append(Self.member("header", header)) }
        members.append(Self.member("record", record))
        if let nullSpelling { members.append(.init("null", .string(nullSpelling))) }
        members.append(.init("violations", .array(violations.map(\.document))))
        return .object(members)
    }

    private static func member(_ name: String, _ bytes: [UInt8]) -> JSONValue.Member {
        if let text = String(validating: bytes, as: UTF8.self) { return .init(name, .string(text)) }
        var encoded: [UInt8] = []
        JSONText.write(.bytes(bytes), into: &encoded)
        // Base64 needs no escapes, so what stands between the quotes is the text.
        return .init("\(name)_base64", .string(String(decoding: encoded.dropFirst().dropLast(), as: UTF8.self)))
    }
}

/// The reasons of a quarantined row as the quarantine stores them: a JSON array of `{row, line, feature, code, message}`.
enum QuarantineReasons {
    static func encode(_ violations: [RowViolation]) -> [UInt8] {
        JSONValue.array(violations.map(\.document)).serialized()
    }

    static func decode(_ text: String) throws(LarderError) -> [RowViolation] {
        guard case .array(let reasons) = try JSONValue.parse(Array(text.utf8), code: .internalError) else {
            throw LarderError(.internalError, "the reasons of a quarantined row are no list")
        }
        return reasons.map { reason in
            RowViolation(
                row: reason.integer("row") ?? 0, line: reason.integer("line"), feature: reason.string("feature"),
                code: reason.string("code") ?? "", message: reason.string("message") ?? "")
        }
    }
}

extension JSONValue {
    fileprivate func string(_ name: String) -> String? {
        if case .string(let text) = self[name] { text } else { nil }
    }

    fileprivate func integer(_ name: String) -> Int? {
        if case .number(let digits) = self[name] { Int(digits) } else { nil }
    }
}
