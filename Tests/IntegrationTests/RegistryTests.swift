import FeatureDefinitions
import FeatureModel
import FeatureService
import Foundation
import OfflineStore
import PostgresClient
import Registry
import TestSupport
import Testing

private let base = """
    kind: project
    name: test
    ---
    kind: entity
    name: customer
    join_keys: [{name: customer_id, type: int64}]
    ---
    kind: source
    name: orders
    type: table
    columns: [{name: customer_id, type: int64, nullable: false}, {name: at, type: timestamp}, {name: amount, type: float64}]
    timestamp: at
    ---
    kind: feature_view
    name: spending
    entities: [customer]
    source: orders
    features: [{name: amount, type: float64}]
    """

private func further(_ name: String) -> String {
    """

    ---
    kind: source
    name: \(name)
    type: table
    columns: [{name: customer_id, type: int64, nullable: false}, {name: score, type: int32}]
    ---
    kind: feature_view
    name: \(name)_view
    entities: [customer]
    source: \(name)
    features: [{name: score, type: int32}]
    """
}

@Suite struct RegistryTests {
    /// Everything an apply could leave behind.
    private func state(_ larder: LarderFixture) async throws -> String {
        try await larder.value(
            """
            SELECT concat_ws(' / ',
                (SELECT string_agg(p::text, ';' ORDER BY id) FROM larder.project p),
                (SELECT string_agg(project_id || ':' || revision, ';' ORDER BY 1) FROM larder.revision),
                (SELECT count(*) FROM larder.apply_audit),
                (SELECT string_agg(n.nspname || '.' || c.relname || '(' || (
                    SELECT string_agg(a.attname, ',' ORDER BY a.attnum) FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) || ')', ';' ORDER BY 1)
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname LIKE 'larder%' AND c.relkind IN ('r', 'v')))
            """)
    }

