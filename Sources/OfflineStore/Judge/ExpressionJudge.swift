public import FeatureDefinitions
public import FeatureModel
public import PostgresClient

/// Lets PostgreSQL judge the SQL of definitions before anything is applied, under the login that will run it.
///
/// Expressions and filters must be immutable: they must be accepted as a generated column, so that the answer never
/// depends on when it is computed. That also keeps them to their own row, since a generated column may hold no subquery,
/// aggregate or set. Table sources stand in as temporary tables, so that nothing has to exist yet; every trial is rolled back.
public struct ExpressionJudge: Sendable {
    /// Where in the definition files a mistake is.
    public struct Places: Sendable {
        public var source: @Sendable (_ source: String) -> SourceLocation?
        public var filter: @Sendable (_ view: String) -> SourceLocation?
        public var feature: @Sendable (_ view: String, _ feature: String) -> SourceLocation?

        public init(
            source: @escaping @Sendable (String) -> SourceLocation?,
            filter: @escaping @Sendable (String) -> SourceLocation?,
            feature: @escaping @Sendable (String, String) -> SourceLocation?
        ) {
            self.source = source
            self.filter = filter
            self.feature = feature
        }
    }

    private let project: RegisteredProject
    private let places: Places
    private let trial: SQLTrial

    /// - Parameter connection: a session of the source login.
    public init(project: RegisteredProject, places: Places, connection: PostgresConnection) {
        self.project = project
        self.places = places
        trial = SQLTrial(sources: project.sources.filter { !$0.isRemoved }, connection: connection)
    }

    /// Everything that is wrong with the SQL of the project's sources and views, at once.
    public func judge() async throws -> [LarderError] {
        var errors: [LarderError] = []
        for source in project.sources where !source.isRemoved {
            if let error = try await judge(source) { errors.append(error) }
        }
        for view in project.featureViews where !view.isRemoved {
            for generation in view.generations where generation.state == .live {
                errors += try await judge(generation, of: view)
            }
        }
        return errors
    }

    /// The SQL that computes a generation. An older one, which no definition describes any more, must still be computable.
    private func judge(_ generation: GenerationState, of view: RegisteredFeatureView) async throws -> [LarderError] {
        guard let registered = project.source(id: generation.sourceID),
            let version = view.writtenVersion(ofGeneration: generation.number)
        else { return [] }
        let isDefined = generation.number == view.newestGeneration.number
        let source = isDefined ? registered : registered.showingFormerColumns
        let owner =
            isDefined
            ? "feature view \"\(view.name)\""
            : "generation \(generation.number) of feature view \"\(view.name)\", which has not been dropped"
        var errors = isDefined ? [] : Self.lostColumns(version, generation, source: source, owner: owner)
        var subjects: [ExpressionSubject] = []
        if let filter = generation.filter {
            subjects.append(
                ExpressionSubject(
                    what: "where of \(owner)", text: filter, type: .bool, source: source,
                    location: isDefined ? places.filter(view.name) : nil))
        }
        for feature in version.features {
            guard let expression = feature.expression else { continue }
            subjects.append(
                ExpressionSubject(
                    what: "expr of feature \"\(feature.schema.name)\" of \(owner)",
                    text: expression, type: feature.schema.type, source: source,
                    location: isDefined ? places.feature(view.name, feature.schema.name) : nil))
        }
        for subject in subjects {
            if let error = try await judge(subject) { errors.append(error) }
        }
        return errors
    }

    /// Columns that a generation reads as they are and that the source no longer has, or has in another type.
    private static func lostColumns(
        _ version: ViewVersion, _ generation: GenerationState, source: RegisteredSource, owner: String
    ) -> [LarderError] {
        guard let columns = source.versions.last, source.kind != .push else { return [] }
        var needed = generation.joinKeys.map { ($0.name, $0.storedType) }
        needed += version.features.filter { $0.expression == nil }.map { ($0.name, $0.type) }
        return needed.compactMap { name, type in
            if let column = columns.column(named: name), type.acceptsOnWrite(column.type) { return nil }
            return LarderError(
                .changeRefused,
                "source \"\(source.name)\": \(owner) reads column \"\(name)\" as \(type), and could not any more",
                hint: "drop the generation first, or add the new column under another name")
        }
    }

