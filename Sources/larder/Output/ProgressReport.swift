import Synchronization

/// Tells how long work is going: on a terminal in a line that keeps changing, otherwise in a line every few seconds.
final class ProgressReport: Sendable {
    private struct State {
        var subject = ""
        var subjectBegan: ContinuousClock.Instant
        var lastShown: ContinuousClock.Instant
    }

    private let console: Console
    private let interval: Duration
    private let state: Mutex<State>

    init(_ console: Console) {
        self.console = console
        interval = console.isInteractive ? .milliseconds(100) : .seconds(5)
        state = Mutex(State(subjectBegan: .now, lastShown: .now))
    }

    /// - Parameters:
    ///   - subject: what is being done; the rate is counted from where it changed.
    ///   - rows: done so far for the subject.
    func update(_ subject: String, rows: Int64) {
        let now = ContinuousClock.now
        let line: String? = state.withLock { state in
            if state.subject != subject {
                state.subject = subject
                state.subjectBegan = now
            }
            guard now - state.lastShown >= interval else { return nil }
            state.lastShown = now
            return Self.line(subject, rows, now - state.subjectBegan)
        }
        guard let line else { return }
        if console.isInteractive { console.showStatus(line) } else { console.note(line) }
    }

    /// A step without a number of rows.
    func step(_ text: String) {
        if console.isInteractive { console.showStatus(text) }
    }

    private static func line(_ subject: String, _ rows: Int64, _ elapsed: Duration) -> String {
        let seconds = elapsed / .seconds(1)
        let rate = seconds >= 0.5 ? ", \(Int64(Double(rows) / seconds).grouped) rows/s" : ""
        return "\(subject): \(rows.grouped) rows\(rate)"
    }
}

extension BinaryInteger {
    /// The digits in groups of three: `336,776`.
    var grouped: String {
        let digits = String(magnitude)
        var result = self < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { result += "," }
            result.append(digit)
        }
        return result
    }
}
