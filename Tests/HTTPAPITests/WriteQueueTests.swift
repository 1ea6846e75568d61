import FeatureModel
import HTTPTypes
import TestSupport
import Testing
import TextFormats

@testable import HTTPAPI

@Suite("Write queue")
struct WriteQueueTests {
    @Test("a full queue is answered 503 with the time after which to try again")
    func queueFull() {
        let problem = Problem(
            LarderError(.writeQueueFull, "2 pushes wait to be written"), path: "/", requestID: "1", logger: .silent)
        #expect(problem.status.code == 503)
        #expect(problem.headers[.retryAfter] == "1")
        #expect(problem.body["code"] == .string("write_queue_full"))
    }
}
