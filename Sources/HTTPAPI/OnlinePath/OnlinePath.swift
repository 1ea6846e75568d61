import FeatureDefinitions
import FeatureModel
import FeatureService
import Logging
import NIOCore
import NIOHTTP1
import Observability

/// The part of the API that is answered on the event loop: which requests those are, and what all event loops share.
///
/// It takes what is straightforward and has an answer. Everything else, above all everything that has to be refused, goes the
/// ordinary way, which says why.
final class OnlinePath: Sendable {
    /// A request that may be answered here.
    struct Route {
        let project: String?
        let format: OnlineAnswerFormat
        let requestID: String?
        let traceParent: String?

        func identity(_ requestID: String) -> RequestIdentity {
            RequestIdentity(requestID: requestID, traceParent: traceParent)
        }

        /// As it is registered with the router.
        var path: String { project == nil ? OnlinePath.feastPath : OnlinePath.larderPath }
    }

    static let larderPath = "/v1/projects/{project}/online-features"
    static let feastPath = "/get-online-features"

    let configuration: ServerConfiguration
    let onlineFeatures: OnlineFeatures
    let snapshots: ServingSnapshotStore
    let refusals: LogLimiter<RequestOutcome.Refusal>
    let logger: Logger
    let metrics = OnlinePathMetrics()

    init(
        _ configuration: ServerConfiguration, _ dependencies: ServerDependencies,
        refusals: LogLimiter<RequestOutcome.Refusal>, logger: Logger
    ) {
        self.configuration = configuration
        onlineFeatures = dependencies.onlineFeatures
        snapshots = dependencies.snapshots
        self.refusals = refusals
        self.logger = logger
    }

    var maximumBodyBytes: Int { configuration.limits.maximumBodyBytes }

    // MARK: Which requests

    /// - Returns: nil for a request that is not for here.
    func route(_ head: HTTPRequestHead) -> Route? {
        guard head.method == .POST else { return nil }
        let project: String?
        if head.uri == Self.feastPath {
            project = nil
        } else {
            guard let name = Self.project(head.uri) else { return nil }
            project = name
        }
        return route(to: project, head.headers)
    }

    /// Counts a request, if it is an online one, as answered further in.
    func countOrdinary(_ head: HTTPRequestHead) {
        guard head.method == .POST, head.uri == Self.feastPath || Self.project(head.uri) != nil else { return }
        metrics.count(.ordinary)
    }

    /// - Returns: nil when the headers say something out of the ordinary. A header that is there twice means both together.
    private func route(to project: String?, _ headers: HTTPHeaders) -> Route? {
        var format: OnlineAnswerFormat?
        var hasContentType = false
        var isChunked = false
        var requestID: String?
        var traceParent: String?
        for (name, value) in headers {
            switch name.utf8.count {
            // Only a browser says so. A page of another origin is refused.
            case 6 where name.isHeader("origin"), 14 where name.isHeader("sec-fetch-site"): return nil
            case 6 where name.isHeader("accept"):
                guard format == nil, let accepted = OnlineAnswerFormat(accept: value) else { return nil }
                format = accepted
            case 11 where name.isHeader("traceparent"):
                guard traceParent == nil else { return nil }
                traceParent = value
            case 12 where name.isHeader("content-type"):
                // Feast's own clients say nothing of the body's type, or something wrong.
                guard project == nil || (!hasContentType && RequestBodyType.isJSON(value)) else { return nil }
                hasContentType = true
            case 12 where name.isHeader("x-request-id"):
                guard requestID == nil, RequestIdentity.isSensible(value) else { return nil }
                requestID = value
            case 14 where name.isHeader("content-length"):
                guard let length = Int(value), length <= maximumBodyBytes else { return nil }
            case 16 where name.isHeader("content-encoding"): return nil
            case 17 where name.isHeader("transfer-encoding"):
                guard !isChunked, value.lowercased() == "chunked" else { return nil }
                isChunked = true
            default: break
            }
        }
        return Route(project: project, format: format ?? .json, requestID: requestID, traceParent: traceParent)
    }

    /// The project of `/v1/projects/NAME/online-features`; nil for other paths, and for names that need decoding.
    private static func project(_ uri: String) -> String? {
        let prefix = "/v1/projects/"
        let suffix = "/online-features"
        guard uri.utf8.count > prefix.utf8.count + suffix.utf8.count, uri.hasPrefix(prefix), uri.hasSuffix(suffix)
        else {
            return nil
        }
        let name = uri.utf8.dropFirst(prefix.utf8.count).dropLast(suffix.utf8.count)
        guard
            name.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: false
                }
            })
        else { return nil }
        return String(Substring(name))
    }
}

extension String {
    /// Whether it is a header's name, which has no case.
    /// - Parameter name: in lower case.
    fileprivate func isHeader(_ name: StaticString) -> Bool {
        let bytes = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        return utf8.elementsEqual(bytes) { byte, lower in
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 == lower : byte == lower
        }
    }
}
