internal import Crypto
internal import FeatureModel

/// SHA-256 over a sequence of fields, each with its length in front, so that no two sequences of fields share their
/// bytes. Its input never changes: hashes are stored and compared for ever.
struct CanonicalHash {
    private var digest = SHA256()

    /// - Parameter subject: what is hashed and the version of the field list, e.g. `view-shape-1`.
    init(_ subject: String) {
        add(subject)
    }

    mutating func add(_ text: String) {
        var bytes = Self.bigEndian(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
        digest.update(data: bytes)
    }

    mutating func add(_ number: some BinaryInteger) {
        add(number.description)
    }

    mutating func add(_ flag: Bool) {
        add(flag ? "1" : "0")
    }

    mutating func add(_ text: String?) {
        add(text != nil)
        if let text { add(text) }
    }

    mutating func add(_ value: Value?) {
        add(value?.storedType)
        guard let value else { return }
        guard case .array(let elements) = value else { return add(value.storedText) }
        add(elements.count)
        for element in elements { add(element) }
    }

    /// The hash as 64 lowercase hexadecimal digits.
    func finalize() -> String {
        Hexadecimal.text(of: digest.finalize())
    }

    private static func bigEndian(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
    }
}
