import FeatureDefinitions
import FeatureModel
import PostgresClient

/// PostgreSQL has failed at a computation.
struct SourceFailure: Error {
    let error: PostgresError
    /// Of the statement that failed, beside the view's own.
    let conditions: [PostgresQuery]
}

extension Materializer {
    /// What a failure means to whoever wrote the SQL: which expression it is, and for which row.
    ///
    /// - Parameter connection: of the source login, with no transaction open.
    func explanation(of failure: SourceFailure, on connection: PostgresConnection) async -> LarderError {
        let plain = sql.failure(failure.error)
        guard failure.error.isAboutAValue else { return plain }
        let probe = ComputationProbe(sql, projectID: projectID, on: connection)
        guard let finding = await probe.find(among: failure.conditions) else {
            var unexplained = plain
            if unexplained.hint == nil { unexplained.hint = sql.suspicion }
            return unexplained
        }
        let place = finding.place.isEmpty ? "" : " (\(finding.place))"
        let reason = finding.error.messageWithoutValues
        return LarderError(
            .sourceQueryFailed,
            "\(finding.suspect.name) of \(sql.subject) failed: \(reason)\(place); nothing was written",
            hint: sql.hint(
                "write it so that it takes every row, such as with nullif or CASE, or leave such rows out with where:",
                changing: "either"))
    }
}

extension SourceSQL {
    /// How messages name what is computed: the view, and which generation where there are several.
    var subject: String {
        let view = "feature view \"\(view.name)\""
        return self.view.generations.count == 1 ? view : "generation \(generation.number) of \(view)"
    }

    /// The ways out where a row of the source cannot be taken.
    /// - Parameters:
    ///   - way: one that needs another generation; one that no definition describes any more does not have it.
    ///   - part: of the definition, which changes what is computed.
    func hint(_ way: String, changing part: String) -> String {
        var ways: [String] = []
        if isTable, !source.rowKey.isEmpty {
            ways.append("ingest a row with the same \(source.rowKey.joined(separator: ", ")), which replaces it")
        }
        guard generation.number == view.newestGeneration.number else {
            ways.append(
                "no definition describes generation \(generation.number) any more: larder drop \(view.name) "
                    + "--generation \(generation.number), once nothing reads it")
            return ways.joined(separator: "; ")
        }
        ways.append(way)
        ways.append(
            "\(part) changes what is computed: say generation: \(view.nextGeneration) with it, and drop generation "
                + "\(generation.number) once larder switch has another one read: until then it goes on failing")
        return ways.joined(separator: "; ")
    }

    func failure(_ error: PostgresError) -> LarderError {
        LarderError(
            .sourceQueryFailed, "source \"\(source.name)\" of \(subject) failed: \(error.messageWithoutValues)",
            hint: error.hint ?? (error.sqlState?.isDataException == true ? nil : error.detail))
    }

    /// What may have failed where it could not be found out; nil where the view has no SQL of its own.
    fileprivate var suspicion: String? {
        let names = ComputationProbe.Suspect.all(of: self).map(\.name)
        guard !names.isEmpty else { return nil }
        let rest = names.count > 10 ? " and \(names.count - 10) more" : ""
        return "a row that one of these does not take is to blame: \(names.prefix(10).joined(separator: ", "))\(rest)"
    }
}

extension PostgresError {
    /// Whether PostgreSQL failed at the computation, and not for want of disk space or memory.
    var isAboutTheComputation: Bool { code == .server && obstacle != .resources }

    /// Whether a value may be to blame that the SQL came upon, and not the SQL as such or the server.
    var isAboutAValue: Bool {
        code == .server && ["21", "22", "38", "39", "P0"].contains(sqlState?.errorClass)
    }

    /// The message without values of rows, which data exceptions quote.
    var messageWithoutValues: String {
        guard sqlState?.isDataException == true else { return message }
        if let first = message.firstIndex(of: "\""), let last = message.lastIndex(of: "\""), first < last {
            return "\(message[...first])...\(message[last...])"
        }
        // Such as: date field value out of range: 2023-02-30
        return message.replacing(#/: -?\d.*$/#, with: ": ...")
    }
}
