import FeatureModel

/// Documents of format 1 had one set of keys, source and filter for the whole view; all of its generations take them.
extension RegisteredFeatureView {
    private enum StoredKeys: String, CodingKey {
        case id
        case name
        case description
        case owner
        case tags
        case ttlMicroseconds
        case compatibility
        case isOnline
        case availabilityLagMicroseconds
        case currentGeneration
        case previousGeneration
        case generations
        case versions
        case nextFeatureID
        case isRemoved
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: StoredKeys.self)
        let generations =
            try SharedComputation(from: decoder)?.generations(decoder)
            ?? container.decode([GenerationState].self, forKey: .generations)
        self.init(
            id: try container.decode(Int64.self, forKey: .id),
            name: try container.decode(String.self, forKey: .name),
            description: try container.decodeIfPresent(String.self, forKey: .description),
            owner: try container.decodeIfPresent(String.self, forKey: .owner),
            tags: try container.decode([String: String].self, forKey: .tags),
            ttlMicroseconds: try container.decodeIfPresent(Int64.self, forKey: .ttlMicroseconds),
            compatibility: try container.decode(Compatibility.self, forKey: .compatibility),
            isOnline: try container.decode(Bool.self, forKey: .isOnline),
            availabilityLagMicroseconds: try container.decode(Int64.self, forKey: .availabilityLagMicroseconds),
            currentGeneration: try container.decode(Int32.self, forKey: .currentGeneration),
            previousGeneration: try container.decodeIfPresent(Int32.self, forKey: .previousGeneration),
            generations: generations, versions: try container.decode([ViewVersion].self, forKey: .versions),
            nextFeatureID: try container.decode(Int32.self, forKey: .nextFeatureID),
            isRemoved: try container.decode(Bool.self, forKey: .isRemoved))
    }
}

/// What format 1 kept beside the generations.
private struct SharedComputation {
    private enum CodingKeys: String, CodingKey {
        case entityIDs
        case entityNames
        case joinKeys
        case sourceID
        case sourceName
        case filter
        case generations
    }

    private struct Generation: Decodable {
        let number: Int32
        let computationHash: String
        let layoutVersion: Int32
    }

    let entityIDs: [Int64]
    let entityNames: [String]
    let joinKeys: [JoinKey]
    let sourceID: Int64
    let sourceName: String
    let filter: String?

    /// Nil for a document of a later format.
    init?(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        guard container.contains(.joinKeys) else { return nil }
        entityIDs = try container.decode([Int64].self, forKey: .entityIDs)
        entityNames = try container.decode([String].self, forKey: .entityNames)
        joinKeys = try container.decode([JoinKey].self, forKey: .joinKeys)
        sourceID = try container.decode(Int64.self, forKey: .sourceID)
        sourceName = try container.decode(String.self, forKey: .sourceName)
        filter = try container.decodeIfPresent(String.self, forKey: .filter)
    }

    func generations(_ decoder: any Decoder) throws -> [GenerationState] {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        return try container.decode([Generation].self, forKey: .generations).map { generation in
            GenerationState(
                number: generation.number, computationHash: generation.computationHash,
                layoutVersion: generation.layoutVersion, entityIDs: entityIDs, entityNames: entityNames,
                joinKeys: joinKeys, sourceID: sourceID, sourceName: sourceName, filter: filter)
        }
    }
}
