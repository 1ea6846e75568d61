public import FeatureModel
public import Jobs
import TextFormats

extension JobFailure {
    /// The failure as the job had it, as far as it is kept.
    /// - Parameter job: what the message begins with, such as `job 12`.
    public func error(of job: String) -> LarderError {
        let stored = reasons.flatMap { try? JSONValue.parse(Array($0.utf8)) }
        return LarderError(
            .stored(code), "\(job) failed: \(message)", hint: hint, errors: LarderError.all(in: stored),
            rows: RowViolation.all(in: stored), violationCount: violationCount.map { Int($0) })
    }
}

extension ErrorCode {
    /// - Parameter name: of a code of this version of the program or another.
    fileprivate static func stored(_ name: String) -> ErrorCode {
        all.first { $0.name == name } ?? .internalError
    }
}

extension LarderError {
    /// The failures among stored reasons.
    fileprivate static func all(in reasons: JSONValue?) -> [LarderError] {
        elements(of: reasons).compactMap { reason in
            guard let code = reason.text("code"), let message = reason.text("detail") else { return nil }
            let own = reason["errors"]
            return LarderError(
                .stored(code), message, hint: reason.text("hint"), errors: all(in: own),
                rows: RowViolation.all(in: own), violationCount: reason.integer("violation_count"))
        }
    }
}

extension RowViolation {
    /// The rows among stored reasons.
    fileprivate static func all(in reasons: JSONValue?) -> [RowViolation] {
        elements(of: reasons).compactMap { reason in
            guard let row = reason.integer("row"), let code = reason.text("code"), let message = reason.text("message")
            else { return nil }
            return RowViolation(
                row: row, line: reason.integer("line"), feature: reason.text("feature"), code: code, message: message)
        }
    }
}

private func elements(of value: JSONValue?) -> [JSONValue] {
    guard case .array(let elements) = value else { return [] }
    return elements
}

extension JSONValue {
    fileprivate func text(_ name: String) -> String? {
        guard case .string(let text) = self[name] else { return nil }
        return text
    }

    fileprivate func integer(_ name: String) -> Int? {
        guard case .number(let digits) = self[name] else { return nil }
        return Int(digits)
    }
}
