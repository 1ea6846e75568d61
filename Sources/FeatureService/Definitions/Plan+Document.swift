public import FeatureDefinitions
import FeatureModel
import Foundation
public import TextFormats

extension Plan {
    /// The plan as JSON, refusals included; the same over HTTP and from the command line.
    public var document: JSONValue {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return try JSONValue.parse(Array(encoder.encode(self)), code: .internalError)
        }
    }

    /// What became of the plan as JSON, once it was applied.
    public var appliedDocument: JSONValue {
        get throws {
            .object([
                .init("project", .string(projectName)), .init("revision", .integer(next?.revision ?? baseRevision)),
                .init("applied", .bool(!isNoOp)), .init("plan", try document),
            ])
        }
    }
}

extension ApplyDefinitions {
    /// - Returns: the plan as JSON; what it refuses is in it.
    /// - Throws: `LarderError`.
    public func planDocument(_ request: DefinitionRequest) async throws -> JSONValue {
        try await plan(request.definition, allowRemovals: request.allowsRemovals).document
    }

    /// - Returns: what was applied, as JSON.
    /// - Throws: as `apply`.
    public func appliedDocument(_ request: DefinitionRequest) async throws -> JSONValue {
        try await apply(
            request.definition, allowRemovals: request.allowsRemovals, expecting: request.expectedRevision
        ).appliedDocument
    }
}
