extension Mistake {
    static let ofColumnsAndFeatures: [Mistake] = [
        Mistake(
            rule: "a view that reads a missing column is reported",
            replace: "- {name: temp, type: float64}\n  - {name: is",
            with: "- {name: tmp, type: float64}\n  - {name: is",
            errors: #"""
                23:5 feature_view "airport_weather", feature "tmp": source "weather" has no column "tmp" | did you mean "temp"? add the column to the source, or say expr:
                28:12 feature_service "departure_delay": feature_view "airport_weather" has no feature "temp" | did you mean "tmp"?
                """#),
        Mistake(
            rule: "a feature of another type than its column is reported",
            replace: "- {name: temp, type: float64}\n  - {name: is",
            with: "- {name: temp, type: string}\n  - {name: is",
            errors: #"""
                23:5 feature_view "airport_weather", feature "temp": the feature is string, its column in source "weather" is float64 | declare the feature as float64, or convert it in expr:
                """#),
        Mistake(
            rule: "a join key that is no column is reported",
            replace: "  - {name: origin, type: string}\n",
            with: "",
            errors: #"""
                18:12 feature_view "airport_weather": join key "origin" of entity "airport" is no column of source "weather" | its columns: temp, time_hour
                """#),
        Mistake(
            rule: "a join key of another type than its column is reported",
            replace: "- {name: origin, type: string}\n",
            with: "- {name: origin, type: int64}\n",
            errors: #"""
                19:12 feature_view "airport_weather": join key "origin" is string in entity "airport", its column in source "weather" is int64 | give both the same type
                """#),
        Mistake(
            rule: "a join key of a type that cannot be one is reported",
            replace: "join_keys: [{name: origin, type: string}]",
            with: "join_keys: [{name: origin, type: float64}]",
            errors: #"""
                6:34 entity "airport", join key "origin": the type float64 cannot be a join key | join keys are string, int32, int64, bytes, date or bool
                """#),
        Mistake(
            rule: "an entity without join keys is reported",
            replace: "join_keys: [{name: origin, type: string}]",
            with: "join_keys: []",
            errors: #"""
                6:1 entity "airport": "join_keys" is empty | an entity has at least one; a view for everyone has no entity at all
                """#),
        Mistake(
            rule: "a feature with the name of a join key is reported",
            replace: "name: is_freezing",
            with: "name: origin",
            errors: #"""
                24:5 feature_view "airport_weather", feature "origin": a join key of the view has the same name | give the feature another name
                """#),
        Mistake(
            rule: "a timestamp that is no column is reported",
            replace: "timestamp: time_hour\n",
            with: "timestamp: time_hours\n",
            errors: #"""
                15:12 source "weather": "timestamp" names the column "time_hours", which the source does not have | did you mean "time_hour"?
                """#),
        Mistake(
            rule: "a timestamp of another type is reported",
            replace: "timestamp: time_hour\n",
            with: "timestamp: temp\n",
            errors: #"""
                15:12 source "weather": "timestamp" is the column "temp" of type float64 | it must be of type timestamp
                """#),
        Mistake(
            rule: "a nullable timestamp is reported",
            replace: "{name: time_hour, type: timestamp}",
            with: "{name: time_hour, type: timestamp, nullable: true}",
            errors: #"""
                13:40 source "weather", column "time_hour": the column is a timestamp or a row key, which is never null | leave nullable out
                """#),
        Mistake(
            rule: "a created_timestamp that is no column is reported",
            replace: "timestamp: time_hour\n",
            with: "timestamp: time_hour\ncreated_timestamp: recorded\n",
            errors: #"""
                16:20 source "weather": "created_timestamp" names the column "recorded", which the source does not have | its columns: origin, temp, time_hour
                """#),
        Mistake(
            rule: "a created_timestamp that is the timestamp is reported",
            replace: "timestamp: time_hour\n",
            with: "timestamp: time_hour\ncreated_timestamp: time_hour\n",
            errors: #"""
                16:20 source "weather": "timestamp" and "created_timestamp" are the same column "time_hour" | leave created_timestamp out when only one time is known
                """#),
        Mistake(
            rule: "a row key that is no column is reported",
            replace: "timestamp: time_hour\n",
            with: "timestamp: time_hour\nrow_key: [orign]\n",
            errors: #"""
                16:11 source "weather": "row_key" names the column "orign", which the source does not have | did you mean "origin"?
                """#),
        Mistake(
            rule: "a row key on another type of source is reported",
            replace: "type: table\n",
            with: "type: push\nrow_key: [origin]\n",
            errors: #"""
                11:1 source "weather": "row_key" belongs to sources of type table, this one is of type push | leave row_key out
                """#),
        Mistake(
            rule: "an unknown time zone is reported with the nearest",
            replace: "timestamp: time_hour\n",
            with: "timestamp: time_hour\ntimezone: America/New_Yrok\n",
            errors: #"""
                16:11 source "weather": the time zone "America/New_Yrok" is unknown | did you mean "America/New_York"?
                """#),
        Mistake(
            rule: "an abbreviated time zone is reported",
            replace: "timestamp: time_hour\n",
            with: "timestamp: time_hour\ntimezone: EST\n",
            errors: #"""
                16:11 source "weather": the time zone "EST" is unknown | write UTC or an IANA name such as America/New_York
                """#),
        Mistake(
            rule: "an unknown source type is reported",
            replace: "type: table\n",
            with: "type: tabel\n",
            errors: #"""
                10:7 source "weather": the source type "tabel" is unknown | did you mean "table"?
                """#),
        Mistake(
            rule: "a query source without a query is reported",
            replace: "type: table\n",
            with: "type: query\n",
            errors: #"""
                8:1 source "weather": "query" is missing | a source of type query needs query: SELECT ...
                """#),
        Mistake(
            rule: "a query on a table source is reported",
            replace: "type: table\n",
            with: "type: table\nquery: SELECT 1\n",
            errors: #"""
                11:1 source "weather": "query" belongs to sources of type query, this one is of type table | leave it out, or say type: query
                """#),
        Mistake(
            rule: "a query that does not read is reported",
            replace: "type: table\n",
            with: "type: query\nquery: DELETE FROM weather\n",
            errors: #"""
                11:8 source "weather": the SQL of "query" starts with DELETE | a query starts with SELECT or WITH
                """#),
        Mistake(
            rule: "a postgres source without a table is reported",
            replace: "type: table\n",
            with: "type: postgres\n",
            errors: #"""
                8:1 source "weather": "table" is missing | a source of type postgres needs table: schema.name
                """#),
        Mistake(
            rule: "a table without a schema is reported",
            replace: "type: table\n",
            with: "type: postgres\ntable: weather\n",
            errors: #"""
                11:8 source "weather": "table" cannot be "weather" | write schema.name with plain lowercase names, such as public.weather
                """#),
        Mistake(
            rule: "a push source without columns is reported",
            replace:
                "type: table\ncolumns:\n  - {name: origin, type: string}\n  - {name: time_hour, type: timestamp}\n  - {name: temp, type: float64}\n",
            with: "type: push\n",
            errors: #"""
                8:1 source "weather": "columns" is missing | add columns:
                """#),
        Mistake(
            rule: "an expression on a push source is reported",
            replace: "type: table\n",
            with: "type: push\n",
            errors: #"""
                24:5 feature_view "airport_weather", feature "is_freezing": "expr" has no meaning, source "weather" is of type push | leave it out: pushed rows carry the features themselves
                """#),
        Mistake(
            rule: "incremental on a table source is reported",
            replace: "timestamp: time_hour\n",
            with: "timestamp: time_hour\nincremental: {column: time_hour, overlap: 1h}\n",
            errors: #"""
                16:1 source "weather": "incremental" belongs to sources of type postgres and query, this one is of type table | leave it out: what was written since the last run is known anyway
                """#),
        Mistake(
            rule: "incremental on a column of another type is reported",
            replace: "type: table\n",
            with: "type: postgres\ntable: public.weather\nincremental: {column: temp}\n",
            errors: #"""
                12:23 source "weather", incremental: "column" is the column "temp" of type float64 | it must be of type timestamp
                """#),
        Mistake(
            rule: "an unknown compatibility is reported",
            replace: "ttl: 6h",
            with: "compatibility: ful",
            errors: #"""
                21:16 feature_view "airport_weather": "compatibility" cannot be "ful" | did you mean "full"?
                """#),
        Mistake(
            rule: "a generation of zero is reported",
            replace: "ttl: 6h",
            with: "generation: 0",
            errors: #"""
                21:13 feature_view "airport_weather": "generation" must be a whole number, not "0" | write a number from 1 to 2147483647
                """#),
        Mistake(
            rule: "online that is no bool is reported",
            replace: "ttl: 6h",
            with: "online: yes",
            errors: #"""
                21:9 feature_view "airport_weather": "online" must be a bool, not "yes" | write true or false
                """#),
        Mistake(
            rule: "entities that are no list is reported",
            replace: "entities: [airport]",
            with: "entities: airport",
            errors: #"""
                19:11 feature_view "airport_weather": "entities" must be a list, not "airport" | write [a, b]
                """#),
        Mistake(
            rule: "an expression that closes a parenthesis is reported",
            replace: "expr: temp <= 32",
            with: "expr: \"1) FROM secrets --\"",
            errors: #"""
                24:43 feature_view "airport_weather", feature "is_freezing": the SQL of "expr" closes with ")" what it did not open (line 1, column 2 of the SQL) | parentheses and brackets come in pairs
                """#),
        Mistake(
            rule: "an expression with a semicolon is reported",
            replace: "expr: temp <= 32",
            with: "expr: \"1; DROP TABLE x\"",
            errors: #"""
                24:43 feature_view "airport_weather", feature "is_freezing": the SQL of "expr" holds a ";" (line 1, column 2 of the SQL) | leave the semicolon out
                """#),
        Mistake(
            rule: "an empty expression is reported",
            replace: "expr: temp <= 32",
            with: "expr: ' '",
            errors: #"""
                24:43 feature_view "airport_weather", feature "is_freezing": the SQL of "expr" is empty | write SQL, or leave the key out
                """#),
        Mistake(
            rule: "a condition that ends in a comment is reported",
            replace: "ttl: 6h",
            with: "where: temp > 0 --",
            errors: #"""
                21:8 feature_view "airport_weather": the SQL of "where" ends within a comment (line 1, column 10 of the SQL) | end the comment with a new line, or write /* */
                """#),
        Mistake(
            rule: "a default of another type is reported",
            replace: "expr: temp <= 32",
            with: "expr: temp <= 32, default: 1",
            errors: #"""
                24:64 feature_view "airport_weather", feature "is_freezing": "default" must be bool, not 1 | write true or false
                """#),
        Mistake(
            rule: "a default that is null is reported",
            replace: "expr: temp <= 32",
            with: "expr: temp <= 32, default: null",
            errors: #"""
                24:55 feature_view "airport_weather", feature "is_freezing": "default" has no value | give it one or leave the key out
                """#),
        Mistake(
            rule: "a default outside the expectation is reported",
            replace: "{name: temp, type: float64}\n  - {name: is",
            with: "{name: temp, type: float64, default: 200, expect: {max: 140}}\n  - {name: is",
            errors: #"""
                23:33 feature_view "airport_weather", feature "temp": the default 200.0 is above max | change the default or the expectation
                """#),
        Mistake(
            rule: "min on a type without order is reported",
            replace: "expr: temp <= 32",
            with: "expr: temp <= 32, expect: {min: 0}",
            errors: #"""
                24:64 feature_view "airport_weather", feature "is_freezing", expect: "min" does not apply to bool | it applies to int32, int64, float32 and float64
                """#),
        Mistake(
            rule: "min above max is reported",
            replace: "{name: temp, type: float64}\n  - {name: is",
            with: "{name: temp, type: float64, expect: {min: 2, max: 1}}\n  - {name: is",
            errors: #"""
                23:42 feature_view "airport_weather", feature "temp", expect: "min" is greater than "max" | swap them
                """#),
        Mistake(
            rule: "min that is no number is reported",
            replace: "{name: temp, type: float64}\n  - {name: is",
            with: "{name: temp, type: float64, expect: {min: low}}\n  - {name: is",
            errors: #"""
                23:47 feature_view "airport_weather", feature "temp", expect: "min" must be a number, not "low" | write a finite number
                """#),
        Mistake(
            rule: "max_length on a number is reported",
            replace: "{name: temp, type: float64}\n  - {name: is",
            with: "{name: temp, type: float64, expect: {max_length: 3}}\n  - {name: is",
            errors: #"""
                23:42 feature_view "airport_weather", feature "temp", expect: "max_length" does not apply to float64 | it applies to strings, bytes and arrays
                """#),
        Mistake(
            rule: "finite on a bool is reported",
            replace: "expr: temp <= 32",
            with: "expr: temp <= 32, expect: {finite: true}",
            errors: #"""
                24:64 feature_view "airport_weather", feature "is_freezing", expect: "finite" does not apply to bool | it applies to float32, float64 and vectors
                """#),
        Mistake(
            rule: "a value of one_of of another type is reported",
            replace: "expr: temp <= 32",
            with: "expr: temp <= 32, expect: {one_of: [true, maybe]}",
            errors: #"""
                24:79 feature_view "airport_weather", feature "is_freezing", expect: a value of "one_of" must be bool, not maybe | write true or false
                """#),
        Mistake(
            rule: "an unknown expectation is reported",
            replace: "expr: temp <= 32",
            with: "expr: temp <= 32, expect: {minimum: 0}",
            errors: #"""
                24:64 feature_view "airport_weather", feature "is_freezing", expect has an unknown key "minimum" | its keys: finite, max, max_length, min, one_of
                """#),
        Mistake(
            rule: "two renames from one feature are reported",
            replace: "features:\n",
            with: "features:\n  - {name: heat, type: float64, expr: temp, renamed_from: warmth}\n"
                + "  - {name: warm, type: float64, expr: temp, renamed_from: warmth}\n",
            errors: #"""
                24:5 feature_view "airport_weather": features "heat" and "warm" are both renamed from "warmth" | keep renamed_from with the one that goes on as "warmth"
                """#),
        Mistake(
            rule: "a rename from a feature that stays is reported",
            replace: "expr: temp <= 32",
            with: "expr: temp <= 32, renamed_from: temp",
            errors: #"""
                24:5 feature_view "airport_weather": feature "is_freezing" is renamed from "temp", which the view still has | remove the feature "temp" or leave renamed_from out
                """#),
        Mistake(
            rule: "a duplicate key is reported",
            replace: "source: weather\n",
            with: "source: weather\nsource: weather\n",
            errors: #"""
                20:1 the key "source" is given more than once | keep one of them
                """#),
        Mistake(
            rule: "text that is no YAML is reported",
            replace: "ttl: 6h",
            with: "ttl: [6h",
            errors: #"""
                22:9 not YAML: did not find expected ',' or ']' | check the indentation, and quote text that holds ": ", " #" or starts with a sign
                """#),
        Mistake(
            rule: "a tag is reported",
            replace: "ttl: 6h",
            with: "ttl: !!python/object 6h",
            errors: #"""
                21:6 the tag "tag:yaml.org,2002:python/object" is not supported | leave the tag out
                """#),
        Mistake(
            rule: "an undefined alias is reported",
            replace: "ttl: 6h",
            with: "ttl: *hours",
            errors: #"""
                21:6 not YAML: found undefined alias | check the indentation, and quote text that holds ": ", " #" or starts with a sign
                """#),
        Mistake(
            rule: "tags that are no mapping are reported",
            replace: "ttl: 6h",
            with: "tags: [a]",
            errors: #"""
                21:7 feature_view "airport_weather": "tags" must be a mapping, not a list | write {team: ops}
                """#),
    ]
}
