/// A stable, documented name of a kind of failure. Programs compare these; people read the message.
public struct ErrorCode: Sendable, Hashable, CustomStringConvertible {
    public let name: String
    /// The HTTP status an answer with this code carries.
    public let httpStatus: Int

    private init(_ name: String, _ httpStatus: Int) {
        self.name = name
        self.httpStatus = httpStatus
    }

    public var description: String { name }

    public static func == (left: ErrorCode, right: ErrorCode) -> Bool { left.name == right.name }
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }

    // Definitions and the registry.
    public static let definitionInvalid = ErrorCode("definition_invalid", 422)
    public static let definitionSyntax = ErrorCode("definition_syntax", 422)
    public static let changeRefused = ErrorCode("change_refused", 409)
    public static let removalNotAllowed = ErrorCode("removal_not_allowed", 409)
    public static let revisionConflict = ErrorCode("revision_conflict", 409)
    public static let expressionInvalid = ErrorCode("expression_invalid", 422)
    public static let expressionNotImmutable = ErrorCode("expression_not_immutable", 422)

    // Versions and generations.
    public static let generationNotFound = ErrorCode("generation_not_found", 404)
    public static let generationInUse = ErrorCode("generation_in_use", 409)
    public static let generationNotFilled = ErrorCode("generation_not_filled", 409)
    public static let versionInUse = ErrorCode("version_in_use", 409)

    // Things asked for by name.
    public static let projectNotFound = ErrorCode("project_not_found", 404)
    public static let entityNotFound = ErrorCode("entity_not_found", 404)
    public static let sourceNotFound = ErrorCode("source_not_found", 404)
    public static let featureViewNotFound = ErrorCode("feature_view_not_found", 404)
    public static let featureServiceNotFound = ErrorCode("feature_service_not_found", 404)
    public static let featureNotFound = ErrorCode("feature_not_found", 404)
    public static let routeNotFound = ErrorCode("route_not_found", 404)
    public static let methodNotAllowed = ErrorCode("method_not_allowed", 405)

    // Requests.
    public static let requestInvalid = ErrorCode("request_invalid", 400)
    public static let crossOriginRefused = ErrorCode("cross_origin_refused", 403)
    public static let usage = ErrorCode("usage", 400)
    public static let ambiguousFeatureNames = ErrorCode("ambiguous_feature_names", 422)
    public static let joinKeyMissing = ErrorCode("join_key_missing", 422)
    public static let joinKeyType = ErrorCode("join_key_type", 422)
    public static let limitExceeded = ErrorCode("limit_exceeded", 413)
    public static let tooManyEntities = ErrorCode("too_many_entities", 413)
    public static let tooManyFeatures = ErrorCode("too_many_features", 413)
    public static let tooManyRows = ErrorCode("too_many_rows", 413)
    public static let bodyTooLarge = ErrorCode("body_too_large", 413)
    public static let unsupportedMediaType = ErrorCode("unsupported_media_type", 415)
    public static let notAcceptable = ErrorCode("not_acceptable", 406)

    // Raw data and spines.
    public static let fileUnreadable = ErrorCode("file_unreadable", 400)
    public static let fileMalformed = ErrorCode("file_malformed", 422)
    public static let columnMissing = ErrorCode("column_missing", 422)
    public static let columnUnknown = ErrorCode("column_unknown", 422)
    public static let columnType = ErrorCode("column_type", 422)
    public static let rowsRejected = ErrorCode("rows_rejected", 422)
    public static let schemaVersionMismatch = ErrorCode("schema_version_mismatch", 409)
    public static let sourceNotIngestible = ErrorCode("source_not_ingestible", 422)
    public static let featureViewNotWritable = ErrorCode("feature_view_not_writable", 422)
    public static let writeQueueFull = ErrorCode("write_queue_full", 503)
    public static let idempotencyKeyReused = ErrorCode("idempotency_key_reused", 422)
    public static let quarantinedRowNotFound = ErrorCode("quarantined_row_not_found", 404)
    public static let spineInvalid = ErrorCode("spine_invalid", 422)

    // Materialization.
    public static let duplicateSourceRows = ErrorCode("duplicate_source_rows", 422)
    public static let sourceQueryFailed = ErrorCode("source_query_failed", 422)
    public static let materializationConflict = ErrorCode("materialization_conflict", 409)

    // Training sets.
    public static let asOfNotSettled = ErrorCode("as_of_not_settled", 503)
    public static let trainingSetNotFound = ErrorCode("training_set_not_found", 404)
    public static let trainingSetExists = ErrorCode("training_set_exists", 409)
    public static let trainingSetNeedsGeneration = ErrorCode("training_set_needs_generation", 409)
    public static let trainingSetDiffers = ErrorCode("training_set_differs", 409)

    // Jobs.
    public static let jobNotFound = ErrorCode("job_not_found", 404)
    public static let jobFinished = ErrorCode("job_finished", 409)
    public static let jobNotFinished = ErrorCode("job_not_finished", 409)
    public static let jobNotSucceeded = ErrorCode("job_not_succeeded", 409)
    public static let jobLeaseLost = ErrorCode("job_lease_lost", 409)
    public static let jobAbandoned = ErrorCode("job_abandoned", 500)

    // Serving.
    public static let notMaterialized = ErrorCode("not_materialized", 503)
    public static let onlineStoreRebuilding = ErrorCode("online_store_rebuilding", 503)
    public static let onlineStoreUnavailable = ErrorCode("online_store_unavailable", 503)
    public static let onlineAheadOfClock = ErrorCode("online_ahead_of_clock", 503)
    public static let notReady = ErrorCode("not_ready", 503)

    // The house itself.
    public static let configurationInvalid = ErrorCode("configuration_invalid", 500)
    public static let migrationRefused = ErrorCode("migration_refused", 500)
    public static let migrationPending = ErrorCode("migration_pending", 503)
    public static let registryUnavailable = ErrorCode("registry_unavailable", 503)
    public static let cancelled = ErrorCode("cancelled", 499)
    public static let internalError = ErrorCode("internal_error", 500)

    /// Every code, for the documentation and the test that holds it complete.
    public static let all: [ErrorCode] = [
        definitionInvalid, definitionSyntax, changeRefused, removalNotAllowed, revisionConflict, expressionInvalid,
        expressionNotImmutable, generationNotFound, generationInUse, generationNotFilled, versionInUse,
        projectNotFound, entityNotFound, sourceNotFound, featureViewNotFound,
        featureServiceNotFound, featureNotFound, routeNotFound, methodNotAllowed, requestInvalid,
        crossOriginRefused, usage,
        ambiguousFeatureNames, joinKeyMissing, joinKeyType, limitExceeded, tooManyEntities, tooManyFeatures,
        tooManyRows, bodyTooLarge, unsupportedMediaType, notAcceptable, fileUnreadable, fileMalformed, columnMissing,
        columnUnknown, columnType, rowsRejected, schemaVersionMismatch, sourceNotIngestible, quarantinedRowNotFound,
        featureViewNotWritable, writeQueueFull, idempotencyKeyReused, spineInvalid,
        duplicateSourceRows, sourceQueryFailed, materializationConflict, asOfNotSettled,
        trainingSetNotFound, trainingSetExists, trainingSetNeedsGeneration, trainingSetDiffers,
        jobNotFound, jobFinished, jobNotFinished,
        jobNotSucceeded, jobLeaseLost, jobAbandoned, notMaterialized, onlineStoreRebuilding,
        onlineStoreUnavailable, onlineAheadOfClock, notReady, configurationInvalid, migrationRefused,
        migrationPending, registryUnavailable, cancelled, internalError,
    ]
}
