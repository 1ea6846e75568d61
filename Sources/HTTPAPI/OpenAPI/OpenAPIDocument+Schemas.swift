import FeatureModel
import TextFormats

extension OpenAPIDocument {
    private static let online: [JSONValue.Member] = [
        .init("feature_service", ["type": "string", "description": "Name of a feature service"]),
        .init(
            "features",
            [
                "type": "array", "items": ["type": "string"],
                "description": "view:feature, view:* or view@2:feature; in the place of feature_service",
            ]),
        .init(
            "entities",
            [
                "type": "object",
                "description": """
                The values of each join key, one for each entity. bytes are base64, dates YYYY-MM-DD. Join keys of the \
                project that nothing asked for needs may be there too, and are not looked at.
                """,
                "additionalProperties": [
                    "type": "array", "items": ["type": ["string", "integer", "boolean", "null"]],
                ],
            ]),
        .init(
            "full_feature_names",
            ["type": "boolean", "default": false, "description": "Names features view__feature"]),
    ]

    static let requestSchemas: [JSONValue.Member] = [
        .init("OnlineRequest", ["type": "object", "properties": .object(online), "additionalProperties": false]),
        .init(
            "FeastOnlineRequest",
            [
                "type": "object",
                "properties": .object(
                    online + [
                        .init(
                            "include_feature_view_version_metadata",
                            ["type": "boolean", "description": "Fills metadata.feature_view_metadata"])
                    ]),
            ]),
    ]

    static let answerSchemas: [JSONValue.Member] =
        [
            .init("OnlineAnswer", answer(statuses: FeatureStatus.allCases, timestamp: ["string", "null"])),
            .init(
                "FeastOnlineAnswer",
                answer(statuses: [.present, .nullValue, .notFound, .outsideMaxAge], timestamp: ["string"])),
            .init("Status", object(["status": ["type": "string"]])),
            .init(
                "Readiness",
                object([
                    "status": ["enum": ["ready", "not_ready"]],
                    "checks": [
                        "type": "array",
                        "items": object([
                            "name": ["type": "string"], "status": ["enum": ["pass", "fail"]],
                            "detail": ["type": "string"],
                        ]),
                    ],
                ])),
            .init(
                "Problem",
                object(
                    [
                        "type": ["type": "string"], "title": ["type": "string"], "status": ["type": "integer"],
                        "detail": ["type": "string"],
                        "code": ["enum": .array(ErrorCode.all.map { .string($0.name) })],
                        "hint": ["type": "string"],
                        "errors": ["type": "array", "items": ["type": "object"]],
                        "violation_count": [
                            "type": "integer", "description": "How many reasons there are; errors has the first 1,000",
                        ],
                        "request_id": ["type": "string"],
                    ], optional: ["hint", "errors", "violation_count"])),
        ] + registrySchemas

    private static func answer(statuses: [FeatureStatus], timestamp: JSONValue) -> JSONValue {
        object([
            "metadata": [
                "type": "object", "required": ["feature_names"],
                "properties": [
                    "feature_names": [
                        "type": "array", "items": ["type": "string"], "description": "Keys first, then features",
                    ],
                    "feature_view_metadata": [
                        "type": "array", "items": object(["name": ["type": "string"], "version": ["type": "integer"]]),
                    ],
                ],
            ],
            "results": [
                "type": "array", "description": "results[i] is of metadata.feature_names[i]",
                "items": object([
                    "values": ["type": "array", "items": [:]],
                    "statuses": [
                        "type": "array", "items": ["enum": .array(statuses.map { .string($0.rawValue) })],
                    ],
                    "event_timestamps": [
                        "type": "array", "items": ["type": timestamp, "format": "date-time"],
                    ],
                ]),
            ],
        ])
    }

    /// - Parameter optional: members that may be left out.
    static func object(_ properties: JSONValue, optional: Set<String> = []) -> JSONValue {
        guard case .object(let members) = properties else { return ["type": "object"] }
        let required = members.map(\.name).filter { !optional.contains($0) }
        return ["type": "object", "required": .array(required.map { .string($0) }), "properties": properties]
    }

    static let problemResponses: [JSONValue.Member] = [
        ("400", "The request is malformed"),
        ("403", "A browser has sent the request for a page of another origin"),
        ("404", "What was asked for by name is not there; the hint has the nearest name"),
        ("406", "The answer cannot be given in the type asked for"),
        ("409", "The schema version asked for cannot be read, or takes no rows; a job is in another state"),
        ("413", "A limit is exceeded; where it is that of the body, the answer ends the connection"),
        ("415", "The body has a type, a Content-Encoding or a Transfer-Encoding that is not taken"),
        ("422", "A key is missing or of another type, names are ambiguous, or rows are refused"),
        ("500", "A fault of the server, which its log has under the request's id"),
        ("503", "Not now: not materialized, rebuilding or unavailable; Retry-After says when to try again"),
    ].map { status, description in
        .init(
            "Problem\(status)",
            [
                "description": .string(description),
                "content": ["application/problem+json": ["schema": reference("Problem")]],
            ])
    }
}
