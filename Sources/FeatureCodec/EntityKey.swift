/// The encoded join keys of one entity; `EntityKeyEncoder` says how.
///
/// The order of the bytes is the order in which PostgreSQL sorts the typed join keys, taken in key-name order, with
/// text under `COLLATE "C"`.
public struct EntityKey: Sendable, Hashable {
    public let bytes: [UInt8]

    public init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The key of a view without an entity.
    public static let global = EntityKey(bytes: [0x00])
}

extension EntityKey: Comparable {
    public static func < (left: EntityKey, right: EntityKey) -> Bool {
        unsafe ByteOrder.compare(left.bytes.span.bytes, right.bytes.span.bytes) < 0
    }
}

extension EntityKey: CustomStringConvertible {
    public var description: String {
        bytes.map { byte in byte < 16 ? "0" + String(byte, radix: 16) : String(byte, radix: 16) }.joined()
    }
}
