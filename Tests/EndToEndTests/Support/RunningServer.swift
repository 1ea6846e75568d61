import Foundation
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// A server that is asked over HTTP.
struct RunningServer {
    let address: String
    /// Nil for a server of somebody else's.
    var program: RunningProgram?

    /// What the server has logged so far.
    var log: String { program?.errors ?? "" }

    /// Headers of a request that sends CSV and wants CSV.
    static let csv = ["Content-Type": "text/csv", "Accept": "text/csv"]

    struct Answer: CustomStringConvertible {
        let status: Int
        let text: String

        /// Of a JSON object; empty for anything else.
        var members: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:]
        }

        subscript(_ name: String) -> Any? { members[name] }

        var description: String { "\(status) \(text)" }
    }

    func get(_ path: String) async throws -> Answer {
        try await send(URLRequest(url: try #require(URL(string: address + path))))
    }

    func post(
        _ path: String, _ body: String, headers: [String: String] = ["Content-Type": "application/json"]
    ) async throws -> Answer {
        var request = URLRequest(url: try #require(URL(string: address + path)))
        request.httpMethod = "POST"
        request.httpBody = Data(body.utf8)
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        return try await send(request)
    }

    /// A server listens before it has read the registry.
    func waitUntilItKnowsTheRegistry() async throws {
        for _ in 0..<400 {
            if try await get("/health").status == 200 { return }
            try await Task.sleep(for: .milliseconds(25))
        }
        Issue.record("the server at \(address) has not read the registry within 10 s")
    }

    private func send(_ request: URLRequest) async throws -> Answer {
        let (data, response) = try await URLSession.shared.data(for: request)
        return Answer(
            status: try #require(response as? HTTPURLResponse).statusCode, text: String(decoding: data, as: UTF8.self))
    }
}

extension Installation {
    /// Runs `body` with a server, which has to end well when it is then asked to stop.
    func withServer(
        _ options: String..., knowingTheRegistry: Bool = true, _ body: (RunningServer) async throws -> Void
    ) async throws {
        let server = try RunningProgram(["serve", "--port", "0"] + options, environment: environment)
        do {
            let running = RunningServer(address: try await server.address(), program: server)
            if knowingTheRegistry { try await running.waitUntilItKnowsTheRegistry() }
            try await body(running)
        } catch {
            server.signal(SIGKILL)
            throw error
        }
        server.signal(SIGTERM)
        let outcome = try await server.outcome(within: .seconds(30))
        #expect(outcome.status == 0, "\(outcome)")
    }
}
