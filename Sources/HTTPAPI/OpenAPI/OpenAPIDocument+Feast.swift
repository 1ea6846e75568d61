import TextFormats

/// The paths of Feast's feature server that change something.
extension OpenAPIDocument {
    static let feastWritePaths: [JSONValue.Member] = [
        feastPath(
            "/push", "feastPush", "Write rows into every feature view of a push source",
            """
            Each view is a write of its own, under its newest active version, and in PostgreSQL before the answer. 202 \
            says that rows are not published yet; that follows once Redis takes writes.
            """, request: "FeastPushRequest", answers: writeAnswers),
        feastPath(
            "/write-to-online-store", "feastWriteToOnlineStore", "Write rows into a feature view, and publish them",
            "As /push does; Feast's remote online store writes here.", request: "FeastWriteRequest",
            answers: writeAnswers),
        feastPath(
            "/materialize", "feastMaterialize", "Compute and publish what happened between two times",
            "Answers when it is done. It leaves alone where the next incremental run continues.",
            request: "FeastMaterializeRequest", parameters: materializeParameters, answers: materializeAnswers),
        feastPath(
            "/materialize-incremental", "feastMaterializeIncremental", "Go on from the last run",
            "Answers when it is done. An end_ts of a minute ago, or later, is now.",
            request: "FeastMaterializeIncrementalRequest", parameters: materializeParameters,
            answers: materializeAnswers),
    ]

    private static func feastPath(
        _ path: String, _ operation: String, _ summary: String, _ description: String, request: String,
        parameters: JSONValue = [], answers: JSONValue
    ) -> JSONValue.Member {
        .init(
            path,
            [
                "post": [
                    "operationId": .string(operation), "tags": ["feast"], "summary": .string(summary),
                    "description": .string(description), "parameters": parameters,
                    "requestBody": [
                        "required": true, "content": ["application/json": ["schema": reference(request)]],
                    ],
                    "responses": answers,
                ]
            ])
    }

    private static let materializeParameters: JSONValue = [
        query("async", ["type": "boolean", "default": false], "Answer 202 as soon as the job is queued"),
        query("force", ["type": "boolean"], "Changes nothing"),
    ]

    private static let writeAnswers = answers(
        json("The rows are written, and published where that was asked for", reference("FeastWriteReport")),
        accepted: json("The rows are written and not published yet", reference("FeastWriteReport")),
        problems: ["400", "403", "404", "409", "413", "415", "422", "500", "503"])

    private static let materializeAnswers = answers(
        json("It is done", reference("Job")), accepted: json("It is queued", reference("FeastAccepted")),
        problems: ["400", "403", "404", "409", "413", "415", "422", "500", "503"])

    private static func answers(_ done: JSONValue, accepted: JSONValue, problems: [String]) -> JSONValue {
        .object(
            [.init("200", done), .init("202", accepted)]
                + problems.map { .init($0, ["$ref": .string("#/components/responses/Problem\($0)")]) })
    }

    static let feastSchemas: [JSONValue.Member] = [
        .init(
            "FeastDataFrame",
            [
                "type": "object", "additionalProperties": ["type": "array", "items": [:]],
                "description": """
                The values of each column, one for each row. Times without an offset are UTC; features that are times \
                may be whole seconds since 1970. event_timestamp and created are the source's two times, whatever it \
                calls them; a time that is there under both names has to be the same. A row without created counts as \
                created before every row that has it. Columns that only the source has \
                are left out, which warnings say; the former name of a feature is refused.
                """,
            ]),
        .init("FeastPushRequest", feastRequest(pushMembers, required: ["push_source_name", "df"])),
        .init("FeastWriteRequest", feastRequest(writeMembers, required: ["feature_view_name", "df"])),
        .init(
            "FeastWriteReport",
            object([
                "feature_views": [
                    "type": "array",
                    "items": [
                        "allOf": [object(["feature_view": ["type": "string"]]), reference("ViewWriteReport")]
                    ],
                ]
            ])),
        .init("FeastMaterializeRequest", feastRequest(rangeMembers, required: [])),
        .init("FeastMaterializeIncrementalRequest", feastRequest(incrementalMembers, required: ["end_ts"])),
        .init(
            "FeastAccepted",
            object([
                "status": ["const": "accepted"], "feature_views": ["type": "array", "items": ["type": "string"]],
                "job": reference("Job"),
            ])),
    ]

    private static func feastRequest(_ members: [JSONValue.Member], required: [JSONValue]) -> JSONValue {
        [
            "type": "object", "required": .array(required), "properties": .object(members),
            "additionalProperties": false,
        ]
    }

    private static let ignored: JSONValue = ["type": "boolean", "description": "Changes nothing"]

    private static let ignoredOfWrites: [JSONValue.Member] = [
        .init("allow_registry_cache", ignored), .init("transform_on_write", ignored),
    ]

    private static let pushMembers: [JSONValue.Member] =
        [
            .init("push_source_name", ["type": "string"]), .init("df", reference("FeastDataFrame")),
            .init("to", ["enum": ["online", "offline", "online_and_offline"], "default": "online"]),
        ] + ignoredOfWrites

    private static let writeMembers: [JSONValue.Member] =
        [.init("feature_view_name", ["type": "string"]), .init("df", reference("FeastDataFrame"))] + ignoredOfWrites

    private static let time: JSONValue = [
        "type": "string", "description": "RFC 3339; without an offset it is UTC",
    ]

    private static let materializeMembers: [JSONValue.Member] = [
        .init("feature_views", ["type": ["array", "null"], "items": ["type": "string"]]),
        .init("full_feature_names", ignored),
        .init("version", ["type": "null", "description": "Every version is materialized with its view"]),
    ]

    private static let rangeMembers: [JSONValue.Member] =
        [
            .init("start_ts", time), .init("end_ts", time),
            .init(
                "disable_event_timestamp",
                ["type": "boolean", "default": false, "description": "Everything anew, in the place of a range"]),
        ] + materializeMembers

    private static let incrementalMembers: [JSONValue.Member] = [.init("end_ts", time)] + materializeMembers
}
