import Testing

/// One edit of `MistakesTests.tree` and what loading then says: `line:column message | hint`, one a line.
struct Mistake: Sendable, CustomTestStringConvertible {
    let rule: String
    let replace: String
    let with: String
    let errors: String

    var testDescription: String { rule }

    static let all = ofNamesAndReferences + ofColumnsAndFeatures

    static let ofNamesAndReferences: [Mistake] = [
        Mistake(
            rule: "an unknown key is reported with the nearest one",
            replace: "source: weather",
            with: "sorce: weather",
            errors: #"""
                20:1 feature_view "airport_weather" has an unknown key "sorce" | did you mean "source"?
                """#),
        Mistake(
            rule: "an unknown key without a near one is reported with all keys",
            replace: "ttl: 6h",
            with: "colour: red",
            errors: #"""
                21:1 feature_view "airport_weather" has an unknown key "colour" | its keys: availability_lag, compatibility, description, entities, features, generation, kind, name, online, owner, source, tags, ttl, where
                """#),
        Mistake(
            rule: "an unknown key of a feature is reported",
            replace: "{name: temp, type: float64}\n  - {name: is",
            with: "{name: temp, typ: float64}\n  - {name: is",
            errors: #"""
                23:18 feature_view "airport_weather", feature "temp" has an unknown key "typ" | did you mean "type"?
                """#),
        Mistake(
            rule: "an unknown kind is reported with the nearest one",
            replace: "kind: feature_view",
            with: "kind: feature_veiw",
            errors: #"""
                17:7 the kind "feature_veiw" is unknown | did you mean "feature_view"?
                """#),
        Mistake(
            rule: "an unknown kind without a near one is reported with all kinds",
            replace: "kind: entity\nname: airport\njoin_keys: [{name: origin, type: string}]",
            with: "kind: job",
            errors: #"""
                4:7 the kind "job" is unknown | one of: project, entity, source, feature_view, feature_service
                """#),
        Mistake(
            rule: "a document without a kind is reported",
            replace: "kind: entity\n",
            with: "",
            errors: #"""
                4:1 the document does not say its kind | add kind: with one of project, entity, source, feature_view, feature_service
                """#),
        Mistake(
            rule: "a document that is no mapping is reported",
            replace: "kind: project\nname: flights",
            with: "- kind",
            errors: #"""
                1:1 a document must be a mapping, not a list | start it with kind: and one of project, entity, source, feature_view, feature_service
                """#),
        Mistake(
            rule: "an unknown type is reported with the nearest one",
            replace: "type: bool",
            with: "type: bolo",
            errors: #"""
                24:31 feature_view "airport_weather", feature "is_freezing": the type "bolo" is unknown | did you mean "bool"?
                """#),
        Mistake(
            rule: "an unknown type without a near one is reported with all types",
            replace: "type: bool",
            with: "type: jsonb",
            errors: #"""
                24:31 feature_view "airport_weather", feature "is_freezing": the type "jsonb" is unknown | types: bool, int32, int64, float32, float64, string, bytes, timestamp, date, array<T>, vector<float32, n>
                """#),
        Mistake(
            rule: "a missing type is reported",
            replace: ", type: bool",
            with: "",
            errors: #"""
                24:5 feature_view "airport_weather", feature "is_freezing": "type" is missing | types: bool, int32, int64, float32, float64, string, bytes, timestamp, date, array<T>, vector<float32, n>
                """#),
        Mistake(
            rule: "a missing name is reported",
            replace: "name: airport\n",
            with: "",
            errors: #"""
                4:1 entity: "name" is missing | add name:
                """#),
        Mistake(
            rule: "an empty value is reported",
            replace: "name: airport\n",
            with: "name:\n",
            errors: #"""
                5:1 entity: "name" has no value | give it one or leave the key out
                """#),
        Mistake(
            rule: "a name that breaks the rule is reported",
            replace: "name: departure_delay",
            with: "name: Departure",
            errors: #"""
                27:7 feature_service "Departure": the name "Departure" must start with a lowercase letter a-z | names are like "airport_weather": a-z, 0-9 and single _, at most 63 bytes
                """#),
        Mistake(
            rule: "a name with two underscores is reported",
            replace: "name: is_freezing",
            with: "name: is__freezing",
            errors: #"""
                24:12 feature_view "airport_weather", feature "is__freezing": the name "is__freezing" may not hold two underscores in a row (they separate view and feature) | names are like "airport_weather": a-z, 0-9 and single _, at most 63 bytes
                """#),
        Mistake(
            rule: "a reserved name is reported",
            replace: "name: is_freezing",
            with: "name: event_timestamp",
            errors: #"""
                24:12 feature_view "airport_weather", feature "event_timestamp": the name "event_timestamp" is reserved | names are like "airport_weather": a-z, 0-9 and single _, at most 63 bytes
                """#),
        Mistake(
            rule: "a column with the name of a system column is reported",
            replace: "- {name: temp, type: float64}\ntime",
            with: "- {name: temp, type: float64}\n  - {name: xmin, type: int64}\ntime",
            errors: #"""
                15:12 source "weather", column "xmin": the name "xmin" is that of a system column of PostgreSQL | names are like "airport_weather": a-z, 0-9 and single _, at most 63 bytes
                """#),
        Mistake(
            rule: "a name defined twice is reported with the first place",
            replace: "kind: feature_service\nname: departure_delay\nfeatures: [airport_weather:temp]",
            with: "kind: entity\nname: airport\njoin_keys: [{name: x, type: string}]",
            errors: #"""
                27:7 entity "airport" is defined twice | it is already defined at f.yaml:5:7
                """#),
        Mistake(
            rule: "a feature given twice is reported",
            replace: "name: is_freezing",
            with: "name: temp",
            errors: #"""
                24:5 feature_view "airport_weather": feature "temp" is given twice | keep one of them
                """#),
        Mistake(
            rule: "a column given twice is reported",
            replace: "- {name: temp, type: float64}\ntime",
            with: "- {name: temp, type: float64}\n  - {name: temp, type: float64}\ntime",
            errors: #"""
                15:5 source "weather": column "temp" is given twice | keep one of them
                """#),
        Mistake(
            rule: "a join key given twice is reported",
            replace: "[{name: origin, type: string}]",
            with: "[{name: origin, type: string}, {name: origin, type: int64}]",
            errors: #"""
                6:50 entity "airport": join key "origin" is given twice | keep one of them
                """#),
        Mistake(
            rule: "a second project is reported",
            replace: "kind: feature_service\nname: departure_delay\nfeatures: [airport_weather:temp]",
            with: "kind: project\nname: more",
            errors: #"""
                27:7 the tree has a second project "more" | project "flights" is defined at f.yaml:1:1; keep one
                """#),
        Mistake(
            rule: "a tree without a project is reported",
            replace: "kind: project\nname: flights\n---\n",
            with: "",
            errors: #"""
                1:1 no document is of kind project | add one: kind: project, name: flights
                """#),
        Mistake(
            rule: "a bad duration is reported",
            replace: "ttl: 6h",
            with: "ttl: 6 hours",
            errors: #"""
                21:6 feature_view "airport_weather": "ttl" is no duration: "6 hours" | write a whole number and a unit: 90s, 15m, 6h or 7d
                """#),
        Mistake(
            rule: "an availability_lag that no time can be moved by is reported with the longest one",
            replace: "ttl: 6h",
            with: "availability_lag: 36501d",
            errors: #"""
                21:19 feature_view "airport_weather": "availability_lag" is too long: "36501d" | write at most 36500d
                """#),
        Mistake(
            rule: "a ttl of zero is reported",
            replace: "ttl: 6h",
            with: "ttl: 0s",
            errors: #"""
                21:6 feature_view "airport_weather": "ttl" must be longer than zero | leave it out for values that never grow too old
                """#),
        Mistake(
            rule: "a ttl on a static source is reported",
            replace: "timestamp: time_hour\n",
            with: "",
            errors: #"""
                20:1 feature_view "airport_weather": "ttl" has no meaning, source "weather" is static | leave ttl out, or give the source a timestamp:
                """#),
        Mistake(
            rule: "an unknown entity is reported with the nearest",
            replace: "entities: [airport]",
            with: "entities: [airprot]",
            errors: #"""
                19:12 feature_view "airport_weather": entity "airprot" is not defined | did you mean "airport"?
                """#),
        Mistake(
            rule: "an unknown source is reported with the nearest",
            replace: "source: weather",
            with: "source: wether",
            errors: #"""
                20:9 feature_view "airport_weather": source "wether" is not defined | did you mean "weather"?
                """#),
        Mistake(
            rule: "an unknown view of a service is reported with the nearest",
            replace: "[airport_weather:temp]",
            with: "[airport_wether:temp]",
            errors: #"""
                28:12 feature_service "departure_delay": feature_view "airport_wether" is not defined | did you mean "airport_weather"?
                """#),
        Mistake(
            rule: "an unknown feature of a service is reported with the nearest",
            replace: "[airport_weather:temp]",
            with: "[airport_weather:tmp]",
            errors: #"""
                28:12 feature_service "departure_delay": feature_view "airport_weather" has no feature "tmp" | did you mean "temp"?
                """#),
        Mistake(
            rule: "an unknown feature without a near one is reported with all features",
            replace: "[airport_weather:temp]",
            with: "[airport_weather:humidity]",
            errors: #"""
                28:12 feature_service "departure_delay": feature_view "airport_weather" has no feature "humidity" | its features: is_freezing, temp
                """#),
        Mistake(
            rule: "a reference that is none is reported",
            replace: "[airport_weather:temp]",
            with: "[airport_weather]",
            errors: #"""
                28:12 feature_service "departure_delay": "airport_weather" is no feature reference | write view:feature, view:* or view@2:feature
                """#),
        Mistake(
            rule: "a reference to version zero is reported",
            replace: "[airport_weather:temp]",
            with: "['airport_weather@0:temp']",
            errors: #"""
                28:12 feature_service "departure_delay": the version "0" of feature view "airport_weather" is no number | write view@2:feature
                """#),
        Mistake(
            rule: "a feature named twice by a service is reported",
            replace: "[airport_weather:temp]",
            with: "[airport_weather:*, airport_weather:temp]",
            errors: #"""
                28:31 feature_service "departure_delay": "airport_weather:temp" and "airport_weather:temp" would both be named "airport_weather__temp" | name each feature once
                """#),
        Mistake(
            rule: "an alias that repeats a view's own outputs is reported",
            replace: "[airport_weather:temp]",
            with: "[airport_weather:temp, {view: airport_weather, as: airport_weather, features: [temp]}]",
            errors: #"""
                28:34 feature_service "departure_delay": "airport_weather:temp" and "airport_weather:temp" would both be named "airport_weather__temp" | name each feature once
                """#),
        Mistake(
            rule: "a feature with the name of a request key is reported",
            replace: "[airport_weather:temp]",
            with: "[{view: airport_weather, join_keys: {origin: temp}}]",
            errors: #"""
                28:12 feature_service "departure_delay": "airport_weather:temp" has the name of the request key "temp" | use {view: ..., as: ...}, whose features are named as__feature
                """#),
        Mistake(
            rule: "a mapping of an unknown join key is reported",
            replace: "[airport_weather:temp]",
            with: "[{view: airport_weather, as: dest, join_keys: {orign: dest}}]",
            errors: #"""
                28:12 feature_service "departure_delay": feature_view "airport_weather" has no join key "orign" | did you mean "origin"?
                """#),
    ]
}
