import FeatureModel
import FeatureService
import Glibc
import Synchronization
import TextFormats

/// Standard output for results alone, standard error for everything told on the way.
final class Console: Sendable {
    let format: OutputFormat
    /// Whether a person reads standard error as it is written.
    let isInteractive: Bool
    /// Whether the terminal shows a line that the next one replaces.
    private let hasStatusLine = Mutex(false)

    init(format: OutputFormat) {
        self.format = format
        isInteractive = isatty(STDERR_FILENO) == 1
    }

    // MARK: Results

    /// - Throws: `OutputClosed` when nobody reads any more; `file_unreadable` when it cannot be written otherwise.
    func write(_ text: String) throws {
        clearStatus()
        let failure = writeAll(Array("\(text)\n".utf8), to: STDOUT_FILENO)
        if failure == EPIPE { throw OutputClosed() }
        guard failure == 0 else {
            throw LarderError(
                .fileUnreadable, "standard output could not be written: \(String(cString: strerror(failure)))")
        }
    }

    /// Writes one of the two, as `--output` says.
    func write(table: @autoclosure () -> String, json: @autoclosure () -> JSONValue) throws {
        switch format {
        case .table: try write(table())
        case .json: try write(String(decoding: json().serialized(pretty: true), as: UTF8.self))
        }
    }

    // MARK: On the way

    /// A line on standard error.
    func note(_ text: String) {
        clearStatus()
        _ = writeAll(Array("\(text)\n".utf8), to: STDERR_FILENO)
    }

    /// A line that the next one replaces. Only for terminals.
    func showStatus(_ text: String) {
        hasStatusLine.withLock { isShown in
            isShown = true
            _ = writeAll(Array("\r\u{1B}[2K\(text)".utf8), to: STDERR_FILENO)
        }
    }

    func clearStatus() {
        hasStatusLine.withLock { isShown in
            guard isShown else { return }
            isShown = false
            _ = writeAll(Array("\r\u{1B}[2K".utf8), to: STDERR_FILENO)
        }
    }

    /// Asks a person.
    /// - Returns: nil when there is none, because standard input or standard error is no terminal.
    func confirm(_ question: String) -> Bool? {
        guard isInteractive, isatty(STDIN_FILENO) == 1 else { return nil }
        clearStatus()
        _ = writeAll(Array("\(question) [y/N] ".utf8), to: STDERR_FILENO)
        let answer = readLine()?.lowercased()
        return answer == "y" || answer == "yes"
    }
}

/// - Returns: zero, or the number of the error.
private func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count >= 0 {
            rest = rest.dropFirst(count)
        } else if errno != EINTR {
            return errno
        }
    }
    return 0
}
