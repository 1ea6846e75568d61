public import FeatureModel
import Glibc

/// Bytes of a file, or of standard input for `-`, read in pieces.
public struct ByteInput: ~Copyable {
    /// One read asks for this much.
    private static let pieceBytes = 1 << 20

    private let descriptor: Int32
    private let name: String

    /// - Throws: `LarderError` `file_unreadable`.
    public init(path: String) throws(LarderError) {
        name = path
        guard path != "-" else {
            descriptor = STDIN_FILENO
            return
        }
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(path, "could not be opened") }
    }

    deinit {
        if descriptor != STDIN_FILENO { close(descriptor) }
    }

    /// The next piece; empty at the end.
    public func next() throws(LarderError) -> [UInt8] {
        while true {
            var count = 0
            let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceBytes) { buffer, initialized in
                count = read(descriptor, buffer.baseAddress, buffer.count)
                initialized = max(0, count)
            }
            if count >= 0 { return piece }
            if errno != EINTR { throw Self.failure(name, "could not be read") }
        }
    }

    /// Whether it can be read again.
    var isRegularFile: Bool {
        var status = stat()
        return descriptor != STDIN_FILENO && fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Starts again from the first byte of a regular file.
    func rewind() throws(LarderError) {
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw Self.failure(name, "could not be read again") }
    }

    private static func failure(_ path: String, _ what: String) -> LarderError {
        LarderError(
            .fileUnreadable, "file \"\(path)\" \(what): \(String(cString: strerror(errno)))")
    }
}
