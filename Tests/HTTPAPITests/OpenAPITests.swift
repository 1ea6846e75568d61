import FeatureService
import Foundation
import HTTPTypes
import Testing
import TextFormats

@testable import HTTPAPI

@Suite("OpenAPI document")
struct OpenAPITests {
    @Test("describes exactly the routes there are")
    func routes() throws {
        let described = try members(OpenAPIDocument.json["paths"]).flatMap { path in
            try members(path.value).map(\.name).filter { $0 != "parameters" }.map { "\($0.uppercased()) \(path.name)" }
        }
        #expect(Set(described) == Set(Fixture.routes.map { "\($0.method.rawValue) \($0.path)" }))
        #expect(described.count == Set(described).count)
    }

    @Test("every reference in it leads somewhere")
    func references() throws {
        let references = collectReferences(OpenAPIDocument.json)
        #expect(references.count > 20)
        for reference in references {
            var value: JSONValue? = OpenAPIDocument.json
            for part in reference.dropFirst(2).split(separator: "/") { value = value?[String(part)] }
            #expect(value != nil, "\(reference)")
        }
    }

    @Test("docs/openapi.json is a copy of it; UPDATE_GOLDEN=1 writes it anew")
    func golden() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/openapi.json")
        let document = OpenAPIDocument.json.serialized(pretty: true) + [UInt8(ascii: "\n")]
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try Data(document).write(to: path)
        }
        #expect(try Data(contentsOf: path) == Data(document))
    }

    private func members(_ value: JSONValue?) throws -> [JSONValue.Member] {
        guard case .object(let members) = value else {
            Issue.record("expected an object")
            return []
        }
        return members
    }

    private func collectReferences(_ value: JSONValue) -> [String] {
        switch value {
        case .object(let members):
            members.flatMap { member in
                if member.name == "$ref", case .string(let target) = member.value { return [target] }
                return collectReferences(member.value)
            }
        case .array(let values): values.flatMap(collectReferences)
        default: []
        }
    }
}