    @Test func `of applies at once each one is whole or a conflict, and has its audit row`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(base)
            let outcomes = try await withThrowingTaskGroup(of: Result<Int64, LarderError>.self) { group in
                for number in 0..<6 {
                    group.addTask {
                        do {
                            let plan = try await larder.apply(base + further("extra_\(number)"))
                            return .success(try #require(plan.next).revision)
                        } catch let error as LarderError {
                            return .failure(error)
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let revisions = outcomes.compactMap { try? $0.get() }.sorted()
            #expect(!revisions.isEmpty && Set(revisions).count == revisions.count)
            for case .failure(let error) in outcomes {
                // One that read the registry after another had finished would remove what that one added.
                #expect([.revisionConflict, .removalNotAllowed].contains(error.code), "\(error)")
            }
            let project = try await larder.project()
            #expect(project.revision == Int64(1 + revisions.count))
            #expect(try await larder.count("larder.apply_audit") == project.revision)
            #expect(try await larder.count("larder.revision") == project.revision)
            // Tables are there for what is registered, and for nothing else.
            #expect(try await larder.count("larder.source_table") == Int64(project.sources.count))
            let tables = try await larder.value(
                "SELECT count(*) FROM pg_tables WHERE schemaname = 'larder_data'", as: Int64.self)
            #expect(tables == Int64(project.sources.count + project.featureViews.count))
        }
    }

    @Test func `of first applies at once one makes the project`() async throws {
        try await LarderFixture.run { larder in
            let codes = try await withThrowingTaskGroup(of: ErrorCode?.self) { group in
                for number in 0..<4 {
                    group.addTask {
                        do {
                            try await larder.apply(base + further("extra_\(number)"))
                            return nil
                        } catch let error as LarderError {
                            return error.code
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.count { $0 == nil } == 1)
            #expect(
                codes.compactMap { $0 }.allSatisfy { $0 == .revisionConflict || $0 == .removalNotAllowed }, "\(codes)")
            #expect(try await larder.count("larder.project") == 1)
            #expect(try await larder.project().revision == 1)
        }
    }

    @Test func `applying the same definitions again does nothing`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(base)
            let before = try await state(larder)
            #expect(try await larder.apply(base).isNoOp)
            #expect(try await state(larder) == before)
        }
    }

    @Test func `a plan made for another revision is refused`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(base)
            let before = try await state(larder)
            let definition = try DefinitionLoader.load(files: [(path: "test.yaml", text: base + further("extra"))])
            let error = try await thrownError {
                _ = try await ApplyDefinitions(stores: larder.stores).apply(
                    definition, allowRemovals: false, expecting: 0)
            }
            #expect(error.code == .revisionConflict)
            #expect(try await state(larder) == before)
        }
    }

    @Test(arguments: ["revision", "apply_audit"])
    func `rows of the registry's history cannot be changed, by its owner neither`(table: String) async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(base)
            for statement: PostgresQuery in [
                "UPDATE larder.\(identifier: table) SET applied_at = now()", "DELETE FROM larder.\(identifier: table)",
                "TRUNCATE larder.\(identifier: table)",
            ] {
                do {
                    try await larder.stores.owner.withConnection { _ = try await $0.execute(statement) }
                    Issue.record("\(statement) was carried out")
                } catch {
                    #expect("\(error)".contains("immutable"), "\(error)")
                }
            }
        }
    }

    @Test func `every apply is announced with project and revision`() async throws {
        try await LarderFixture.run { larder in
            let notifications = try await larder.stores.owner.withConnection { connection in
                try await connection.execute("LISTEN \(identifier: RegistryStore.channel)")
                let stream = await connection.notifications()
                try await larder.apply(base)
                try await larder.apply(base + further("extra"))
                var payloads: [String] = []
                for await notification in stream {
                    payloads.append(notification.payload)
                    if payloads.count == 2 { break }
                }
                try await connection.execute("UNLISTEN *")
                return payloads
            }
            let id = try await larder.project().id
            #expect(notifications == ["\(id):1", "\(id):2"])
        }
    }

    @Test func `a new nullable column and feature make version 2, and materializing fills it`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(base)
            try await larder.ingest("orders", "customer_id,at,amount\n1,2013-01-01T00:00:00Z,5\n")
            try await larder.materialize()
            try await larder.apply(
                base.replacingOccurrences(
                    of: "{name: amount, type: float64}]\n    timestamp",
                    with: "{name: amount, type: float64}, {name: shop, type: string}]\n    timestamp"
                ).replacingOccurrences(
                    of: "{name: amount, type: float64}]\ntimestamp",
                    with: "{name: amount, type: float64}, {name: shop, type: string}]\ntimestamp"
                ).replacingOccurrences(
                    of: "features: [{name: amount, type: float64}]",
                    with:
                        "features: [{name: amount, type: float64}, {name: doubled, type: float64, expr: amount * 2}, {name: shop, type: string}]"
                ))
            let project = try await larder.project()
            #expect(try project.source(named: "orders").versions.map(\.version) == [1, 2])
            #expect(try project.featureView(named: "spending").versions.map(\.version) == [1, 2])
            try await larder.ingest("orders", "customer_id,at,amount,shop\n1,2013-01-02T00:00:00Z,6,north\n")
            let result = try await larder.materialize()
            #expect(result.first?.offline?.rowsWritten == 2)
            let lines = try await larder.trainingSet(
                spine: "customer_id,event_timestamp\n1,2013-01-01T00:00:00Z\n1,2013-01-02T00:00:00Z\n", ["spending:*"])
            #expect(lines.dropFirst() == ["1,2013-01-01T00:00:00Z,5.0,10.0,", "1,2013-01-02T00:00:00Z,6.0,12.0,north"])
            // The readable view shows each fact once, as its newest version has it.
            let rows: String = try await larder.value(
                """
                SELECT string_agg(concat_ws(',', amount, doubled, shop), ' ' ORDER BY __event_timestamp)
                FROM \(identifier: "larder_features_\(project.id)").spending
                """)
            #expect(rows == "5,10 6,12,north")
            // A load for the older version is still taken, and leaves the new column null.
            try await larder.withTemporaryFile("customer_id,at,amount\n1,2013-01-03T00:00:00Z,7\n") { path in
                _ = try await IngestRows(stores: larder.stores).run(
                    .init(source: "orders", path: path, format: .csv, schemaVersion: 1), in: project)
            }
            let again = try await larder.materialize()
            #expect(again.first?.offline == .init(rowsRead: 1, rowsWritten: 1, rowsWithdrawn: 0))
            // Comparing everything finds nothing to do.
            let full = try await larder.materialize(isFull: true)
            #expect(full.first?.offline == .init(rowsRead: 3, rowsWritten: 0, rowsWithdrawn: 0))
        }
    }

    @Test func `a change of tables that fails leaves nothing`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(base)
            // The next table but one is taken: the DDL fails after it has made others.
            let next = try await larder.value("SELECT nextval('larder.object_id')", as: Int64.self)
            try await larder.stores.owner.withConnection { connection in
                for id in next..<(next + 6) {
                    _ = try await connection.execute(
                        "CREATE TABLE larder_data.\(identifier: "view_\(id)_g1") (id integer)")
                }
            }
            let before = try await state(larder)
            let error = try await thrownError { try await larder.apply(base + further("extra")) }
            #expect(error.message.contains("already exists"), "\(error)")
            #expect(try await state(larder) == before)
            #expect(try await larder.project().revision == 1)
        }
    }

    @Test func `removals need to be allowed, keep the data, and free the name for something new`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(base + further("extra"))
            try await larder.ingest("extra", "customer_id,score\n1,5\n")
            try await larder.materialize()
            let old = try await larder.project().featureView(named: "extra_view")
            let table = try await larder.offlineTable("extra_view")
            let before = try await state(larder)
            let refused = try await thrownError { try await larder.apply(base) }
            #expect(refused.code == .removalNotAllowed && refused.description.contains("extra_view"), "\(refused)")
            #expect(try await state(larder) == before)

            try await larder.apply(base, allowRemovals: true)
            let gone = try await thrownError { try await larder.materialize(["extra_view"]) }
            #expect(gone.code == .featureViewNotFound)
            #expect(try await larder.count(table) == 1)

            try await larder.apply(base + further("extra"))
            let new = try await larder.project().featureView(named: "extra_view")
            #expect(new.id != old.id && new.current?.sourceID != old.current?.sourceID)
            try await larder.materialize()
            #expect(try await larder.count(larder.offlineTable("extra_view")) == 0)
            let lines = try await larder.trainingSet(
                spine: "customer_id,event_timestamp\n1,2013-01-01T00:00:00Z\n", ["extra_view:score"])
            #expect(lines.last == "1,2013-01-01T00:00:00Z,")
        }
    }

    @Test func `the revision's document is stored with its hash and reads back as it was`() async throws {
        try await LarderFixture.run { larder in
            let plan = try await larder.apply(base)
            let project = try await larder.project()
            #expect(project == plan.next)
            let isHash = try await larder.value(
                "SELECT bool_and(contents_sha256 = sha256(convert_to(contents::text, 'UTF8'))) FROM larder.revision",
                as: Bool.self)
            #expect(isHash)
        }
    }
}

