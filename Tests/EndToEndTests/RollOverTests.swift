import Foundation
import Glibc
import Synchronization
import Testing

/// Servers that take over from each other behind one port.
@Suite struct RollOverTests {
    private static let rounds = 3

    @Test func `servers behind one port roll over with no failed request`() async throws {
        try await Installation.run { larder in
            try await ScoreWorld.prepare(larder)
            var running = try RunningProgram(["serve", "--port", "0"], environment: larder.environment)
            do {
                let address = try await running.address()
                let server = RunningServer(address: address)
                try await server.waitForScore(within: .seconds(5))
                let port = try server.port
                let clients = (0..<6).map { ConstantClient(port: port, keepsConnection: $0 < 3) }
                for client in clients { client.start() }
                for _ in 0..<Self.rounds {
                    let next = try RunningProgram(["serve", "--port", "\(port)"], environment: larder.environment)
                    let old = running
                    running = next
                    #expect(try await next.address() == address)
                    try await Task.sleep(for: .milliseconds(300))
                    old.signal(SIGTERM)
                    let outcome = try await old.outcome(within: .seconds(30))
                    #expect(outcome.status == 0, "\(outcome)")
                    try await Task.sleep(for: .milliseconds(200))
                }
                for client in clients {
                    let (answers, failures) = try await client.stop()
                    #expect(failures.isEmpty, "of \(answers) answers: \(failures.prefix(3))")
                    #expect(answers > 5 * Self.rounds)
                }
            } catch {
                running.signal(SIGKILL)
                throw error
            }
            running.signal(SIGTERM)
            let outcome = try await running.outcome(within: .seconds(30))
            #expect(outcome.status == 0, "\(outcome)")
        }
    }

    @Test func `without the setting a second server does not listen where one does`() async throws {
        try await Installation.run { installation in
            var larder = installation
            larder.environment["LARDER_HTTP_REUSE_PORT"] = "off"
            try await larder.withServer { server in
                let second = try await larder.larder("serve", "--port", "\(try server.port)")
                #expect(second.status == 1)
                #expect(second.errors.contains("cannot listen on"), "\(second)")
            }
        }
    }
}

/// A thread that asks without a pause, and counts what is not answered right.
private final class ConstantClient: Sendable {
    private struct State {
        var isStopping = false
        var hasEnded = false
        var answers = 0
        var failures: [String] = []
    }

    private let port: UInt16
    /// Whether it asks over one connection as long as the server keeps it.
    private let keepsConnection: Bool
    private let state = Mutex(State())

    init(port: UInt16, keepsConnection: Bool) {
        self.port = port
        self.keepsConnection = keepsConnection
    }

    func start() {
        Thread.detachNewThread { self.run() }
    }

    func stop() async throws -> (answers: Int, failures: [String]) {
        state.withLock { $0.isStopping = true }
        while !state.withLock({ $0.hasEnded }) { try await Task.sleep(for: .milliseconds(5)) }
        return state.withLock { ($0.answers, $0.failures) }
    }

    private func run() {
        var connection: RawConnection?
        while !state.withLock({ $0.isStopping }) {
            do {
                let current = try connection ?? RawConnection(port: port)
                let answer = try current.post(ScoreWorld.path, ScoreWorld.question)
                let isLast = answer.header("connection")?.lowercased() == "close"
                connection = keepsConnection && !isLast ? current : nil
                note(ScoreWorld.isRight(answer) ? nil : "\(answer)")
            } catch {
                connection = nil
                note("\(error)")
            }
            // New connections without a pause would use up the ports there are.
            if !keepsConnection { usleep(1_000) }
        }
        state.withLock { $0.hasEnded = true }
    }

    private func note(_ failure: String?) {
        state.withLock { state in
            if let failure { state.failures.append(failure) } else { state.answers += 1 }
        }
    }
}