    /// A query or an existing table must give the declared columns, of types that fit, to the source login.
    private func judge(_ source: RegisteredSource) async throws -> LarderError? {
        guard let columns = source.versions.last?.columns, let relation = source.outsideRelation else { return nil }
        let outcome = try await trial.describe(
            "SELECT \(query: columns.map { "\(identifier: $0.name)" as PostgresQuery }.joined(separator: ", ")) FROM \(query: relation)",
            runs: true)
        let what = "source \"\(source.name)\""
        switch outcome {
        case .refused(let error):
            return LarderError(
                .expressionInvalid, "\(what): \(error.message)", hint: source.hint(for: error),
                location: places.source(source.name))
        case .accepted(let types):
            for (column, type) in zip(columns, types) where !column.type.acceptsOnWrite(type) {
                return LarderError(
                    .expressionInvalid,
                    "\(what): column \"\(column.name)\" is declared \(column.type), the data is \(type)",
                    hint: SourceSQL.castHint(from: type, to: column.type), location: places.source(source.name))
            }
            return nil
        }
    }

    private func judge(_ subject: ExpressionSubject) async throws -> LarderError? {
        switch try await trial.type(of: subject.text, over: subject.source) {
        case .refused(let error):
            return subject.refusal(error)
        case .accepted(let types):
            guard let type = types.first else { return nil }
            switch try await trial.generatedColumn(of: subject.text, over: subject.source, type: type) {
            case .refused(let error): return try await refusalWithRewrite(subject, error)
            case .accepted(let stored):
                if let literal = subject.literalOfTheClock(missingFrom: stored) {
                    return LarderError(
                        .expressionNotImmutable,
                        "\(subject.what) is not immutable: '\(literal)' would stand for the time it was defined at",
                        hint: "use only what follows from the row itself; write a fixed time in full",
                        location: subject.location)
                }
            }
            guard subject.type.acceptsOnWrite(type) else {
                return LarderError(
                    .expressionInvalid, "\(subject.what) gives \(type), declared is \(subject.type)",
                    hint: SourceSQL.castHint(from: type, to: subject.type), location: subject.location)
            }
            return nil
        }
    }

    /// What depends on the session's time zone becomes immutable when the zone is named; PostgreSQL judges that too.
    private func refusalWithRewrite(_ subject: ExpressionSubject, _ error: PostgresError) async throws -> LarderError {
        // The state that says "not immutable" says "whole row" too.
        guard error.sqlState == .invalidObjectDefinition, !error.message.contains("whole-row") else {
            return subject.refusal(error)
        }
        var refusal = LarderError(
            .expressionNotImmutable,
            "\(subject.what) is not immutable: its value would depend on when or where it is computed",
            hint: "use only what follows from the row itself; a time needs its zone named: ... AT TIME ZONE 'UTC'",
            location: subject.location)
        let rewritten = subject.namingZone()
        if rewritten != subject.text, let text = try await accepted(rewritten, subject) {
            refusal.hint = "write: \(text)"
        }
        return refusal
    }

    /// The rewritten expression, cast where its type needs it; nil when PostgreSQL takes neither.
    private func accepted(_ text: String, _ subject: ExpressionSubject) async throws -> String? {
        for candidate in [text, "(\(text))::\(subject.castName)"] {
            guard case .accepted(let types) = try await trial.type(of: candidate, over: subject.source),
                let type = types.first, subject.type.acceptsOnWrite(type)
            else { continue }
            if case .accepted = try await trial.generatedColumn(of: candidate, over: subject.source, type: type) {
                return candidate
            }
        }
        return nil
    }
}

extension RegisteredSource {
    /// The source as its raw table's view shows it: with the columns it had before, where their names are free.
    fileprivate var showingFormerColumns: RegisteredSource {
        var source = self
        source.versions[versions.count - 1].columns = visibleColumns
        return source
    }

    /// The way out of what PostgreSQL said of a source's query or table.
    fileprivate func hint(for error: PostgresError) -> String {
        switch error.sqlState {
        case .insufficientPrivilege:
            "let the table's owner run GRANT SELECT ON ... TO the login of LARDER_POSTGRES_SOURCE_URL"
        case .undefinedColumn:
            "the query or table must give every declared column under its declared name"
        default:
            error.hint ?? error.detail
                ?? "correct the SQL; table sources of the project are there under their own names"
        }
    }

    /// What data of a source outside of Larder's own tables is read from; nil for tables and pushes.
    fileprivate var outsideRelation: PostgresQuery? {
        switch kind {
        case .table, .push: nil
        case .postgres(let table): "\(identifier: table.schema, table.name)"
        case .query(let sql): "(\(unescaped: sql)\n) AS \"__source\""
        }
    }
}
