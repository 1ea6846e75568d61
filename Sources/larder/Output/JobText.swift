import Jobs

/// How jobs are told of in a line.
enum JobText {
    /// `job 12: joining, 1,200 of 4,000 rows (30 %), 340 rows/s, 8s left`
    static func progress(_ job: Job) -> String {
        var parts: [String] = []
        let progress = job.progress
        switch job.state {
        case .queued:
            parts.append(job.retryAt.map { "waits until \($0)" } ?? job.state.rawValue)
            if job.retryAt != nil, let note = progress.note { parts.append(note.printable) }
        case .running where job.isCancelRequested: parts.append("stopping")
        case .running: parts.append(progress.note?.printable ?? "running")
        default: parts.append(job.state.rawValue)
        }
        if job.attempts > 1 { parts.append("attempt \(job.attempts) of \(job.maximumAttempts)") }
        if let total = progress.rowsTotal, total > 0 {
            let percent = Int(Double(progress.rowsDone) / Double(total) * 100)
            parts.append("\(progress.rowsDone.grouped) of \(total.grouped) rows (\(percent) %)")
        } else if progress.rowsDone > 0 {
            parts.append("\(progress.rowsDone.grouped) rows")
        }
        if let rate = job.rowsPerSecond { parts.append("\(Int64(rate).grouped) rows/s") }
        if let remaining = job.remaining { parts.append("\(duration(remaining)) left") }
        return "job \(job.id): \(parts.joined(separator: ", "))"
    }

    /// In one or two units: `8s`, `2m 5s`, `1h 30m`, `2d 3h`.
    static func duration(_ duration: Duration) -> String {
        let seconds = max(0, Int64(duration / .seconds(1)))
        switch seconds {
        case ..<60: return "\(seconds)s"
        case ..<3_600: return "\(seconds / 60)m \(seconds % 60)s"
        case ..<86_400: return "\(seconds / 3_600)h \(seconds / 60 % 60)m"
        default: return "\(seconds / 86_400)d \(seconds / 3_600 % 24)h"
        }
    }
}
