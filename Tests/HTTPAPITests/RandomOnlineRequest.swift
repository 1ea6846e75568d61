import FeatureModel

/// A request for online features of `VariedProject` that has an answer, made by chance.
struct RandomOnlineRequest {
    let request: RawRequest
    /// Whether it is such that it is answered on the event loop.
    let isStraightforward: Bool

    init(id: String, _ generator: inout SeededGenerator) {
        let wanted = Wanted.all.pick(&generator)
        let isFeast = generator.isOneIn(3)
        var body = RandomBody(isStraightforward: !(isFeast && wanted.hasTimes))
        body.addFeatures(of: wanted, &generator)
        body.addKeys(wanted.keys, &generator)
        if generator.isOneIn(2) {
            body.members.append([#""full_feature_names""#, ":", ["true", "false", "null"].pick(&generator)])
        }
        if isFeast { body.addIgnoredMembers(&generator) }
        let isCompact = !generator.isOneIn(4)
        var request = RawRequest(
            online: body.text(isCompact: isCompact, &generator), path: isFeast ? RawRequest.feast : RawRequest.online,
            id: id)
        let accept: [String?] = [
            nil, nil, nil, "application/json", "*/*", "application/vnd.apache.arrow.stream",
            "text/html, application/vnd.apache.arrow.stream;q=0.5",
            "application/json, application/vnd.apache.arrow.stream",
        ]
        if let accept = accept.pick(&generator) { request.headers.append(("Accept", accept)) }
        self.request = request
        isStraightforward = body.isStraightforward
    }
}

/// Features that can be asked for together, and the keys they need.
private struct Wanted {
    /// Nil for references.
    var service: String?
    var references: [String] = []
    let keys: [JoinKey]
    /// Whether times are among the features, which Feast has in another form.
    var hasTimes = false

    static let id = JoinKey(name: "id", type: .int64)
    static let user = [JoinKey(name: "user_id", type: .int64), JoinKey(name: "region", type: .string)]
    static let flag = [JoinKey(name: "active", type: .bool), JoinKey(name: "code", type: .int32)]

    static let all = [
        Wanted(references: ["scores:*"], keys: [id], hasTimes: true),
        Wanted(references: ["scores:small", "scores:ratio", "scores:added", "scores:rate", "scores:odd"], keys: [id]),
        Wanted(references: ["scores:title", "scores:label", "scores:list", "scores:texts", "scores:spot"], keys: [id]),
        Wanted(references: ["scores:born", "scores:raw", "scores:mood", "scores:flag", "scores:few"], keys: [id]),
        Wanted(references: ["scores@2:small", "scores@1:label", "scores@1:gone"], keys: [id]),
        Wanted(references: ["facts:*"], keys: user, hasTimes: true),
        Wanted(
            references: [
                "facts:one_float64", "facts:one_string", "facts:many_float32", "facts:point", "facts:one_bool",
            ],
            keys: user),
        Wanted(references: ["site:*"], keys: []),
        Wanted(references: ["site:load", "flags:weight", "flags:hits"], keys: flag),
        Wanted(references: ["scores:title", "facts:one_int64", "site:motto", "flags:*"], keys: [id] + user + flag),
        Wanted(references: ["days:visits"], keys: [JoinKey(name: "on_day", type: .date)]),
        Wanted(references: ["files:size"], keys: [JoinKey(name: "digest", type: .bytes)]),
        Wanted(service: "mix", keys: [id] + user + flag, hasTimes: true),
        Wanted(service: "pair", keys: [id, JoinKey(name: "other_id", type: .int64)]),
    ]
}

/// The tokens of a body, member by member.
private struct RandomBody {
    var isStraightforward: Bool
    var members: [[String]] = []

    mutating func addFeatures(of wanted: Wanted, _ generator: inout SeededGenerator) {
        if let service = wanted.service {
            members.append([#""feature_service""#, ":", "\"\(service)\""])
            if generator.isOneIn(5) { members.append([#""features""#, ":", "null"]) }
        } else {
            let references = wanted.references.shuffled(using: &generator).map { ["\"\($0)\""] }
            members.append([#""features""#, ":", "["] + Self.separated(references) + ["]"])
            if generator.isOneIn(5) { members.append([#""feature_service""#, ":", "null"]) }
        }
    }

    mutating func addKeys(_ needed: [JoinKey], _ generator: inout SeededGenerator) {
        var keys: [(name: String, type: ValueType?)] = needed.map { ($0.name, $0.type) }
        if generator.isOneIn(5) {
            // One that nothing asked for needs.
            let others = ["id", "other_id", "user_id", "region", "active", "code", "on_day", "digest"]
            let unneeded = others.filter { other in !needed.contains { $0.name == other } }
            keys.append((unneeded.pick(&generator), nil))
        }
        if keys.isEmpty, generator.isOneIn(2) { return }
        let count = [0, 1, 1, 2, 3, 5, 8, 60].pick(&generator)
        var texts: [[String]] = []
        for key in keys.shuffled(using: &generator) {
            var values: [[String]] = []
            for _ in 0..<count { values.append(value(key.type, &generator)) }
            texts.append(["\"\(key.name)\"", ":", "["] + Self.separated(values) + ["]"])
        }
        members.append([#""entities""#, ":", "{"] + Self.separated(texts) + ["}"])
    }

    mutating func addIgnoredMembers(_ generator: inout SeededGenerator) {
        if generator.isOneIn(2) {
            let flag = ["true", "false", "null", "1", #""true""#].pick(&generator)
            members.append([#""include_feature_view_version_metadata""#, ":", flag])
        }
        if generator.isOneIn(4) { members.append([#""top_k""#, ":", "3"]) }
        if generator.isOneIn(4) { members.append([#""query_string""#, ":", #""a\"b""#]) }
        if generator.isOneIn(10) {
            members.append([#""query_embedding""#, ":", "[", "0.5", ",", "1", "]"])
            isStraightforward = false
        }
    }

    /// The tokens of one value. Those that have to be looked at twice are not for the event loop.
    private mutating func value(_ type: ValueType?, _ generator: inout SeededGenerator) -> [String] {
        if generator.isOneIn(8) { return ["null"] }
        guard let type else { return anything(&generator) }
        let (plain, unusual) = texts(type, &generator)
        if plain.isEmpty || (!unusual.isEmpty && generator.isOneIn(150)) {
            isStraightforward = false
            return [unusual.pick(&generator)]
        }
        return [plain.pick(&generator)]
    }

    /// Of keys that are only repeated.
    private mutating func anything(_ generator: inout SeededGenerator) -> [String] {
        if generator.isOneIn(40) {
            isStraightforward = false
            return ["[", "1", ",", "{", #""a""#, ":", "[", "]", "}", "]"]
        }
        return [["1", "-1.50e3", "true", #""x""#, #""日本""#, "9223372036854775808"].pick(&generator)]
    }

    /// Texts of a key's values: as they usually are, and others that mean something too.
    private func texts(
        _ type: ValueType, _ generator: inout SeededGenerator
    ) -> (plain: [String], unusual: [String]) {
        switch type {
        case .scalar(.int64):
            let known = Int64.random(in: 0..<VariedProject.scoreIDs.upperBound + 3, using: &generator)
            // Now and then one that cannot be answered yet.
            let ahead = generator.isOneIn(300) ? VariedProject.aheadID : 1
            return (
                ["\(known)", "\(known)", "\(ahead)", "2", "9007199254740993", "-3", "-0", "999999999999999998"],
                ["2.0", "1e1", "9223372036854775807", "-9223372036854775808"]
            )
        case .scalar(.int32):
            let known = Int32.random(in: -2...6, using: &generator)
            return (["\(known)", "\(known)", "2147483647", "-2147483648"], ["3.0", "20e-1"])
        case .scalar(.bool): return (["true", "false"], [])
        case .scalar(.date): return ([], [#""2013-01-01""#, #""1969-12-31""#])
        case .scalar(.bytes): return ([], [#""AP8=""#, #""""#, #""YQ==""#])
        default:
            return (
                VariedProject.regions.map { "\"\($0)\"" } + [#""nowhere""#],
                [#""e\u0075""#, #""a\/b""#, #""\ud83d\udeeb""#, #""\t""#]
            )
        }
    }

    private static func separated(_ pieces: [[String]]) -> [String] {
        var out: [String] = []
        for (index, piece) in pieces.enumerated() {
            if index > 0 { out.append(",") }
            out += piece
        }
        return out
    }

    /// All members in some order.
    func text(isCompact: Bool, _ generator: inout SeededGenerator) -> String {
        let tokens = ["{"] + Self.separated(members.shuffled(using: &generator)) + ["}"]
        if isCompact { return tokens.joined() }
        var out = ""
        for token in tokens { out += ["", "", " ", "\n", "\t  ", "\r\n"].pick(&generator) + token }
        return out + " "
    }
}
