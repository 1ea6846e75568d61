import TextFormats

/// A training set that was kept, with what it was made of and the statistics of its columns.
extension OpenAPIDocument {
    static let describedTrainingSet: JSONValue = [
        "allOf": [
            trainingSet,
            object([
                "snapshot": ["type": "string", "description": "PostgreSQL's, that its rows were read under"],
                "project_revision": number, "definitions_sha256": ["type": "string"],
                "spine_bytes": ["type": "integer", "description": "Of the spine that was kept, as an Arrow stream"],
                "request": ["type": "object", "description": "Features and options; ttl is in microseconds"],
                "views": ["type": "array", "items": viewCounts],
                "columns": ["type": "array", "items": columnStatistics],
            ]),
        ]
    ]

    private static let number: JSONValue = ["type": "integer"]
    private static let numberOrNull: JSONValue = ["type": ["integer", "null"]]
    /// NaN and infinities are text.
    private static let realOrNull: JSONValue = ["type": ["number", "string", "null"]]

    /// For how many rows of the spine a view had an answer.
    private static let viewCounts = object([
        "view": ["type": "string"], "found": number, "not_found": number,
        "outside_max_age": [
            "type": ["integer", "null"], "description": "null where not_found has them too",
        ],
        "invalid_key": number,
    ])

    private static let columnStatistics = object(
        [
            "name": ["type": "string"], "type": ["type": "string"],
            "count": ["type": "integer", "description": "Rows, nulls included"], "nulls": number, "true": number,
            "false": number, "nan": number, "infinite": number, "mean": realOrNull, "std": realOrNull, "min": [:],
            "max": [:],
            "quantiles": [
                "type": "object", "description": "Values by probability, such as 0.5", "additionalProperties": [:],
            ],
            "rank_error": ["type": "integer", "description": "How many rows off a quantile may be"],
            "min_length": numberOrNull, "max_length": numberOrNull,
            "distinct": ["type": "integer", "description": "An estimate"], "relative_standard_error": realOrNull,
            "top": [
                "type": "array", "description": "The most frequent values",
                "items": object(["value": [:], "count": number]),
            ],
            "count_error": ["type": "integer", "description": "How far off a count in top may be"],
        ],
        optional: [
            "true", "false", "nan", "infinite", "mean", "std", "min", "max", "quantiles", "rank_error", "min_length",
            "max_length", "distinct", "relative_standard_error", "top", "count_error",
        ])
}
