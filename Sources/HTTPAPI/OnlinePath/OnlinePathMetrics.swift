import FeatureModel
import Metrics
import Synchronization

/// The same metrics as `ObservingMiddleware` keeps, made once: looking them up costs more than counting.
final class OnlinePathMetrics: Sendable {
    private struct Key: Hashable {
        let route: String
        let status: Int
        let code: String
    }

    private struct Entry {
        let requests: Counter
        let duration: Metrics.Timer

        init(_ key: Key) {
            requests = Counter(
                label: "larder_http_requests",
                dimensions: [
                    ("method", "POST"), ("route", key.route), ("status", String(key.status)), ("code", key.code),
                ])
            duration = Metrics.Timer(
                label: "larder_http_request_duration", dimensions: [("method", "POST"), ("route", key.route)])
        }
    }

    /// Who answers an online request.
    enum Answerer: String {
        case eventLoop = "event_loop"
        case ordinary
    }

    private let entries = Mutex<[Key: Entry]>([:])
    private let larderAnswers = Entry(Key(route: OnlinePath.larderPath, status: 200, code: ""))
    private let feastAnswers = Entry(Key(route: OnlinePath.feastPath, status: 200, code: ""))
    private let onEventLoop = answers(.eventLoop)
    private let ordinary = answers(.ordinary)

    private static func answers(_ answerer: Answerer) -> Counter {
        Counter(label: "larder_online_requests", dimensions: [("path", answerer.rawValue)])
    }

    func count(_ answerer: Answerer) {
        switch answerer {
        case .eventLoop: onEventLoop.increment()
        case .ordinary: ordinary.increment()
        }
    }

    func record(_ route: OnlinePath.Route, status: Int, code: ErrorCode?, duration: Duration) {
        let entry =
            if status == 200, code == nil {
                route.project == nil ? feastAnswers : larderAnswers
            } else {
                entry(Key(route: route.path, status: status, code: code?.name ?? ""))
            }
        entry.requests.increment()
        entry.duration.record(duration: duration)
    }

    private func entry(_ key: Key) -> Entry {
        entries.withLock { entries in
            if let entry = entries[key] { return entry }
            let entry = Entry(key)
            entries[key] = entry
            return entry
        }
    }
}
