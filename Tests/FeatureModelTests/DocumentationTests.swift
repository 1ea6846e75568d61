import FeatureModel
import Foundation
import Testing

@Suite struct DocumentationTests {
    @Test func `every error code is in docs/errors.md, with its HTTP status`() throws {
        let checkout = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let document = try String(contentsOf: checkout.appending(path: "docs/errors.md"), encoding: .utf8)
        // Reasons of rows come further down.
        let text = document.components(separatedBy: "\n## ")[0]
        for code in ErrorCode.all {
            #expect(text.contains("| `\(code.name)` | \(code.httpStatus) |"), "\(code.name)")
        }
        let rows = text.split(whereSeparator: \.isNewline).count { $0.hasPrefix("| `") }
        #expect(rows == ErrorCode.all.count, "docs/errors.md names codes that do not exist")
    }
}
