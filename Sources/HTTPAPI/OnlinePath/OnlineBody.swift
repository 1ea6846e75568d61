import FeatureModel
import FeatureService
import TextFormats

/// The body of an online request as it stands in its bytes: who asks for what, nothing taken out of the text yet.
///
/// It knows what a straightforward request looks like and gives up on everything else, which `OnlineRequest` then reads or
/// refuses with its reason.
struct OnlineBody {
    enum Features {
        /// The text of a service's name.
        case service(Range<Int>)
        /// The text of each reference.
        case references([Range<Int>])
    }

    struct Key {
        let name: Range<Int>
        /// Positions in `values`.
        var values: Range<Int>
        /// The array as it stands, brackets included.
        var text: Range<Int>
    }

    struct Scalar {
        let token: JSONTokenizer.Token
        let range: Range<Int>

        /// With the quotes of a string.
        var text: Range<Int> {
            token == .string ? range.lowerBound - 1..<range.upperBound + 1 : range
        }
    }

    /// More than anything asked for needs.
    private static let maximumKeys = 100

    let bytes: [UInt8]
    /// Beyond these somebody else refuses it, off the event loop.
    private let limits: ServingLimits
    private(set) var features: Features?
    private(set) var keys: [Key] = []
    private(set) var values: [Scalar] = []
    private(set) var usesFullFeatureNames = false
    /// Feast's `include_feature_view_version_metadata`.
    private(set) var includesVersions = false

    /// - Parameter ignored: further members that are allowed and mean nothing, as long as they are no arrays or objects.
    /// - Returns: nil when the body is not as simple as that.
    init?(_ bytes: [UInt8], ignoring ignored: [String], limits: ServingLimits) {
        self.bytes = bytes
        self.limits = limits
        var tokens = JSONTokenizer(bytes)
        guard (try? read(&tokens, ignored)) == true, features != nil, !hasRepeatedKeys else { return nil }
    }

    var entityCount: Int { keys.first?.values.count ?? 1 }

    private mutating func read(_ tokens: inout JSONTokenizer, _ ignored: [String]) throws(JSONSyntaxError) -> Bool {
        guard try tokens.next() == .beginObject else { return false }
        var seen = 0
        while try tokens.next() == .name {
            guard !tokens.hasEscapes else { return false }
            let member: Int
            switch tokens.tokenBytes {
            case let name where name.elementsEqual("feature_service".utf8):
                member = 1
                guard try readService(&tokens) else { return false }
            case let name where name.elementsEqual("features".utf8):
                member = 2
                guard try readReferences(&tokens) else { return false }
            case let name where name.elementsEqual("entities".utf8):
                member = 4
                guard try readKeys(&tokens) else { return false }
            case let name where name.elementsEqual("full_feature_names".utf8):
                member = 8
                guard let value = Self.flag(try tokens.next()) else { return false }
                usesFullFeatureNames = value
            case let name:
                guard let index = ignored.firstIndex(where: { name.elementsEqual($0.utf8) }) else { return false }
                // After those of our own: what stands there twice is refused, also if it means nothing.
                member = 16 << index
                let token = try tokens.next()
                guard token != .beginArray, token != .beginObject else { return false }
                if ignored[index] == "include_feature_view_version_metadata" { includesVersions = token == .true }
            }
            guard seen & member == 0 else { return false }
            seen |= member
        }
        return try tokens.next() == .end
    }

    private static func flag(_ token: JSONTokenizer.Token) -> Bool? {
        switch token {
        case .true: true
        case .false, .null: false
        default: nil
        }
    }

    private mutating func readService(_ tokens: inout JSONTokenizer) throws(JSONSyntaxError) -> Bool {
        switch try tokens.next() {
        case .null: return true
        case .string where !tokens.hasEscapes && features == nil:
            features = .service(tokens.tokenRange)
            return true
        default: return false
        }
    }

