import FeatureService
import TextFormats

extension OpenAPIDocument {
    static let writePaths: [JSONValue.Member] = [
        .init(
            "/v1/projects/{project}/sources/{name}/rows",
            [
                "parameters": [["$ref": "#/components/parameters/project"], ["$ref": "#/components/parameters/name"]],
                "post": [
                    "operationId": "writeSourceRows", "tags": ["writes"],
                    "summary": "Write rows into a source of type table",
                    "description": """
                    The schema version is named in the body or in Larder-Schema-Version. An unknown or retired one is refused \
                    with the differences to the newest active version in errors.
                    """,
                    "parameters": .array(rowsHeaders.map { ["$ref": .string("#/components/parameters/\($0.name)")] }),
                    "requestBody": rowsBody,
                    "responses": responses(
                        json("What the write did", reference("WriteReport")),
                        problems: ["400", "403", "404", "406", "409", "413", "415", "422", "500", "503"]),
                ],
            ])
    ]

    /// The body of every request that brings rows.
    static let rowsBody: JSONValue = [
        "required": true,
        "content": [
            "application/json": [
                "schema": reference("RowsRequest"),
                "example": [
                    "schema_version": 1, "mode": "partial",
                    "rows": [["origin": "JFK", "time_hour": "2013-01-01T06:00:00Z", "temp": 39]],
                ],
            ],
            "application/x-ndjson": ["schema": ["type": "string"]],
            "application/vnd.apache.arrow.stream": ["schema": ["type": "string", "format": "binary"]],
        ],
    ]

    /// Headers of every request that brings rows, as components.
    static let rowsHeaders: [JSONValue.Member] = [
        .init("Larder-Schema-Version", header("Larder-Schema-Version", versionSchema)),
        .init("Larder-Write-Mode", header("Larder-Write-Mode", modeSchema)),
        .init("Idempotency-Key", header("Idempotency-Key", keySchema)),
    ]

    private static func header(_ name: String, _ schema: JSONValue) -> JSONValue {
        ["name": .string(name), "in": "header", "schema": schema]
    }

    private static let versionSchema: JSONValue = [
        "type": "integer", "description": "The version that the rows were made for; required here or in the body",
    ]

    private static let modeSchema: JSONValue = [
        "enum": .array(WriteMode.allCases.map { .string($0.rawValue) }), "default": "all_or_nothing",
        "description": "partial writes the good rows and quarantines the bad ones",
    ]

    private static let keySchema: JSONValue = [
        "type": "string", "maxLength": 256,
        "description": """
        A second write with the same key writes nothing. It is the same write once more if its rows are the same byte for byte, \
        for the same version, mode and destination; any other is refused (idempotency_key_reused). Without a key each write \
        counts
        """,
    ]

    /// Members of every JSON request that brings rows.
    static let rowsMembers: [JSONValue.Member] = [
        .init("schema_version", versionSchema), .init("rows", ["type": "array", "items": ["type": "object"]]),
        .init("mode", modeSchema), .init("idempotency_key", keySchema),
    ]

    static let rowsSchemas: [JSONValue.Member] = [
        .init(
            "RowsRequest",
            [
                "type": "object", "required": ["rows"],
                "properties": .object(rowsMembers), "additionalProperties": false,
            ]),
        .init(
            "WriteReport",
            object([
                "schema_version": ["type": "integer"], "rows_written": ["type": "integer"],
                "rows_replaced": [
                    "type": "integer",
                    "description": "Rows of earlier writes that a newer one with the same row key replaced",
                ],
                "rows_outdated": [
                    "type": "integer",
                    "description": "Rows of this write that do not count: a newer one has the same row key",
                ],
                "rows_quarantined": ["type": "integer"], "was_there_before": ["type": "boolean"],
                "warnings": ["type": "array", "items": ["type": "string"]],
                "violations": [
                    "type": "array", "description": "The first 1,000",
                    "items": object(
                        [
                            "row": ["type": "integer", "description": "From 1"], "line": ["type": "integer"],
                            "feature": ["type": "string"], "code": ["type": "string"],
                            "message": ["type": "string"],
                        ], optional: ["line", "feature"]),
                ],
                "violation_count": ["type": "integer"],
                "reasons": [
                    "type": "object", "description": "How often each code occurs",
                    "additionalProperties": ["type": "integer"],
                ],
            ])),
    ]
}
