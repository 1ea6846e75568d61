public import FeatureModel
import Glibc

/// The bytes of a spine, in pieces, which can be read a second time where the format needs it.
///
/// What cannot be read again by itself (a pipe, a request's body) is kept in a temporary file without a name while it is read,
/// so that nothing is left of it when the process ends in any way.
public final class SpineInput {
    /// What errors call the spine.
    public let name: String
    private let source: () async throws -> [UInt8]
    private var rewindSource: (() throws -> Void)?
    private var spool: Spool?
    private var isReadingSpool = false

    /// A file, or standard input for `-`.
    /// - Throws: `LarderError` `file_unreadable`.
    public init(path: String) throws(LarderError) {
        let file = try SpineFile(path: path)
        name = path
        source = { try file.next() }
        if file.isRegular { rewindSource = { try file.rewind() } }
    }

    /// Pieces that come from elsewhere; an empty one is the end.
    public init(name: String, pieces: @escaping () async throws -> [UInt8]) {
        self.name = name
        source = pieces
    }

    /// Says, before the first piece is read, that it is to be read twice.
    func keepForSecondReading() throws(LarderError) {
        if rewindSource == nil, spool == nil { spool = try Spool() }
    }

    /// Takes in all pieces before the first is asked for, so that the reader holds nothing in PostgreSQL while they come.
    public func receive() async throws {
        try keepForSecondReading()
        guard let spool else { return }
        while true {
            let piece = try await source()
            if piece.isEmpty { break }
            try spool.write(piece)
        }
        try rewind()
    }

    /// The next piece; empty at the end.
    func next() async throws -> [UInt8] {
        if isReadingSpool, let spool { return try spool.read() }
        let piece = try await source()
        try spool?.write(piece)
        return piece
    }

    /// Starts again from the first piece, after the last.
    func rewind() throws(LarderError) {
        if let spool {
            try spool.rewind()
            isReadingSpool = true
        } else if let rewindSource {
            do { try rewindSource() } catch { throw LarderError(translating: error) }
        }
    }
}

private final class SpineFile {
    private let input: ByteInput
    let isRegular: Bool

    init(path: String) throws(LarderError) {
        input = try ByteInput(path: path)
        isRegular = input.isRegularFile
    }

    func next() throws(LarderError) -> [UInt8] { try input.next() }
    func rewind() throws(LarderError) { try input.rewind() }
}

/// A temporary file that has lost its name.
private final class Spool {
    private static let pieceBytes = 1 << 20

    private let descriptor: Int32

    init() throws(LarderError) {
        let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(directory)/larder-spine-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw Self.failure("be made in \(directory)") }
        unlink(template)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit { close(descriptor) }

    func write(_ bytes: [UInt8]) throws(LarderError) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                offset += count
            } else if errno != EINTR {
                throw Self.failure("be written")
            }
        }
    }

    func rewind() throws(LarderError) {
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw Self.failure("be read again") }
    }

    func read() throws(LarderError) -> [UInt8] {
        while true {
            var count = 0
            let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceBytes) { buffer, initialized in
                count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                initialized = max(0, count)
            }
            if count >= 0 { return piece }
            if errno != EINTR { throw Self.failure("be read") }
        }
    }

    private static func failure(_ what: String) -> LarderError {
        LarderError(
            .fileUnreadable, "the temporary file of a spine could not \(what): \(String(cString: strerror(errno)))",
            hint: "see that TMPDIR names a directory with room for the spine")
    }
}
