import TextFormats

extension OpenAPIDocument {
    static let trainingSetPaths: [JSONValue.Member] = [
        .init(
            "/v1/projects/{project}/training-sets",
            [
                "parameters": [["$ref": "#/components/parameters/project"]],
                "get": [
                    "operationId": "listTrainingSets", "tags": ["training"], "summary": "Training sets that were kept",
                    "responses": responses(
                        json(
                            "The training sets",
                            object([
                                "project": ["type": "string"],
                                "training_sets": ["type": "array", "items": trainingSet],
                            ])), problems: ["404", "503"]),
                ],
                "post": [
                    "operationId": "createTrainingSet", "tags": ["training"],
                    "summary": "Join a spine with the features that were right at each row's time",
                    "description": .string(
                        "The body is the spine: an Arrow stream or file, CSV or NDJSON; or JSON with spine_sql, or with start and "
                            + "end, between which every change is a row, of the entities that are named or of all. The answer has "
                            + "the spine's rows in their order. One that fails midway is cut off. The columns of an NDJSON spine "
                            + "are the members of its first line."),
                    "parameters": .array(trainingSetParameters),
                    "requestBody": [
                        "required": true,
                        "content": .object(
                            frameTypes.map { .init($0, ["schema": ["type": "string", "format": "binary"]]) } + [
                                .init("application/json", ["schema": ["oneOf": [querySpine, changes]]])
                            ]),
                    ],
                    "responses": withJob(
                        responses(frame, problems: ["400", "403", "404", "406", "409", "413", "415", "422", "503"])),
                ],
            ]),
        .init(
            "/v1/projects/{project}/training-sets/{name}",
            [
                "parameters": namedParameters,
                "get": [
                    "operationId": "describeTrainingSet", "tags": ["training"],
                    "summary": "What a training set was made of, with statistics of its columns",
                    "responses": responses(
                        json("The training set", describedTrainingSet), problems: ["404", "503"]),
                ],
                "delete": [
                    "operationId": "deleteTrainingSet", "tags": ["training"], "summary": "Delete what was kept",
                    "responses": [
                        "204": ["description": "It is deleted"],
                        "403": ["$ref": "#/components/responses/Problem403"],
                        "404": ["$ref": "#/components/responses/Problem404"],
                        "503": ["$ref": "#/components/responses/Problem503"],
                    ],
                ],
            ]),
        .init(
            "/v1/projects/{project}/training-sets/{name}/reproduce",
            [
                "parameters": namedParameters,
                "post": [
                    "operationId": "reproduceTrainingSet", "tags": ["training"],
                    "summary": "Make a training set again, from the definitions and rows of its time",
                    "description":
                        "An answer whose content is not what it was is cut off; Larder-Content-SHA256 is the hash that it had.",
                    "responses": responses(frame, problems: ["400", "403", "404", "406", "409", "503"]),
                ],
            ]),
    ]

    private static func withJob(_ responses: JSONValue) -> JSONValue {
        guard case .object(var members) = responses else { return responses }
        members.insert(.init("202", json("The job that will make it, when job=true", reference("Job"))), at: 1)
        return .object(members)
    }

    private static let querySpine = object(["spine_sql": ["type": "string"]])

    private static let changes = object(
        [
            "start": ["type": "string", "format": "date-time"], "end": ["type": "string", "format": "date-time"],
            "entities": [
                "type": "object", "description": "The values of each join key, one for each entity",
                "additionalProperties": ["type": "array", "items": ["type": ["string", "integer", "boolean"]]],
            ],
        ], optional: ["entities"])

    private static let frameTypes = [
        "application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.file", "text/csv", "application/x-ndjson",
    ]

    private static let frame: JSONValue = [
        "description": "The frame, of the type that Accept names; an Arrow stream otherwise",
        "headers": ["X-Request-Id": ["$ref": "#/components/headers/X-Request-Id"]],
        "content": .object(frameTypes.map { .init($0, ["schema": ["type": "string", "format": "binary"]]) }),
    ]

    private static let namedParameters: JSONValue = [
        ["$ref": "#/components/parameters/project"], ["$ref": "#/components/parameters/name"],
    ]

    /// As a list has it.
    static let trainingSet = object([
        "name": ["type": "string"], "created_at": ["type": "string", "format": "date-time"],
        "created_by": ["type": "string"], "rows": ["type": "integer"], "content_sha256": ["type": "string"],
        "as_of": ["type": "string", "format": "date-time"],
    ])

    private static let trainingSetParameters: [JSONValue] = [
        query("service", ["type": "string"], "The features of this service"),
        query("features", ["type": "string"], "view:feature, view@2:feature, view:*, separated by commas"),
        query("timestamp_column", ["type": "string", "default": "event_timestamp"], "The spine's column of times"),
        query("timezone", ["type": "string"], "The zone of times without an offset"),
        query("null", ["type": "string"], "A further spelling of null in CSV"),
        query(
            "known_by", ["type": "string", "enum": ["event_time", "recorded", "arrival"]],
            "What makes a row known at a time"),
        query("as_of", ["type": "string", "format": "date-time"], "See the offline store as it was then"),
        query("ttl", ["type": "string"], "view=duration or view=none, separated by commas"),
        query("full_feature_names", ["type": "boolean"], "Name every feature view__feature"),
        query("include_timestamps", ["type": "boolean"], "Add each view's event time"),
        query("split", ["type": "string"], "train=0.8,test=0.2, or train=2013-02-01T00:00:00Z,test"),
        query("seed", ["type": "integer", "default": 0], "Of a split by shares"),
        query("name", ["type": "string"], "Keep it under this name"),
        query("job", ["type": "boolean"], "Answer 202 with a job, and make it beside other work"),
    ]
}
