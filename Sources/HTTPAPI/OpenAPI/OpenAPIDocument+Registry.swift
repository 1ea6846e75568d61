import TextFormats

extension OpenAPIDocument {
    private static let text: JSONValue = ["type": "string"]
    private static let number: JSONValue = ["type": "integer"]
    private static let names: JSONValue = ["type": "array", "items": ["type": "string"]]
    private static let state: JSONValue = ["enum": ["active", "deprecated", "retired"]]

    private static let joinKeys: JSONValue = ["type": "array", "items": object(["name": text, "type": text])]

    static let registrySchemas: [JSONValue.Member] = [
        .init(
            "Entity",
            object(["name": text, "description": text, "join_keys": joinKeys], optional: ["description"])),
        .init(
            "Source",
            object(
                [
                    "name": text, "description": text, "type": ["enum": ["table", "postgres", "query", "push"]],
                    "timestamp": text, "created_timestamp": text, "timezone": text, "row_key": names,
                    "compatibility": text, "schema_version": number, "table": text, "query": text,
                    "versions": [
                        "type": "array",
                        "items": object([
                            "version": number, "state": state,
                            "columns": [
                                "type": "array",
                                "items": object([
                                    "id": number, "name": text, "type": text, "nullable": ["type": "boolean"],
                                ]),
                            ],
                        ]),
                    ],
                ],
                optional: [
                    "description", "timestamp", "created_timestamp", "timezone", "row_key", "schema_version", "table",
                    "query",
                ])),
        .init(
            "FeatureView",
            object(
                [
                    "name": text, "description": text, "owner": text,
                    "tags": ["type": "object", "additionalProperties": text], "entities": names, "join_keys": joinKeys,
                    "source": text, "ttl": text, "online": ["type": "boolean"],
                    "published": [
                        "type": "boolean", "description": "Whether the current generation can be read online",
                    ],
                    "compatibility": text, "where": text, "generation": number,
                    "generations": ["type": "array", "items": generation], "schema_version": number,
                    "versions": [
                        "type": "array",
                        "items": object([
                            "version": number, "state": state, "generation": number, "shape_hash": text,
                            "computation_hash": text,
                            "features": ["type": "array", "items": feature],
                        ]),
                    ],
                ], optional: ["description", "owner", "tags", "ttl", "where", "schema_version"])),
        .init(
            "FeatureService",
            object(
                [
                    "name": text, "description": text,
                    "features": [
                        "type": "array",
                        "items": object(
                            [
                                "view": text, "version": number, "as": text,
                                "join_keys": ["type": "object", "additionalProperties": text], "features": names,
                            ], optional: ["as", "join_keys"]),
                    ],
                ], optional: ["description"])),
    ]

    private static let generation = object(
        [
            "generation": number, "state": ["enum": ["live", "dropping"]],
            "current": ["type": "boolean", "description": "Whether it is read where no version is named"],
            "published": ["type": "boolean", "description": "Whether it can be read online"],
            "entities": names, "join_keys": joinKeys, "source": text, "where": text, "computation_hash": text,
        ], optional: ["where"])

    private static let feature = object(
        [
            "id": number, "name": text, "type": text, "nullable": ["type": "boolean"], "expr": text,
            "description": text, "aliases": names, "default": [:],
        ], optional: ["expr", "description", "aliases", "default"])
}
