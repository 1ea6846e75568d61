/// The name of one Larder installation inside a Redis that others may use too: eight characters of base64url
/// (`A-Z a-z 0-9 - _`).
public struct InstallationID: Sendable, Hashable, LosslessStringConvertible {
    public static let byteCount = 8

    public let description: String

    public init?(_ description: String) {
        guard description.utf8.count == Self.byteCount, description.utf8.allSatisfy(Self.isDigit) else { return nil }
        self.description = description
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default:
            false
        }
    }
}

/// A key of the online store.
///
/// | key | bytes |
/// |---|---|
/// | entity | 01, installation (8), key space digits, `{`, entity key, `}` |
/// | sentinel of a project | 01, installation (8), `s`, project digits |
/// | fence of a key space | 01, installation (8), `f`, key space digits |
///
/// Digits are base 128, most significant first, as few as possible, every one with its high bit set. So nothing before
/// the entity key can be a `{`: the first one opens the hash tag, and since the tag is then a prefix of the entity
/// key alone (up to its first `}`, if it holds one), all views of an entity fall into one cluster slot. An entity key
/// starts with a tag byte below 6, so that the hash tag is never empty.
public enum OnlineKey: Sendable, Hashable {
    case entity(InstallationID, keySpace: Int64, EntityKey)
    case sentinel(InstallationID, project: Int64)
    case fence(InstallationID, keySpace: Int64)

    public static let format: UInt8 = 0x01

    private static let opener = UInt8(ascii: "{")
    private static let closer = UInt8(ascii: "}")
    private static let sentinelMark = UInt8(ascii: "s")
    private static let fenceMark = UInt8(ascii: "f")

    public var bytes: [UInt8] {
        switch self {
        case .entity(let installation, let keySpace, let key):
            return Self.entityPrefix(installation, keySpace: keySpace) + key.bytes + [Self.closer]
        case .sentinel(let installation, let project):
            return Self.head(installation) + [Self.sentinelMark] + Self.digits(project)
        case .fence(let installation, let keySpace):
            return Self.head(installation) + [Self.fenceMark] + Self.digits(keySpace)
        }
    }

    /// What all entity keys of a key space start with, up to and with the `{`.
    /// - Parameter keySpace: not negative.
    public static func entityPrefix(_ installation: InstallationID, keySpace: Int64) -> [UInt8] {
        head(installation) + digits(keySpace) + [opener]
    }

    /// Appends an entity key, given the prefix of its key space.
    public static func append(_ entity: some Collection<UInt8>, after prefix: [UInt8], to out: inout [UInt8]) {
        out.append(contentsOf: prefix)
        out.append(contentsOf: entity)
        out.append(closer)
    }

    /// Ends an entity key that was written piece by piece: the prefix of its key space, then the entity key.
    public static func finish(_ key: inout [UInt8]) {
        key.append(closer)
    }

    /// What all keys of an installation start with.
    public static func prefix(of installation: InstallationID) -> [UInt8] { head(installation) }

    /// - Throws: when the bytes are no key of this layout.
    public init(bytes: [UInt8]) throws(CodecError) {
        guard let format = bytes.first else { throw .wrongLength }
        guard format == Self.format else { throw .unknownFormat(format) }
        guard bytes.count > 1 + InstallationID.byteCount else { throw .wrongLength }
        let name = bytes[1...InstallationID.byteCount]
        guard let installation = InstallationID(String(decoding: name, as: UTF8.self)) else { throw .malformed }
        var rest = bytes[(1 + InstallationID.byteCount)...]
        switch rest.first {
        case Self.sentinelMark:
            rest.removeFirst()
            self = .sentinel(installation, project: try Self.takeNumber(from: &rest))
            guard rest.isEmpty else { throw .malformed }
        case Self.fenceMark:
            rest.removeFirst()
            self = .fence(installation, keySpace: try Self.takeNumber(from: &rest))
            guard rest.isEmpty else { throw .malformed }
        default:
            let keySpace = try Self.takeNumber(from: &rest)
            guard rest.popFirst() == Self.opener, rest.popLast() == Self.closer, !rest.isEmpty else {
                throw .malformed
            }
            self = .entity(installation, keySpace: keySpace, EntityKey(bytes: Array(rest)))
        }
    }

    private static func head(_ installation: InstallationID) -> [UInt8] {
        [format] + installation.description.utf8
    }

    private static func digits(_ number: Int64) -> [UInt8] {
        precondition(number >= 0, "an id is never negative")
        var digits: [UInt8] = []
        var rest = number
        repeat {
            digits.append(0x80 | UInt8(rest & 0x7F))
            rest >>= 7
        } while rest > 0
        return digits.reversed()
    }

    private static func takeNumber(from rest: inout ArraySlice<UInt8>) throws(CodecError) -> Int64 {
        var number: Int64 = 0
        var count = 0
        while let byte = rest.first, byte & 0x80 != 0 {
            // Nine digits hold the 63 bits of an id; a leading zero is not minimal.
            guard count < 9, number > 0 || count == 0 else { throw .malformed }
            rest.removeFirst()
            number = number << 7 | Int64(byte & 0x7F)
            count += 1
        }
        guard count > 0 else { throw .malformed }
        return number
    }
}
