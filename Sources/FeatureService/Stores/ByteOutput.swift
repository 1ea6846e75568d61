public import FeatureModel
import Glibc

/// A file that appears whole or not at all; standard output for `-`, and what is no regular file (a pipe, a device), are
/// written as they are.
///
/// Bytes go to `.<name>.partial` beside the target, which replaces the target when finished. A run that was killed leaves the
/// partial file, which the next run to the same target takes over; two runs at once are refused by a lock on it.
public struct ByteOutput: ~Copyable {
    private let path: String
    private let place: Place
    private var isFinished = false

    private struct Place {
        let descriptor: Int32
        /// Nil where bytes go straight to the target.
        var partialPath: String?
        /// What the partial file becomes.
        var targetPath = ""
    }

    /// - Throws: `LarderError` `file_unreadable`.
    public init(path: String) throws(LarderError) {
        let place = try Self.open(path)
        self.path = path
        self.place = place
    }

    private static func open(_ path: String) throws(LarderError) -> Place {
        if path == "-" { return Place(descriptor: STDOUT_FILENO) }
        var target = stat()
        if stat(path, &target) == 0, target.st_mode & S_IFMT != S_IFREG {
            return Place(descriptor: try openDirectly(path))
        }
        // What a link leads to is replaced, not the link.
        let resolved =
            realpath(path, nil).map { pointer in
                defer { free(pointer) }
                return String(cString: pointer)
            } ?? path
        let slash = resolved.lastIndex(of: "/").map { resolved.index(after: $0) } ?? resolved.startIndex
        let partial = "\(resolved[..<slash]).\(resolved[slash...]).partial"
        return Place(descriptor: try lock(partial, for: path), partialPath: partial, targetPath: resolved)
    }

    private static func openDirectly(_ path: String) throws(LarderError) -> Int32 {
        let descriptor = Glibc.open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, "could not be written") }
        return descriptor
    }

    /// The partial file, empty, and nobody else's.
    private static func lock(_ partialPath: String, for path: String) throws(LarderError) -> Int32 {
        while true {
            let descriptor = Glibc.open(partialPath, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else { throw failure(path, "could not be written") }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                throw LarderError(
                    .fileUnreadable, "file \"\(path)\" is being written by another run", hint: "choose another --out")
            }
            // Another run may have put the file in its place between the opening and the lock: it is not to be emptied.
            var locked = stat()
            var named = stat()
            if fstat(descriptor, &locked) == 0, stat(partialPath, &named) == 0, locked.st_ino == named.st_ino,
                locked.st_dev == named.st_dev
            {
                guard ftruncate(descriptor, 0) == 0 else { throw failure(path, "could not be written") }
                return descriptor
            }
            close(descriptor)
        }
    }

    deinit {
        guard path != "-" else { return }
        if let partialPath = place.partialPath, !isFinished { unlink(partialPath) }
        close(place.descriptor)
    }

    /// - Throws: `OutputClosed` when it is standard output that nobody reads any more; `LarderError` `file_unreadable`.
    public func write(_ bytes: [UInt8]) throws {
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { Glibc.write(place.descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                offset += count
            } else if errno == EPIPE, path == "-" {
                throw OutputClosed()
            } else if errno != EINTR {
                throw Self.failure(path, "could not be written")
            }
        }
    }

    /// Puts the file in its place.
    public mutating func finish() throws(LarderError) {
        guard let partialPath = place.partialPath else { return }
        guard rename(partialPath, place.targetPath) == 0 else { throw Self.failure(path, "could not be put in place") }
        isFinished = true
    }

    private static func failure(_ path: String, _ what: String) -> LarderError {
        LarderError(.fileUnreadable, "file \"\(path)\" \(what): \(String(cString: strerror(errno)))")
    }
}

/// Nobody reads standard output any more.
public struct OutputClosed: Error {
    public init() {}
}
