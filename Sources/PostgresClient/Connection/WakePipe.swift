internal import Glibc

/// A pipe that makes a thread waiting in `poll` look up.
final class WakePipe: Sendable {
    /// Becomes readable when `wake()` was called since the last `drain()`.
    let readDescriptor: Int32
    private let writeDescriptor: Int32

    init() throws(PostgresError) {
        var descriptors: [Int32] = [-1, -1]
        guard unsafe pipe(&descriptors) == 0 else {
            throw PostgresError(.connectionFailed, "out of file descriptors", detail: lastSystemError())
        }
        for descriptor in descriptors {
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
        readDescriptor = descriptors[0]
        writeDescriptor = descriptors[1]
    }

    deinit {
        close(readDescriptor)
        close(writeDescriptor)
    }

    func wake() {
        // A full pipe is as good as a byte more: the reader will look up.
        var byte: UInt8 = 1
        _ = unsafe write(writeDescriptor, &byte, 1)
    }

    func drain() {
        unsafe withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { (buffer) in
            while unsafe read(readDescriptor, buffer.baseAddress, buffer.count) > 0 {}
        }
    }
}

/// The text of `errno`.
func lastSystemError() -> String {
    let code = errno
    return unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
}
