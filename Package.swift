// swift-tools-version: 6.3
import Foundation
import PackageDescription

// A target may import only what it names here; the order of this file is the order of the floors in
// docs/ARCHITECTURE.md, lowest first.

let package = Package(
    name: "larder",
    products: [
        .executable(name: "larder", targets: ["larder"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // C libraries: header-only shims.
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev", "libssl-dev"])]),
        // No pkgConfig: hiredis.pc carries -D_FILE_OFFSET_BITS=64, which SwiftPM refuses.
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),

        // Floor 0: the model. Standard library only.
        .target(name: "FeatureModel"),

        // Floor 1: pure algorithms and formats. No NIO, no C.
        .target(
            name: "FeatureDefinitions",
            dependencies: [
                "FeatureModel",
                .product(name: "Yams", package: "Yams"),
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        .target(name: "FeatureCodec", dependencies: ["FeatureModel"]),
        .target(name: "PointInTime", dependencies: ["FeatureModel", "FeatureCodec"]),
        .target(name: "ArrowIPC", dependencies: ["FeatureModel"]),
        .target(name: "TextFormats", dependencies: ["FeatureModel"]),
        .target(name: "FrameStatistics", dependencies: ["FeatureModel"]),

        // Floor 2: clients. No domain words.
        .target(name: "ConnectionPooling"),
        .target(
            name: "PostgresClient",
            dependencies: [
                "CLibpq", "ConnectionPooling",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .target(
            name: "RedisClient",
            dependencies: [
                "CHiredis",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .target(
            name: "Observability",
            dependencies: [
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
            ]),

        // Floor 3: the stores.
        .target(
            name: "Registry",
            dependencies: [
                "FeatureModel", "FeatureDefinitions", "PostgresClient",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(
            name: "OfflineStore",
            dependencies: [
                "FeatureModel", "FeatureDefinitions", "FeatureCodec", "PointInTime", "PostgresClient", "Registry",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(
            name: "OnlineStore",
            dependencies: [
                "FeatureModel", "FeatureCodec", "RedisClient",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        .target(
            name: "Jobs",
            dependencies: [
                "FeatureModel", "PostgresClient",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),

        // Floor 4: use cases. No HTTP, no command line, no C.
        .target(
            name: "FeatureService",
            dependencies: [
                "FeatureModel", "FeatureDefinitions", "FeatureCodec", "PointInTime", "ArrowIPC", "TextFormats",
                "FrameStatistics", "PostgresClient", "RedisClient", "Observability", "Registry", "OfflineStore",
                "OnlineStore", "Jobs",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ]),

        // Floor 5: the HTTP API.
        .target(
            name: "HTTPAPI",
            dependencies: [
                "FeatureModel", "FeatureDefinitions", "FeatureCodec", "FeatureService", "Jobs", "Observability",
                "OnlineStore",
                "RedisClient", "TextFormats",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOExtras", package: "swift-nio-extras"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),

        // Floor 6: the executable. Thin.
        .executableTarget(
            name: "larder",
            dependencies: [
                "FeatureModel", "FeatureDefinitions", "FeatureService", "HTTPAPI", "Jobs", "Observability",
                "OfflineStore",
                "OnlineStore", "PostgresClient", "RedisClient", "Registry", "TextFormats",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]),

        // Tests.
        .target(
            name: "TestSupport",
            dependencies: [
                "FeatureModel", "FeatureDefinitions", "PostgresClient", "RedisClient",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/TestSupport"),
        .testTarget(name: "FeatureModelTests", dependencies: ["FeatureModel"]),
        .testTarget(
            name: "FeatureDefinitionsTests", dependencies: ["FeatureDefinitions", "FeatureModel", "TestSupport"]),
        .testTarget(name: "FeatureCodecTests", dependencies: ["FeatureCodec", "FeatureModel"]),
        .testTarget(name: "PointInTimeTests", dependencies: ["PointInTime", "FeatureCodec", "FeatureModel"]),
        .testTarget(
            name: "ArrowIPCTests", dependencies: ["ArrowIPC", "FeatureModel"],
            exclude: ["Fixtures", "pyarrow_roundtrip.py", "requirements.txt"]),
        .testTarget(name: "TextFormatsTests", dependencies: ["TextFormats", "FeatureModel"]),
        .testTarget(name: "FrameStatisticsTests", dependencies: ["FrameStatistics", "FeatureModel"]),
        .testTarget(name: "ConnectionPoolingTests", dependencies: ["ConnectionPooling"]),
        .testTarget(name: "PostgresClientTests", dependencies: ["PostgresClient", "TestSupport"]),
        .testTarget(
            name: "RedisClientTests",
            dependencies: [
                "RedisClient", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        .testTarget(
            name: "ObservabilityTests",
            dependencies: [
                "Observability",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "FeatureModel", "FeatureDefinitions", "FeatureCodec", "PointInTime", "ArrowIPC", "TextFormats",
                "PostgresClient", "RedisClient", "Registry", "OfflineStore", "OnlineStore", "Jobs", "FeatureService",
                "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .testTarget(
            name: "HTTPAPITests",
            dependencies: [
                "ArrowIPC", "FeatureModel", "FeatureCodec", "FeatureDefinitions", "FeatureService", "HTTPAPI",
                "OnlineStore",
                "Observability", "RedisClient", "Registry", "TestSupport", "TextFormats",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "FeatureModel", "HTTPAPI", "PostgresClient", "RedisClient", "TestSupport", "TextFormats", "larder",
            ]),
    ],
    swiftLanguageModes: [.v6]
)

// One set of settings for every Swift target of ours; dependencies keep their own.
let warningsAreErrors = ProcessInfo.processInfo.environment["CI"] == "true"
let cBoundary: Set<String> = ["PostgresClient", "RedisClient", "FeatureCodec"]

for target in package.targets where target.type != .system {
    var settings = target.swiftSettings ?? []
    settings += [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("InferIsolatedConformances"),
        .enableUpcomingFeature("ImmutableWeakCaptures"),
    ]
    if cBoundary.contains(target.name) { settings.append(.strictMemorySafety()) }
    if warningsAreErrors { settings.append(.treatAllWarnings(as: .error)) }
    target.swiftSettings = settings
}
