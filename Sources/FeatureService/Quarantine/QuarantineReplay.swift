import FeatureModel
import OfflineStore
import PostgresClient
import TextFormats

/// Judges quarantined rows again, page by page in the order they came, within the caller's transaction.
struct QuarantineReplay<Writer: RowWriter> {
    /// What rows of a version look like.
    struct Version {
        let number: Int32
        let fields: [Field]
    }

    private var writer: Writer
    private let versions: [Version]
    private let connection: PostgresConnection
    private var result: Quarantine.Replay

    /// - Parameter versions: all that the target ever had.
    init(writer: Writer, versions: [Version], connection: PostgresConnection) {
        self.writer = writer
        self.versions = versions
        self.connection = connection
        result = Quarantine.Replay(schemaVersion: writer.schemaVersion)
    }

    mutating func run(actor: String) async throws -> Quarantine.Replay {
        let target = writer.ledgerTarget
        var last: Int64 = 0
        var passed: Int64 = 0
        while true {
            let page = try await QuarantineTable.lockPage(of: target, after: last, on: connection)
            guard let end = page.last?.id else { break }
            last = end
            var bad: [Int64: [RowViolation]] = [:]
            for rows in page.runs { try await judge(rows, bad: &bad) }
            try await writer.endCopy()
            let good = page.map(\.id).filter { bad[$0] == nil }
            passed += Int64(good.count)
            try await QuarantineTable.delete(good, of: target, on: connection)
            try await keep(page, bad)
        }
        // A replay that writes nothing is no write.
        guard passed > 0 else { return result }
        let rows = try await writer.finish(actor: actor, idempotencyKey: nil)
        result.rowsWritten = rows.written
        result.rowsReplaced = rows.replaced
        result.rowsOutdated = rows.outdated
        result.writeID = writer.writeID
        return result
    }

    private mutating func keep(_ page: [QuarantinedRow], _ bad: [Int64: [RowViolation]]) async throws {
        var kept: [(id: Int64, codes: [String], reasons: String)] = []
        for row in page {
            guard let violations = bad[row.id] else { continue }
            let reasons = String(decoding: QuarantineReasons.encode(violations), as: UTF8.self)
            kept.append((row.id, violations.map(\.code), reasons))
            for violation in violations { result.reasons[violation.code, default: 0] += 1 }
            result.violations += violations.prefix(RowViolation.maximumReported - result.violations.count)
        }
        result.rowsKept += Int64(kept.count)
        try await QuarantineTable.update(kept, judgedVersion: writer.schemaVersion, on: connection)
    }

    /// Judges rows that can be read as one input, and writes those that pass.
    private mutating func judge(_ rows: ArraySlice<QuarantinedRow>, bad: inout [Int64: [RowViolation]]) async throws {
        guard let first = rows.first else { return }
        let input = Self.input(rows)
        var options = writer.readOptions(
            RowReadChoices(nullSpelling: first.nullSpelling, mayBeMissing: mayBeMissing(since: first.schemaVersion)))
        // An integer that came as Arrow is made no float that is another number, although the same text might be.
        if first.format == .json { options.longIntegers = .refused }
        var reader = try FrameReader(format: first.format == .csv ? .csv : .ndjson, options: options)
        if let fault = try Self.misfit(of: input.bytes, &reader) {
            // The header does not fit the version, so that none of its rows does.
            for row in rows { bad[row.id] = fault.errors.map { RowViolation($0, at: row) } }
            return
        }
        while let read = try reader.next() {
            var verdict = RowVerdict(writer.target)
            try await writer.write(read, mode: .partial, verdict: &verdict)
            for found in verdict.badRows {
                let place = read.firstRow - 1 + found.index
                let row = rows[rows.startIndex + place]
                bad[row.id] = found.violations.map { $0.moved(to: row, from: input.lines[place]) }
            }
        }
    }

    /// Reads a whole input.
    /// - Returns: why its header does not fit the version, as the `errors` of one; nil when it does.
    private static func misfit(of bytes: [UInt8], _ reader: inout FrameReader) throws(LarderError) -> LarderError? {
        do throws(LarderError) {
            try reader.feed(bytes)
            try reader.finish()
            return nil
        } catch {
            guard [.columnMissing, .columnUnknown].contains(error.code) else { throw error }
            return error.errors.isEmpty ? LarderError(error.code, error.message, errors: [error]) : error
        }
    }

    /// Rows as one input again, with the line that each then starts on.
    private static func input(_ rows: ArraySlice<QuarantinedRow>) -> (bytes: [UInt8], lines: [Int]) {
        let lineFeed = UInt8(ascii: "\n")
        var bytes: [UInt8] = []
        var lines: [Int] = []
        var line = 1
        func append(_ record: [UInt8]) {
            bytes.append(contentsOf: record)
            bytes.append(lineFeed)
            line += 1 + record.count { $0 == lineFeed }
        }
        if let header = rows.first?.header { append(header) }
        for row in rows {
            lines.append(line)
            append(row.record)
        }
        return (bytes, lines)
    }

    /// Nullable fields that a version did not have: its headers may lack them.
    private func mayBeMissing(since number: Int32) -> Set<String> {
        guard let old = versions.first(where: { $0.number == number }),
            let new = versions.first(where: { $0.number == writer.schemaVersion })
        else { return [] }
        let known = Set(old.fields.map(\.name))
        return Set(new.fields.filter { $0.isNullable && !known.contains($0.name) }.map(\.name))
    }
}

extension [QuarantinedRow] {
    /// Neighbours that can be read as one input.
    fileprivate var runs: [ArraySlice<QuarantinedRow>] {
        var runs: [ArraySlice<QuarantinedRow>] = []
        var start = 0
        for index in indices where index > start && !self[index].isRead(like: self[start]) {
            runs.append(self[start..<index])
            start = index
        }
        if start < count { runs.append(self[start...]) }
        return runs
    }
}

extension QuarantinedRow {
    fileprivate func isRead(like other: QuarantinedRow) -> Bool {
        format == other.format && schemaVersion == other.schemaVersion && nullSpelling == other.nullSpelling
            && header == other.header
    }
}

extension RowViolation {
    /// A misfit of the header as a reason of one of its rows.
    fileprivate init(_ error: LarderError, at row: QuarantinedRow) {
        self.init(
            row: Int(row.number), line: row.line.map(Int.init), feature: nil, code: error.code.name,
            message: error.message)
    }

    /// The reason as the input the row came in would show it.
    /// - Parameter line: where the row starts in the input that was read now.
    fileprivate func moved(to origin: QuarantinedRow, from line: Int) -> RowViolation {
        RowViolation(
            row: Int(origin.number), line: origin.line.map(Int.init), feature: feature, code: code,
            message: message.movingPlace { found in origin.line.map { Int($0) + found - line } })
    }
}
