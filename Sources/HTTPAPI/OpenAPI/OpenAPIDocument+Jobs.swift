import Jobs
import TextFormats

extension OpenAPIDocument {
    static let jobPaths: [JSONValue.Member] = [
        .init(
            "/v1/projects/{project}/jobs",
            [
                "parameters": [["$ref": "#/components/parameters/project"]],
                "get": [
                    "operationId": "listJobs", "tags": ["jobs"], "summary": "Jobs of a project, newest first",
                    "parameters": [
                        query(
                            "state", ["type": "array", "items": jobState],
                            "Only jobs in one of these states, separated by commas"),
                        query(
                            "before", ["type": "integer"], "Only jobs with smaller ids than this: the list's next page"),
                        query(
                            "limit", ["type": "integer", "minimum": 1, "maximum": 1_000, "default": 100],
                            "How many jobs at most"),
                    ],
                    "responses": responses(
                        json(
                            "The jobs",
                            object([
                                "project": ["type": "string"],
                                "jobs": ["type": "array", "items": reference("Job")],
                            ])), problems: ["400", "404", "503"]),
                ],
            ]),
        .init(
            "/v1/projects/{project}/jobs/{id}",
            [
                "parameters": jobParameters,
                "get": [
                    "operationId": "describeJob", "tags": ["jobs"], "summary": "One job, as it stands now",
                    "responses": responses(json("The job", reference("Job")), problems: ["404", "503"]),
                ],
                "delete": [
                    "operationId": "cancelJob", "tags": ["jobs"], "summary": "Ask a job to stop",
                    "description": "A queued job is cancelled at once, a running one by its worker soon.",
                    "responses": accepted("It is cancelled, or asked to stop"),
                ],
            ]),
        .init(
            "/v1/projects/{project}/jobs/{id}/retry",
            [
                "parameters": jobParameters,
                "post": [
                    "operationId": "retryJob", "tags": ["jobs"],
                    "summary": "Queue a job again that failed, was cancelled, or waits for its next attempt",
                    "responses": accepted("It is queued"),
                ],
            ]),
        .init(
            "/v1/projects/{project}/jobs/{id}/output",
            [
                "parameters": jobParameters,
                "get": [
                    "operationId": "downloadJobOutput", "tags": ["jobs"], "summary": "What a job has made",
                    "responses": responses(
                        [
                            "description": "The bytes, of the type that the job's result names",
                            "headers": ["X-Request-Id": ["$ref": "#/components/headers/X-Request-Id"]],
                            "content": ["*/*": ["schema": ["type": "string", "format": "binary"]]],
                        ], problems: ["404", "409", "503"]),
                ],
            ]),
    ]

    static let jobPathParameters: [JSONValue.Member] = [
        .init(
            "job",
            [
                "name": "id", "in": "path", "required": true, "description": "Id of a job",
                "schema": ["type": "integer"],
            ])
    ]

    private static let jobParameters: JSONValue = [
        ["$ref": "#/components/parameters/project"], ["$ref": "#/components/parameters/job"],
    ]

    private static let jobState: JSONValue = ["enum": .array(JobState.allCases.map { .string($0.rawValue) })]

    static func query(_ name: String, _ schema: JSONValue, _ description: String) -> JSONValue {
        [
            "name": .string(name), "in": "query", "explode": false, "description": .string(description),
            "schema": schema,
        ]
    }

    private static func accepted(_ description: String) -> JSONValue {
        .object(
            [.init("202", json(description, reference("Job")))]
                + ["403", "404", "409", "503"].map {
                    .init($0, ["$ref": .string("#/components/responses/Problem\($0)")])
                })
    }

    private static let instant: JSONValue = ["type": "string", "format": "date-time"]

    static let jobSchemas: [JSONValue.Member] = [
        .init(
            "Job",
            object(
                [
                    "id": ["type": "integer"], "project": ["type": "string"],
                    "kind": ["type": "string", "description": "Such as training_set"], "state": jobState,
                    "cancel_requested": ["type": "boolean"], "rows_done": ["type": "integer"],
                    "rows_total": ["type": "integer"],
                    "note": ["type": "string", "description": "What is being done"],
                    "rows_per_second": ["type": "integer"], "elapsed_seconds": ["type": "number"],
                    "remaining_seconds": ["type": "number", "description": "At the rate so far"],
                    "attempts": ["type": "integer"], "maximum_attempts": ["type": "integer"],
                    "worker": ["type": "string"], "created_by": ["type": "string"], "created_at": instant,
                    "started_at": instant, "finished_at": instant,
                    "retry_at": [
                        "type": "string", "format": "date-time",
                        "description": "When a job that failed for a passing reason is begun again at the earliest",
                    ],
                    "expires_at": [
                        "type": "string", "format": "date-time", "description": "When it is removed with its output",
                    ],
                    "payload": ["type": "object"], "result": ["type": "object"],
                    "error": object(
                        [
                            "code": ["type": "string"], "detail": ["type": "string"], "hint": ["type": "string"],
                            "errors": ["type": "array", "items": ["type": "object"]],
                            "violation_count": ["type": "integer"],
                        ], optional: ["hint", "errors", "violation_count"]),
                ],
                optional: [
                    "rows_total", "note", "rows_per_second", "elapsed_seconds", "remaining_seconds", "worker",
                    "started_at", "finished_at", "retry_at", "expires_at", "result", "error",
                ]))
    ]
}
