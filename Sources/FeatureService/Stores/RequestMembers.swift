public import FeatureModel
public import TextFormats

/// The members of a request that is a JSON object. One that is null is as good as absent.
public struct RequestMembers {
    private let json: JSONValue
    private let example: String

    /// - Parameters:
    ///   - known: every member that there is.
    ///   - example: a request that would be taken, for hints.
    /// - Throws: `request_invalid` when it is no object, or has another member.
    public init(_ json: JSONValue, known: [String], example: String) throws(LarderError) {
        guard case .object(let members) = json else {
            throw LarderError(.requestInvalid, "the request is no JSON object", hint: "write \(example)")
        }
        for member in members where !known.contains(member.name) {
            let name = String(member.name.prefix(NameRule.maximumBytes))
            throw LarderError(
                .requestInvalid, "the request has an unknown member \"\(name)\"",
                hint: NameRule.nearest(to: name, in: known).map { "did you mean \"\($0)\"?" }
                    ?? "members are \(known.joined(separator: ", "))")
        }
        self.json = json
        self.example = example
    }

    public subscript(name: String) -> JSONValue? { json[name] }

    public func string(_ name: String) throws(LarderError) -> String? {
        switch json[name] {
        case nil, .null: return nil
        case .string(let text): return text
        default: throw invalid(name, "no string")
        }
    }

    /// - Throws: `request_invalid` also when it is absent.
    public func requiredString(_ name: String) throws(LarderError) -> String {
        if let text = try string(name) { return text }
        throw LarderError(.requestInvalid, "the request does not say \"\(name)\"", hint: "write \(example)")
    }

    /// False when it is absent.
    public func flag(_ name: String) throws(LarderError) -> Bool {
        switch json[name] {
        case nil, .null: return false
        case .bool(let value): return value
        default: throw invalid(name, "neither true nor false")
        }
    }

    /// Empty when it is absent.
    public func strings(_ name: String) throws(LarderError) -> [String] {
        switch json[name] {
        case nil, .null: return []
        case .array(let values):
            var texts: [String] = []
            for value in values {
                guard case .string(let text) = value else { throw invalid(name, "no array of strings") }
                texts.append(text)
            }
            return texts
        default: throw invalid(name, "no array of strings")
        }
    }

    private func invalid(_ name: String, _ fault: String) -> LarderError {
        LarderError(.requestInvalid, "\"\(name)\" is \(fault)", hint: "write \(example)")
    }
}
