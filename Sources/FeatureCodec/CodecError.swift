/// Why bytes are not what they should be. The bytes come from a store, so that this is a fault of the store's content
/// and never of the person who asked.
public enum CodecError: Error, Sendable, Equatable {
    /// The bytes end before what they announce, or go on after it.
    case wrongLength
    /// The first byte names a format this program does not know.
    case unknownFormat(UInt8)
    /// A flag is set that this program does not know.
    case unknownFlags(UInt8)
    /// The row was written under another schema version than the one it is read with.
    case unexpectedSchemaVersion(Int32)
    /// Offsets that run backwards, a digit that is none, a string that is not UTF-8 and the like.
    case malformed
    /// The row does not fit the format's 32-bit lengths.
    case tooLarge
}

extension CodecError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .wrongLength: "the stored bytes have the wrong length"
        case .unknownFormat(let format): "the stored bytes have the unknown format \(format)"
        case .unknownFlags(let flags): "the stored bytes carry the unknown flags \(flags)"
        case .unexpectedSchemaVersion(let version): "the stored bytes were written under schema version \(version)"
        case .malformed: "the stored bytes are malformed"
        case .tooLarge: "the row is larger than 4 GiB"
        }
    }
}
