import FeatureService
import TextFormats

extension OpenAPIDocument {
    static let onlinePaths: [JSONValue.Member] = [
        .init(
            "/v1/projects/{project}/online-features",
            [
                "parameters": [["$ref": "#/components/parameters/project"]],
                "post": [
                    "operationId": "getOnlineFeatures", "tags": ["serving"],
                    "summary": "Features of entities as of now",
                    "requestBody": [
                        "required": true,
                        "content": [
                            "application/json": [
                                "schema": reference("OnlineRequest"),
                                "example": [
                                    "feature_service": "departure_delay",
                                    "entities": ["origin": ["JFK", "EWR"], "tailnum": ["N14228", "N24211"]],
                                    "full_feature_names": false,
                                ],
                            ]
                        ],
                    ],
                    "responses": responses(
                        onlineAnswer(nativeDescription, "OnlineAnswer"),
                        problems: ["400", "403", "404", "406", "409", "413", "415", "422", "500", "503"]),
                ],
            ])
    ]

    private static let nativeDescription = """
        As JSON one result for each key and each feature, its arrays over the entities. As an Arrow stream (Accept: \
        application/vnd.apache.arrow.stream) one record batch with a row for each entity: the keys, each feature with its \
        status in NAME__status, and VIEW__event_timestamp for each view. Keys that nothing asked for needs are not looked \
        at: JSON repeats their values as they came, an Arrow stream, whose columns have types, is without them.
        """

    private static func onlineAnswer(_ description: String, _ schema: String) -> JSONValue {
        [
            "description": .string(description),
            "headers": ["X-Request-Id": ["$ref": "#/components/headers/X-Request-Id"]],
            "content": [
                "application/json": ["schema": reference(schema)],
                "application/vnd.apache.arrow.stream": ["schema": ["type": "string", "format": "binary"]],
            ],
        ]
    }

    static let registryPaths: [JSONValue.Member] = ServedProject.Collection.allCases.flatMap { collection in
        let schema = schemaName(collection)
        let member = collection.rawValue.split(separator: "-").joined(separator: "_")
        let words = collection.rawValue.split(separator: "-").joined(separator: " ")
        return [
            JSONValue.Member(
                "/v1/projects/{project}/\(collection.rawValue)",
                [
                    "parameters": [["$ref": "#/components/parameters/project"]],
                    "get": [
                        "operationId": .string("list\(schema)s"), "tags": ["registry"],
                        "summary": .string("All \(words) of a project, by name"),
                        "responses": responses(
                            json(
                                "The newest revision that this server knows",
                                [
                                    "type": "object", "required": ["project", "revision", .string(member)],
                                    "properties": .object([
                                        .init("project", ["type": "string"]), .init("revision", ["type": "integer"]),
                                        .init(member, ["type": "array", "items": reference(schema)]),
                                    ]),
                                ]), problems: ["404", "503"]),
                    ],
                ]),
            JSONValue.Member(
                "/v1/projects/{project}/\(collection.rawValue)/{name}",
                [
                    "parameters": [
                        ["$ref": "#/components/parameters/project"], ["$ref": "#/components/parameters/name"],
                    ],
                    "get": [
                        "operationId": .string("describe\(schema)"), "tags": ["registry"],
                        "summary": .string("One of the project's \(words)"),
                        "responses": responses(
                            json("The object", reference(schema)), problems: ["404", "503"]),
                    ],
                ]),
        ]
    }

    private static func schemaName(_ collection: ServedProject.Collection) -> String {
        switch collection {
        case .entities: "Entity"
        case .sources: "Source"
        case .featureViews: "FeatureView"
        case .featureServices: "FeatureService"
        }
    }

    static let feastPaths: [JSONValue.Member] = [
        .init(
            "/get-online-features",
            [
                "post": [
                    "operationId": "feastGetOnlineFeatures", "tags": ["feast"],
                    "summary": "Features of entities as of now, in Feast's words",
                    "description": """
                    The project is the server's feast.project setting. Statuses are Feast's four; where there is no event \
                    time it is 1970-01-01T00:00:00Z.
                    """,
                    "requestBody": [
                        "required": true,
                        "content": ["application/json": ["schema": reference("FeastOnlineRequest")]],
                    ],
                    "responses": responses(
                        onlineAnswer("As of the native path", "FeastOnlineAnswer"),
                        problems: ["400", "403", "404", "406", "409", "413", "415", "422", "500", "503"]),
                ]
            ]),
        .init(
            "/health",
            [
                "get": [
                    "operationId": "feastHealth", "tags": ["feast"], "summary": "Whether the registry has been read",
                    "responses": responses(json("It has", reference("Status")), problems: ["503"]),
                ]
            ]),
    ]

    static let operationsPaths: [JSONValue.Member] = [
        .init(
            "/health/live",
            [
                "get": [
                    "operationId": "live", "tags": ["operations"], "summary": "Whether the process answers",
                    "responses": responses(json("It does", reference("Status")), problems: []),
                ]
            ]),
        .init(
            "/health/ready",
            [
                "get": [
                    "operationId": "ready", "tags": ["operations"], "summary": "Whether the server can serve",
                    "responses": [
                        "200": json("Every check passed", reference("Readiness")),
                        "503": json("A check failed", reference("Readiness")),
                    ],
                ]
            ]),
        .init(
            "/metrics",
            [
                "get": [
                    "operationId": "metrics", "tags": ["operations"], "summary": "Metrics in Prometheus' text format",
                    "responses": [
                        "200": [
                            "description": "Text format 0.0.4",
                            "content": ["text/plain": ["schema": ["type": "string"]]],
                        ]
                    ],
                ]
            ]),
        .init(
            "/openapi.json",
            [
                "get": [
                    "operationId": "openAPI", "tags": ["operations"], "summary": "This document",
                    "responses": responses(json("OpenAPI 3.1", ["type": "object"]), problems: []),
                ]
            ]),
    ]
}
