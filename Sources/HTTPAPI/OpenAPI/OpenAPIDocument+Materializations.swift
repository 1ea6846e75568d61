import TextFormats

extension OpenAPIDocument {
    static let materializationPaths: [JSONValue.Member] = [
        .init(
            "/v1/projects/{project}/materializations",
            [
                "parameters": [["$ref": "#/components/parameters/project"]],
                "post": [
                    "operationId": "materialize", "tags": ["jobs"],
                    "summary": "Queue a job that computes feature views and publishes them",
                    "description": """
                    It goes on where the last run ended. With start or end it is a backfill, which leaves alone where \
                    the next run continues. The job's result has feature_views: what was done, view by view.
                    """,
                    "requestBody": [
                        "required": true,
                        "content": [
                            "application/json": [
                                "schema": reference("MaterializationRequest"),
                                "example": ["feature_views": ["airport_weather"]],
                            ]
                        ],
                    ],
                    "responses": queued,
                ],
            ])
    ]

    private static var queued: JSONValue {
        let problems = ["400", "403", "404", "406", "413", "415", "500", "503"]
        return .object(
            [.init("202", json("The job, queued", reference("Job")))]
                + problems.map { .init($0, ["$ref": .string("#/components/responses/Problem\($0)")]) })
    }

    static let materializationSchemas: [JSONValue.Member] = [
        .init(
            "MaterializationRequest",
            [
                "type": "object",
                "properties": [
                    "feature_views": [
                        "type": "array", "items": ["type": "string"], "description": "All without it",
                    ],
                    "start": ["type": "string", "format": "date-time", "description": "The earliest event time"],
                    "end": ["type": "string", "format": "date-time", "description": "The latest event time"],
                    "full": [
                        "type": "boolean", "default": false,
                        "description": "Compare and publish everything, also where following what is new would do",
                    ],
                    "only": [
                        "enum": ["offline", "online"], "description": "One half: offline computes, online publishes",
                    ],
                ],
                "additionalProperties": false,
            ])
    ]
}
