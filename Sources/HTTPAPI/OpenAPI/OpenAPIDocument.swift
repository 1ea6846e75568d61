import TextFormats

/// What the API is, as OpenAPI 3.1. `docs/openapi.json` is a copy of it.
enum OpenAPIDocument {
    static let json: JSONValue = [
        "openapi": "3.1.0",
        "info": [
            "title": "Larder",
            "version": "1",
            "description":
                "Features of entities, online. Errors are application/problem+json (RFC 9457) with a stable code.",
        ],
        "servers": [["url": "http://127.0.0.1:6580"]],
        "tags": [
            ["name": "serving", "description": "Features of entities as of now"],
            ["name": "registry", "description": "What is defined"],
            ["name": "writes", "description": "Rows into sources and feature views"],
            ["name": "definitions", "description": "Plans and applies"],
            ["name": "training", "description": "Training sets"],
            ["name": "jobs", "description": "Long work: how it stands, what it made"],
            ["name": "feast", "description": "Paths that Feast's clients speak"],
            ["name": "operations", "description": "Health, metrics, this document"],
        ],
        "paths": .object(paths),
        "components": [
            "schemas": .object(schemas),
            "responses": .object(problemResponses),
            "parameters": .object(pathParameters + jobPathParameters + rowsHeaders + viewRowsHeaders),
            "headers": [
                "X-Request-Id": [
                    "description": """
                    The id that the request came with in a header of this name, where that has 1 to 64 letters, digits, \
                    hyphens, underscores and dots of ASCII; otherwise, or where there are two, a new one. It is also the \
                    request_id of problems, and the server's log has it.
                    """,
                    "schema": ["type": "string"],
                ]
            ],
        ],
    ]

    private static var paths: [JSONValue.Member] {
        let groups: [[JSONValue.Member]] = [
            onlinePaths, registryPaths, writePaths, viewRowsPaths, definitionPaths, trainingSetPaths,
            materializationPaths, jobPaths, feastPaths, feastWritePaths, operationsPaths,
        ]
        return groups.flatMap { $0 }
    }

    private static var schemas: [JSONValue.Member] {
        let groups: [[JSONValue.Member]] = [
            requestSchemas, answerSchemas, rowsSchemas, viewSchemas, materializationSchemas, jobSchemas, feastSchemas,
        ]
        return groups.flatMap { $0 }
    }

    private static let pathParameters: [JSONValue.Member] = [
        .init(
            "project",
            [
                "name": "project", "in": "path", "required": true, "description": "Name of a project",
                "schema": ["type": "string"],
            ]),
        .init(
            "name",
            [
                "name": "name", "in": "path", "required": true, "description": "Name of the object",
                "schema": ["type": "string"],
            ]),
    ]

    static func reference(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(name)")] }

    static func json(_ description: String, _ schema: JSONValue) -> JSONValue {
        [
            "description": .string(description),
            "headers": ["X-Request-Id": ["$ref": "#/components/headers/X-Request-Id"]],
            "content": ["application/json": ["schema": schema]],
        ]
    }

    /// Answers of an operation: 200 and the problems that it may have.
    static func responses(_ success: JSONValue, problems: [String]) -> JSONValue {
        .object(
            [.init("200", success)]
                + problems.map { .init($0, ["$ref": .string("#/components/responses/Problem\($0)")]) })
    }
}
