public import FeatureModel

/// `view:feature`, `view:*` or `view@2:feature`, as a request or a service writes it.
public struct FeatureReference: Sendable, Hashable {
    public let viewName: String
    public let version: Int32?
    /// Nil means all features: `*`.
    public let featureName: String?

    public init(viewName: String, version: Int32? = nil, featureName: String?) {
        self.viewName = viewName
        self.version = version
        self.featureName = featureName
    }

    /// - Throws: `request_invalid` with the form that would work.
    public init(parsing text: String) throws(LarderError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw LarderError(
                .requestInvalid, "\"\(text.abbreviated)\" is no feature reference",
                hint: "write view:feature, view:* or view@2:feature")
        }
        let (view, version) = try Self.view(parsing: String(parts[0]))
        let feature = String(parts[1])
        if feature != "*", let violation = NameRule.violation(of: feature) {
            throw LarderError(
                .requestInvalid, "the feature name \"\(feature.abbreviated)\" of \"\(text.abbreviated)\" \(violation)",
                hint: "write view:feature, view:* or view@2:feature")
        }
        self.init(viewName: view, version: version, featureName: feature == "*" ? nil : feature)
    }

    /// Parses `view` or `view@2`.
    static func view(parsing text: String) throws(LarderError) -> (name: String, version: Int32?) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts.first ?? "")
        if let violation = NameRule.violation(of: name) {
            throw LarderError(
                .requestInvalid, "the feature view name \"\(name.abbreviated)\" \(violation)",
                hint: "write view:feature, view:* or view@2:feature")
        }
        guard parts.count == 2 else { return (name, nil) }
        let digits = parts[1]
        guard digits.utf8.first.map({ (UInt8(ascii: "1")...UInt8(ascii: "9")).contains($0) }) == true,
            let version = Int32(digits)
        else {
            throw LarderError(
                .requestInvalid,
                "the version \"\(String(digits).abbreviated)\" of feature view \"\(name)\" is no number",
                hint: "write view@2:feature")
        }
        return (name, version)
    }
}

extension FeatureReference: CustomStringConvertible {
    public var description: String {
        let view = version.map { "\(viewName)@\($0)" } ?? viewName
        return "\(view):\(featureName ?? "*")"
    }
}
