internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#else
internal import Musl
#endif

/// Where whole lines of the log go.
public struct LogOutput: Sendable {
    private let writeLine: @Sendable ([UInt8]) -> Void

    /// - Parameter writeLine: gets one line at a time, line feed included, from any thread.
    public init(_ writeLine: @escaping @Sendable ([UInt8]) -> Void) {
        self.writeLine = writeLine
    }

    func write(_ line: [UInt8]) { writeLine(line) }

    /// Standard error; lines of this process do not mix.
    public static let standardError = LogOutput { line in
        lock.withLock { _ in writeAll(line) }
    }

    private static let lock = Mutex<Void>(())
}

private func writeAll(_ line: [UInt8]) {
    var rest = line[...]
    while !rest.isEmpty {
        let written = rest.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        if written < 0 {
            // Nobody can be told that the log itself cannot be written.
            if errno != EINTR { return }
        } else {
            rest = rest.dropFirst(written)
        }
    }
}
