internal import Glibc

/// Bytes of a message that are kept: PostgreSQL quotes a value that does not fit from its beginning to its end.
private let maximumBytes = 4_096

/// A text of libpq's, cut where it is long.
func boundedText(_ text: UnsafePointer<CChar>) -> String {
    let count = unsafe strnlen(text, maximumBytes)
    let bytes = unsafe UnsafeRawBufferPointer(start: text, count: count)
    let kept = unsafe String(decoding: bytes, as: UTF8.self)
    return count < maximumBytes ? kept : kept + "..."
}
