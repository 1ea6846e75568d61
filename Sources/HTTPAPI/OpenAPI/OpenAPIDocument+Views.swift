import FeatureService
import TextFormats

/// Rows into feature views, and plans and applies.
extension OpenAPIDocument {
    static let viewRowsPaths: [JSONValue.Member] = [
        .init(
            "/v1/projects/{project}/feature-views/{name}/rows",
            [
                "parameters": [["$ref": "#/components/parameters/project"], ["$ref": "#/components/parameters/name"]],
                "post": [
                    "operationId": "writeViewRows", "tags": ["writes"],
                    "summary": "Write rows straight into a feature view of a push source, and publish them",
                    "description": """
                    A row has the join keys, the source's timestamp, and features by name. The source's created_timestamp may be left \
                    out: such a row counts as recorded before every row that has one. The rows are in PostgreSQL before the \
                    answer. 202 says that they are not published yet; that follows once Redis takes writes.
                    """,
                    "parameters": .array(
                        (rowsHeaders + viewRowsHeaders).map {
                            ["$ref": .string("#/components/parameters/\($0.name)")]
                        }),
                    "requestBody": [
                        "required": true,
                        "content": [
                            "application/json": [
                                "schema": reference("ViewRowsRequest"),
                                "example": [
                                    "schema_version": 2, "to": "both",
                                    "rows": [["customer_id": 1, "at": "2024-05-01T10:00:00Z", "score": 7]],
                                ],
                            ],
                            "application/x-ndjson": ["schema": ["type": "string"]],
                            "application/vnd.apache.arrow.stream": [
                                "schema": ["type": "string", "format": "binary"]
                            ],
                        ],
                    ],
                    "responses": viewRowsResponses,
                ],
            ])
    ]

    private static var viewRowsResponses: JSONValue {
        let report = reference("ViewWriteReport")
        guard
            case .object(var members) = responses(
                json("The rows are written, and published where that was asked for", report),
                problems: ["400", "403", "404", "406", "409", "413", "415", "422", "500", "503"])
        else { return report }
        members.insert(.init("202", json("The rows are written and not published yet", report)), at: 1)
        return .object(members)
    }

    static let viewRowsHeaders: [JSONValue.Member] = [
        .init("Larder-Write-To", ["name": "Larder-Write-To", "in": "header", "schema": destinationSchema])
    ]

    private static let destinationSchema: JSONValue = [
        "enum": .array(WriteDestination.allCases.map { .string($0.rawValue) }), "default": "both",
        "description": "online and both publish at once, offline leaves that to the next materialize",
    ]

    static let definitionPaths: [JSONValue.Member] = [
        definitionPath(
            "plan", "planDefinitions", "What applying definitions would do",
            "A change that would be refused is an answer too: the reasons are in refusals.", "Plan",
            problems: ["400", "403", "404", "406", "413", "415", "422", "500", "503"]),
        definitionPath(
            "apply", "applyDefinitions", "Make definitions the project's newest revision",
            "All of it happens in one transaction, or none of it.", "Applied",
            problems: ["400", "403", "404", "406", "409", "413", "415", "422", "500", "503"]),
    ]

    private static func definitionPath(
        _ name: String, _ operation: String, _ summary: String, _ description: String, _ schema: String,
        problems: [String]
    ) -> JSONValue.Member {
        .init(
            "/v1/projects/{project}/\(name)",
            [
                "parameters": [["$ref": "#/components/parameters/project"]],
                "post": [
                    "operationId": .string(operation), "tags": ["definitions"], "summary": .string(summary),
                    "description": .string(description),
                    "requestBody": [
                        "required": true,
                        "content": [
                            "application/json": [
                                "schema": reference("DefinitionRequest"),
                                "example": ["files": ["project.yaml": "kind: project\nname: flights\n"]],
                            ]
                        ],
                    ],
                    "responses": responses(json("As the command prints it", reference(schema)), problems: problems),
                ],
            ])
    }

    static let viewSchemas: [JSONValue.Member] = [
        .init(
            "ViewRowsRequest",
            [
                "type": "object", "required": ["rows"],
                "properties": .object(rowsMembers + [.init("to", destinationSchema)]),
                "additionalProperties": false,
            ]),
        .init(
            "ViewWriteReport",
            [
                "allOf": [
                    reference("WriteReport"),
                    object(
                        [
                            "generation": [
                                "type": "integer", "description": "That the rows went into: that of their version",
                            ],
                            "online": [
                                "enum": ["published", "pending", "none"],
                                "description": "none: publishing was not asked for, or the view is not online",
                            ],
                            "online_pending": object(
                                ["code": ["type": "string"], "detail": ["type": "string"], "hint": ["type": "string"]],
                                optional: ["hint"]),
                        ], optional: ["online_pending"]),
                ]
            ]),
        .init(
            "DefinitionRequest",
            [
                "type": "object", "required": ["files"],
                "properties": [
                    "files": [
                        "type": "object", "additionalProperties": ["type": "string"],
                        "description": "The text of each definition file by its name; the whole tree",
                    ],
                    "allow_removals": ["type": "boolean", "default": false],
                    "expected_revision": [
                        "type": "integer",
                        "description":
                            "apply: the revision a plan was seen for; another one is refused. 0: no project yet",
                    ],
                ],
                "additionalProperties": false,
            ]),
        .init("Plan", ["type": "object", "description": "As larder plan --output json prints it"]),
        .init(
            "Applied",
            object([
                "project": ["type": "string"], "revision": ["type": "integer"],
                "applied": ["type": "boolean", "description": "false when there was nothing to do"],
                "plan": reference("Plan"),
            ])),
    ]
}
