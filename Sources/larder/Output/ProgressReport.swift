import Synchronization

/// Tells how long work is going: on a terminal in a line that keeps changing, otherwise in a line every few seconds.
///
/// Several things may be done side by side: then the line is about all that have been heard of since the last one.
final class ProgressReport: Sendable {
    private struct Subject {
        let name: String
        /// What is being done for it, as it is told.
        let work: String
        let began: ContinuousClock.Instant
        var rows: Int64
        /// When it was heard of last.
        var updated: ContinuousClock.Instant

        var rowsPerSecond: Double? {
            let seconds = (updated - began) / .seconds(1)
            return seconds >= 0.5 ? Double(rows) / seconds : nil
        }
    }

    private struct State {
        /// In the order they began.
        var subjects: [Subject] = []
        var lastShown: ContinuousClock.Instant
    }

    private let console: Console
    private let interval: Duration
    private let state: Mutex<State>

    init(_ console: Console) {
        self.console = console
        interval = console.isInteractive ? .milliseconds(100) : .seconds(5)
        state = Mutex(State(lastShown: .now))
    }

    /// - Parameters:
    ///   - work: what is being done; the rate is counted from where it was first told of.
    ///   - subject: what it is done for, if other work is done for the same one before or after.
    ///   - rows: done so far of the work.
    func update(_ work: String, for subject: String? = nil, rows: Int64) {
        let name = subject ?? work
        let line: String? = state.withLock { state in
            let now = ContinuousClock.now
            let begun = Subject(name: name, work: work, began: now, rows: rows, updated: now)
            if let index = state.subjects.firstIndex(where: { $0.name == name }) {
                if state.subjects[index].work == work {
                    state.subjects[index].rows = rows
                    state.subjects[index].updated = now
                } else {
                    state.subjects[index] = begun
                }
            } else {
                state.subjects.append(begun)
            }
            guard now - state.lastShown >= interval else { return nil }
            let lastShown = state.lastShown
            state.lastShown = now
            return Self.line(state.subjects.filter { $0.updated > lastShown })
        }
        guard let line else { return }
        if console.isInteractive { console.showStatus(line) } else { console.note(line) }
    }

    /// A step without a number of rows.
    func step(_ text: String) {
        if console.isInteractive { console.showStatus(text) }
    }

    private static func line(_ subjects: [Subject]) -> String {
        var text = subjects.first?.work ?? ""
        if subjects.count > 1 { text += " and \(subjects.count - 1) more" }
        let rows: Int64 = subjects.reduce(0) { $0 + $1.rows }
        text += ": \(rows.grouped) rows"
        let rates = subjects.compactMap(\.rowsPerSecond)
        if !rates.isEmpty { text += ", \(Int64(rates.reduce(0, +)).grouped) rows/s" }
        return text
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