    private mutating func readReferences(_ tokens: inout JSONTokenizer) throws(JSONSyntaxError) -> Bool {
        switch try tokens.next() {
        case .null: return true
        case .beginArray where features == nil: break
        default: return false
        }
        var references: [Range<Int>] = []
        while true {
            switch try tokens.next() {
            case .string where !tokens.hasEscapes && references.count < limits.maximumFeatures:
                references.append(tokens.tokenRange)
            case .endArray:
                features = .references(references)
                return true
            default: return false
            }
        }
    }

    private mutating func readKeys(_ tokens: inout JSONTokenizer) throws(JSONSyntaxError) -> Bool {
        guard try tokens.next() == .beginObject else { return false }
        while try tokens.next() == .name {
            guard !tokens.hasEscapes, keys.count < Self.maximumKeys else { return false }
            let name = tokens.tokenRange
            guard try tokens.next() == .beginArray else { return false }
            let opening = tokens.tokenRange.lowerBound
            let first = values.count
            scalars: while true {
                let token = try tokens.next()
                switch token {
                case .endArray: break scalars
                case .string where tokens.hasEscapes, .beginArray, .beginObject: return false
                case _ where values.count - first >= limits.maximumEntities: return false
                default: values.append(Scalar(token: token, range: tokens.tokenRange))
                }
            }
            guard first + entityCount == values.count || keys.isEmpty else { return false }
            keys.append(
                Key(name: name, values: first..<values.count, text: opening..<tokens.tokenRange.upperBound))
        }
        return true
    }

    private var hasRepeatedKeys: Bool {
        guard keys.count > 1 else { return false }
        return Set(keys.map { bytes[$0.name] }).count < keys.count
    }
}

extension OnlineBody {
    /// What tells requests of one template from all others: everything but the values of the keys.
    func signature(inProject project: String) -> [UInt8] {
        var signature: [UInt8] = []
        signature.reserveCapacity(64)
        signature.append(contentsOf: project.utf8)
        signature.append(usesFullFeatureNames ? 1 : 0)
        signature.append(includesVersions ? 1 : 0)
        switch features {
        case .service(let name): signature.append(contentsOf: bytes[name])
        case .references(let references):
            for reference in references {
                signature.append(0)
                signature.append(contentsOf: bytes[reference])
            }
        case nil: break
        }
        for key in keys {
            // No text of JSON has it.
            signature.append(0xFF)
            signature.append(contentsOf: bytes[key.name])
        }
        return signature
    }

    var request: OnlineRequest.Features? {
        switch features {
        case .service(let name): .service(text(name))
        case .references(let references): .references(references.map(text))
        case nil: nil
        }
    }

    var keyNames: [String] { keys.map { text($0.name) } }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// The values of a key as a column.
    /// - Returns: nil when one of them is not as simple as values of the type can be.
    func column(_ key: Int, type: ValueType?) -> Column? {
        guard let type else { return Column(type: .scalar(.bool)) }
        var column = Column(type: type)
        column.reserveCapacity(keys[key].values.count)
        for value in values[keys[key].values] {
            switch (type, value.token) {
            case (_, .null): column.appendNull()
            case (.scalar(.int64), .number):
                guard let number = Self.integer(bytes, value.range) else { return nil }
                column.append(int64: number)
            case (.scalar(.int32), .number):
                guard let number = Self.integer(bytes, value.range).flatMap({ Int32(exactly: $0) }) else { return nil }
                column.append(int32: number)
            case (.scalar(.string), .string):
                column.append(bytes: bytes[value.range])
            case (.scalar(.bool), .true): column.append(bool: true)
            case (.scalar(.bool), .false): column.append(bool: false)
            default: return nil
            }
        }
        return column
    }

    /// Up to 18 digits, which 64 bits hold whatever they are.
    private static func integer(_ bytes: [UInt8], _ range: Range<Int>) -> Int64? {
        var digits = range
        let isNegative = bytes[digits.lowerBound] == UInt8(ascii: "-")
        if isNegative { digits = digits.lowerBound + 1..<digits.upperBound }
        guard (1...18).contains(digits.count) else { return nil }
        var number: Int64 = 0
        for index in digits {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            number = number &* 10 &+ Int64(digit)
        }
        return isNegative ? -number : number
    }
}
