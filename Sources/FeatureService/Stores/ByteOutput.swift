public import FeatureModel
import Glibc

/// A file that appears whole or not at all, or standard output for `-`.
///
/// Bytes go to `.<name>.partial` beside the target, which replaces the target when finished. A run that was killed leaves the
/// partial file, which the next run to the same target takes over; two runs at once are refused by a lock on it.
public struct ByteOutput: ~Copyable {
    private let descriptor: Int32
    private let path: String
    private let partialPath: String
    private var isFinished = false

    /// - Throws: `LarderError` `file_unreadable`.
    public init(path: String) throws(LarderError) {
        self.path = path
        guard path != "-" else {
            partialPath = "-"
            descriptor = STDOUT_FILENO
            return
        }
        let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        partialPath = "\(path[..<slash]).\(path[slash...]).partial"
        descriptor = open(partialPath, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Self.failure(path, "could not be written") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw LarderError(
                .fileUnreadable, "file \"\(path)\" is being written by another run", hint: "choose another --out")
        }
        guard ftruncate(descriptor, 0) == 0 else { throw Self.failure(path, "could not be written") }
    }

    deinit {
        guard path != "-" else { return }
        if !isFinished { unlink(partialPath) }
        close(descriptor)
    }

    public func write(_ bytes: [UInt8]) throws(LarderError) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                offset += count
            } else if errno != EINTR {
                throw Self.failure(path, "could not be written")
            }
        }
    }

    /// Puts the file in its place.
    public mutating func finish() throws(LarderError) {
        guard path != "-" else { return }
        guard rename(partialPath, path) == 0 else { throw Self.failure(path, "could not be put in place") }
        isFinished = true
    }

    private static func failure(_ path: String, _ what: String) -> LarderError {
        LarderError(.fileUnreadable, "file \"\(path)\" \(what): \(String(cString: strerror(errno)))")
    }
}
