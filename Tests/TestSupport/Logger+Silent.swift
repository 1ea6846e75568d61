public import Logging

extension Logger {
    /// A logger that drops everything: tests of failures would drown their own output in warnings.
    public static var silent: Logger {
        Logger(label: "larder.tests") { _ in SwiftLogNoOpLogHandler() }
    }
}
