internal import CLibpq
import Logging
import Synchronization

/// Where libpq reports notices of a connection; its default is to print them on standard error.
final class NoticeSink: Sendable {
    private let logger: Logger
    private let lastFatal = Mutex<PostgresError?>(nil)

    init(logger: Logger) {
        self.logger = logger
    }

    /// What the server said before it closed an idle connection. libpq passes such an error on as a notice.
    var fatalNotice: PostgresError? {
        lastFatal.withLock { $0 }
    }

    fileprivate func receive(_ notice: PostgresError, severity: String) {
        switch severity {
        case "FATAL", "PANIC":
            lastFatal.withLock { $0 = notice }
            logger.debug("server ended the session", metadata: ["sqlstate": "\(notice.sqlState?.rawValue ?? "")"])
        case "WARNING":
            logger.warning("server warned: \(notice)")
        default:
            logger.debug("server said: \(notice)")
        }
    }

    /// Reads a notice from libpq, which keeps the ownership of it.
    fileprivate func receive(_ pointer: OpaquePointer?) {
        func field(_ code: Int32) -> String? {
            unsafe PQresultErrorField(pointer, code).map { unsafe boundedText($0) }
        }
        let notice = PostgresError(
            .server, field(larder_diag_message_primary) ?? "no message",
            sqlState: field(larder_diag_sqlstate).map { SQLState(rawValue: $0) })
        receive(notice, severity: field(larder_diag_severity) ?? "")
    }
}

/// Called by libpq on the connection's own thread, with the sink that the connection holds a reference to.
func receiveNotice(_ argument: UnsafeMutableRawPointer?, _ result: OpaquePointer?) {
    guard let argument = unsafe argument else { return }
    unsafe Unmanaged<NoticeSink>.fromOpaque(argument).takeUnretainedValue().receive(result)
}
