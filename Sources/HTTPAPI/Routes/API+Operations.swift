import FeatureService
import HTTPTypes
import Hummingbird
import Observability
import TextFormats

extension API {
    var operationsRoutes: [Route] {
        [
            Route(.get, "/health/live") { _, _ in .json(.object([.init("status", .string("live"))])) },
            Route(.get, "/health/ready", ready),
            Route(.get, "/metrics") { _, _ in
                dependencies.poolMetrics?.record()
                await dependencies.readiness.record()
                return Response(
                    status: .ok, headers: [.contentType: PrometheusMetricsFactory.contentType],
                    body: ResponseBody(byteBuffer: ByteBuffer(bytes: dependencies.metrics.scrape())))
            },
            Route(.get, "/openapi.json") { _, _ in .json(Self.openAPI) },
        ]
    }

    private static let openAPI = OpenAPIDocument.json.serialized()

    @Sendable
    private func ready(_ request: Request, _ context: APIContext) async throws -> Response {
        let checks = await dependencies.readiness.check()
        let isReady = checks.allSatisfy(\.isPassed)
        var response = Response.json(
            .object([
                .init("status", .string(isReady ? "ready" : "not_ready")),
                .init(
                    "checks",
                    .array(
                        checks.map { check in
                            .object([
                                .init("name", .string(check.name)),
                                .init("status", .string(check.isPassed ? "pass" : "fail")),
                                .init("detail", .string(check.detail)),
                            ])
                        })),
            ]),
            status: isReady ? .ok : .serviceUnavailable)
        if !isReady { response.headers[.retryAfter] = "1" }
        return response
    }
}
