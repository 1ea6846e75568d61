import FeatureDefinitions
public import FeatureModel

/// How much of what kept views from being computed is told; all of it is counted.
private enum ToldFailures {
    static let maximumViews = 10
    /// Of each view.
    static let maximumRows = 10
}

extension [MaterializeViews.ViewResult] {
    /// What kept views from being computed, as one error that names them and has the first ten failures behind it, each
    /// with its first rows; nil when nothing did.
    public var failure: LarderError? {
        let failures = compactMap(\.failure)
        guard let first = failures.first else { return nil }
        if failures.count == 1 { return first }
        let failed = filter { $0.failure != nil }.map(\.view).unique
        let all = map(\.view).unique
        let limit = ToldFailures.maximumViews
        let names = failed.prefix(limit).map { "\"\($0)\"" }.joined(separator: ", ")
        let rest = failed.count > limit ? " and \(failed.count - limit) more" : ""
        return LarderError(
            first.code,
            "\(failed.count) of \(all.count) feature views could not be computed: \(names)\(rest)"
                + (failed.count < all.count ? "; the others were" : ""),
            errors: failures.prefix(limit).map { failure in
                var failure = failure
                // What there is beyond is counted by the failure itself.
                failure.rows = [RowViolation](failure.rows.prefix(ToldFailures.maximumRows))
                return failure
            })
    }
}

extension LarderError {
    /// Whether the next view may well succeed.
    var concernsOneView: Bool {
        switch code {
        case .rowsRejected, .duplicateSourceRows, .sourceQueryFailed, .expressionInvalid, .materializationConflict,
            .limitExceeded:
            true
        default: false
        }
    }

    /// The failure of a view with the view's name in its message, which that of a table or a lock does not know.
    func naming(_ home: ViewHome) -> LarderError {
        let view = "feature view \"\(home.view.name)\""
        guard !message.contains(view) else { return self }
        let isOnly = home.view.generations.count == 1
        return LarderError(
            code, "\(isOnly ? view : "generation \(home.generation.number) of \(view)"): \(message)", hint: hint,
            location: location, errors: errors, rows: rows, violationCount: violationCount)
    }
}

extension [String] {
    /// Each once, in the order of first mention.
    fileprivate var unique: [String] {
        var known: Set<String> = []
        return filter { known.insert($0).inserted }
    }
}