@Suite struct RoleTests {
    /// Runs a statement and gives its SQLSTATE, nil when it was carried out.
    private func refusal(_ statement: PostgresQuery, of pool: PostgresPool) async throws -> SQLState? {
        do {
            try await pool.withConnection { _ = try await $0.query(statement) }
            return nil
        } catch let error as PostgresError {
            return error.sqlState
        }
    }

    private func withTables(
        _ body: (LarderFixture, _ project: RegisteredProject, _ raw: PostgresQuery, _ offline: PostgresQuery)
            async throws -> Void
    ) async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(base)
            try await larder.ingest("orders", "customer_id,at,amount\n1,2013-01-01T00:00:00Z,5\n")
            try await larder.materialize()
            try await body(larder, larder.project(), larder.rawTable("orders"), larder.offlineTable("spending"))
        }
    }

    @Test func `the source login reads sources and nothing else`() async throws {
        try await withTables { larder, project, raw, offline in
            let source = larder.stores.source
            let sourceID = try project.source(named: "orders").id
            #expect(
                try await refusal("SELECT * FROM larder_raw.\(identifier: "source_\(sourceID)")", of: source) == nil)
            #expect(
                try await refusal("SELECT * FROM \(identifier: "larder_sources_\(project.id)").orders", of: source)
                    == nil)
            let tables = try await larder.stores.owner.withConnection { connection in
                try await connection.query("SELECT tablename FROM pg_tables WHERE schemaname = 'larder'")
                    .map { try $0.decode("tablename", as: String.self) }
            }
            #expect(tables.count >= 10)
            for table in tables {
                #expect(
                    try await refusal("SELECT * FROM larder.\(identifier: table)", of: source)
                        == .insufficientPrivilege, "\(table)")
            }
            for relation in [raw, offline, "\(identifier: "larder_features_\(project.id)").spending"] {
                #expect(try await refusal("SELECT * FROM \(query: relation)", of: source) == .insufficientPrivilege)
            }
            #expect(try await refusal("SELECT nextval('larder.object_id')", of: source) == .insufficientPrivilege)
        }
    }

    @Test func `the source login writes nothing and takes no other role`() async throws {
        try await withTables { larder, project, raw, offline in
            let source = larder.stores.source
            let sourceID = try project.source(named: "orders").id
            let views: [PostgresQuery] = [
                "larder_raw.\(identifier: "source_\(sourceID)")",
                "\(identifier: "larder_sources_\(project.id)").orders",
            ]
            for relation in views + [raw, offline, "larder.project"] {
                #expect(try await refusal("DELETE FROM \(query: relation)", of: source) != nil)
            }
            for view in views {
                #expect(try await refusal("INSERT INTO \(query: view) DEFAULT VALUES", of: source) != nil)
                #expect(try await refusal("DROP VIEW \(query: view)", of: source) == .insufficientPrivilege)
            }
            for statement: PostgresQuery in [
                "CREATE TABLE public.mine (id integer)", "CREATE TABLE larder_raw.mine (id integer)",
                "CREATE SCHEMA mine",
                "SET ROLE \(identifier: DatabaseRoles.writer)",
                "SELECT pg_read_file('/etc/passwd')",
                "COPY larder_raw.\(identifier: "source_\(sourceID)") TO PROGRAM 'cat'",
            ] {
                #expect(try await refusal(statement, of: source) == .insufficientPrivilege, "\(statement)")
            }
        }
    }

    /// A project is a namespace: there is one source login, and it reads the sources of all of them. What keeps a definition
    /// to its own project is the search path, and that expressions see their own row only.
    @Test func `a query finds the sources of its own project only, unless it names another's schema`() async throws {
        try await withTables { larder, _, _, _ in
            let other = base.replacingOccurrences(of: "name: test", with: "name: other").replacingOccurrences(
                of: "orders", with: "purchases")
            try await larder.apply(other)
            let error = try await thrownError {
                try await larder.apply(
                    other + """

                        ---
                        kind: source
                        name: borrowed
                        type: query
                        columns: [{name: customer_id, type: int64}]
                        query: SELECT customer_id FROM orders
                        """)
            }
            #expect(error.code == .expressionInvalid && error.description.contains("orders"), "\(error)")
        }
    }

    @Test func `the writer moves data and changes no table`() async throws {
        try await withTables { larder, _, raw, offline in
            let writer = larder.stores.writer
            for statement: PostgresQuery in [
                "ALTER TABLE \(query: raw) ADD COLUMN mine integer", "DROP TABLE \(query: raw)",
                "TRUNCATE \(query: offline)",
                "DELETE FROM \(query: raw)", "DELETE FROM \(query: offline)", "UPDATE \(query: raw) SET c3 = 0",
                "UPDATE \(query: offline) SET f1 = 0", "ALTER TABLE \(query: offline) DROP CONSTRAINT version_1",
                "CREATE TABLE larder_data.mine (id integer)", "CREATE TABLE larder.mine (id integer)",
                "INSERT INTO larder.revision SELECT * FROM larder.revision", "UPDATE larder.project SET revision = 9",
                "DELETE FROM larder.write", "UPDATE larder.write SET arrived_at = now()", "DROP SCHEMA larder CASCADE",
                "UPDATE larder.migration SET name = 'x'",
            ] {
                let state = try await refusal(statement, of: writer)
                #expect(state == .insufficientPrivilege, "\(statement)")
            }
        }
    }

    @Test func `PostgreSQL itself refuses a row that its schema version does not allow`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(
                base.replacingOccurrences(
                    of: "features: [{name: amount, type: float64}]",
                    with: "features: [{name: amount, type: float64, nullable: false, expr: 'coalesce(amount, 0)'}]"))
            let offline = try await larder.offlineTable("spending")
            func insert(_ amount: PostgresQuery, isDeleted: Bool, version: Int32) async throws -> SQLState? {
                try await refusal(
                    """
                    INSERT INTO \(query: offline) (k1, event_timestamp, recorded_timestamp, sequence, schema_version, write_id,
                        ingested_at, is_deleted, f1)
                    VALUES (1, now(), '-infinity', 1, \(version), 1, now(), \(isDeleted), \(query: amount))
                    """, of: larder.stores.writer)
            }
            #expect(try await insert("NULL", isDeleted: false, version: 1) == .checkViolation)
            #expect(try await insert("NULL", isDeleted: true, version: 1) == nil)
            #expect(try await insert("1", isDeleted: false, version: 1) == nil)
        }
    }
}
