import FeatureModel

/// Collects the mistakes of a tree, so that all of them can be told at once.
final class Diagnostics {
    private(set) var errors: [LarderError] = []

    func report(_ message: String, hint: String, at location: SourceLocation?) {
        errors.append(LarderError(.definitionInvalid, message, hint: hint, location: location))
    }

    func report(_ error: LarderError) {
        errors.append(error)
    }

    /// Ends the loading when there were mistakes: one error that carries each of them, in the order of the
    /// files, lines and columns.
    func throwIfAny() throws(LarderError) {
        guard !errors.isEmpty else { return }
        let sorted = errors.enumerated().sorted { left, right in
            let (a, b) = (left.element.location, right.element.location)
            return (a?.file ?? "", a?.line ?? 0, a?.column ?? 0, left.offset)
                < (b?.file ?? "", b?.line ?? 0, b?.column ?? 0, right.offset)
        }
        let reported = sorted.prefix(DefinitionLimits.maximumReportedMistakes).map(\.element)
        let mistakes = errors.count == 1 ? "a mistake" : "\(errors.count) mistakes"
        let isOnlySyntax = errors.allSatisfy { $0.code == .definitionSyntax }
        throw LarderError(
            isOnlySyntax ? .definitionSyntax : .definitionInvalid, "the definitions have \(mistakes)",
            errors: Array(reported))
    }
}

/// Says what was probably meant, or else what there is.
func nearestHint(_ name: String, among candidates: some Collection<String>, kind: String) -> String {
    if let nearest = NameRule.nearest(to: name, in: candidates) { return "did you mean \"\(nearest)\"?" }
    guard !candidates.isEmpty else { return "there is none" }
    let shown = candidates.sorted().prefix(20).joined(separator: ", ")
    return candidates.count > 20 ? "\(kind): \(shown), ..." : "\(kind): \(shown)"
}
