import FeatureModel
import FeatureService
import HTTPTypes
import Logging
import NIOCore
import OnlineStore
import RedisClient
import TextFormats

/// One online request on its way to Redis and back, on one event loop.
final class OnlineExchange: RedisValuesReceiver {
    let isKeptAlive: Bool
    private let loop: OnlineLoop
    private let route: OnlinePath.Route
    private let body: OnlineBody
    private let template: OnlineTemplate
    private let parts: OnlineAnswerParts
    private let columns: [Column]
    private let lookup: OnlineLookup
    private let command: RedisCommand
    private let connection: RedisConnection
    private let start = ContinuousClock.now
    private var response: OnlineWireResponse?
    private var completion: (() -> Void)?

    init(
        _ loop: OnlineLoop, route: OnlinePath.Route, isKeptAlive: Bool, body: OnlineBody, template: OnlineTemplate,
        parts: OnlineAnswerParts, columns: [Column], lookup: OnlineLookup, command: RedisCommand,
        connection: RedisConnection
    ) {
        self.loop = loop
        self.route = route
        self.isKeptAlive = isKeptAlive
        self.body = body
        self.template = template
        self.parts = parts
        self.columns = columns
        self.lookup = lookup
        self.command = command
        self.connection = connection
    }

    /// - Parameter completion: called exactly once, on the event loop; the response is there then.
    func send(_ completion: @escaping () -> Void) {
        self.completion = completion
        if let refusal = connection.send(command, to: self, expecting: command.argumentCount) { fail(refusal) }
    }

    func receive(_ values: borrowing RedisValues) {
        let now = loop.clock.now
        let rows: [OnlineRow]
        do throws(LarderError) {
            rows = try loop.reader.judge(values, of: lookup, from: connection, now: now)
        } catch {
            return finish(error)
        }
        var response = OnlineWireResponse(requestID: requestID)
        do throws(LarderError) {
            switch route.format {
            case .json:
                values.withBytes { bytes in
                    OnlineAnswerText(template, parts, body, dialect: dialect).write(rows, bytes, into: &response.body)
                }
            case .arrow:
                response.contentType = "application/vnd.apache.arrow.stream"
                let answer = try values.withBytes { bytes in
                    Result { () throws(LarderError) in
                        try template.answer(rows, bytes, columns: columns, entityCount: body.entityCount)
                    }
                }.get()
                response.body.writeBytes(answer.arrowStream())
            }
        } catch {
            return finish(error)
        }
        // Who writes the head before the body has to be the only one who holds them, or they are copied.
        finish(consume response, nil)
    }

    /// The response as bytes, once.
    /// - Parameter isLast: whether the connection is closed behind it.
    func takeResponse(isLast: Bool, date: HTTPDate) -> ByteBuffer {
        guard var response else { preconditionFailure("an exchange has no response yet, or no more") }
        self.response = nil
        return response.takeBytes(isLast: isLast, date: date)
    }

    func fail(_ error: RedisError) {
        finish(LarderError(readingFeatures: error))
    }

    private var dialect: OnlineResponseWriter.Dialect {
        route.project == nil ? .feast(withVersions: body.includesVersions) : .larder
    }

    private lazy var requestID = route.requestID ?? RequestIdentity.makeRequestID()

    private func finish(_ error: LarderError) {
        let logger = route.identity(requestID).annotate(loop.path.logger)
        let problem = Problem(error, path: route.path, requestID: requestID, logger: logger)
        finish(OnlineWireResponse(problem), problem)
    }

    private func finish(_ response: consuming OnlineWireResponse, _ problem: Problem?) {
        let duration = ContinuousClock.now - start
        loop.path.metrics.record(
            route, status: response.status.code, code: problem?.error.code, duration: duration)
        if problem != nil || loop.logsSuccess {
            RequestOutcome(
                method: "POST", route: route.path, status: response.status, problem: problem, duration: duration
            ).log(to: route.identity(requestID).annotate(loop.path.logger), loop.path.refusals)
        }
        self.response = consume response
        let completion = completion
        self.completion = nil
        completion?()
    }
}
