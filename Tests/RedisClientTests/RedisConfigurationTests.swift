import Testing

@testable import RedisClient

struct RedisConfigurationTests {
    @Test(arguments: [
        ("redis://cache.example.com", RedisConfiguration.Address.tcp(host: "cache.example.com", port: 6379), 0),
        ("redis://127.0.0.1:7000/3", .tcp(host: "127.0.0.1", port: 7000), 3),
        ("REDIS://h:1/", .tcp(host: "h", port: 1), 0),
        ("redis://[::1]:7001/2", .tcp(host: "::1", port: 7001), 2),
        ("redis+unix:///run/redis.sock", .unixSocket(path: "/run/redis.sock"), 0),
        ("redis+unix://u:p@/run/redis.sock?db=4", .unixSocket(path: "/run/redis.sock"), 4),
    ])
    func addressesAreRead(url: String, address: RedisConfiguration.Address, database: Int) throws {
        let configuration = try RedisConfiguration(url: url)
        #expect(configuration.address == address)
        #expect(configuration.database == database)
    }

    @Test(arguments: [
        ("redis://user:pass@h", "user", "pass"), ("redis://:pass@h", nil, "pass"),
        ("redis://us%40er:p%3A%2fa%25@h", "us@er", "p:/a%"), ("redis://user:p@ss@h", "user", "p@ss"),
    ])
    func credentialsArePercentDecoded(url: String, username: String?, password: String) throws {
        let configuration = try RedisConfiguration(url: url)
        #expect(configuration.credentials == RedisConfiguration.Credentials(username: username, password: password))
        #expect(configuration.address == .tcp(host: "h", port: 6379))
    }

    @Test(arguments: [
        "", "localhost:6379", "http://h", "rediss://h", "redis://", "redis://:70000", "redis://h:0", "redis://h:70000",
        "redis://h:x", "redis://h/one", "redis://h/-1", "redis://h?db=1", "redis+unix://relative", "redis+unix:///",
        "redis+unix:///s?database=1", "redis://only-user@h", "redis://u:%zz@h", "redis://u:%ff@h", "redis://u:%4@h",
    ])
    func aMalformedURLIsRefused(url: String) {
        let error = #expect(throws: RedisError.self) { try RedisConfiguration(url: url) }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test func noTextShowsTheUserOrThePassword() throws {
        let secret = "s3cretword"
        for url in ["redis://\(secret):\(secret)@h:1/2", "redis+unix://:\(secret)@/s"] {
            let configuration = try RedisConfiguration(url: url)
            var dumped = ""
            dump(configuration, to: &dumped)
            for text in ["\(configuration)", String(reflecting: configuration), dumped] {
                #expect(!text.contains(secret), "\(text)")
            }
        }
        for url in ["redis://\(secret):\(secret)@h:x", "redis://\(secret)@h", "http://\(secret):\(secret)@h"] {
            let error = #expect(throws: RedisError.self) { try RedisConfiguration(url: url) }
            #expect(error.map { !String(reflecting: $0).contains(secret) } == true)
        }
    }

    @Test func theEndpointNamesTheServerAndNobody() throws {
        #expect(try RedisConfiguration(url: "redis://u:p@[::1]:7/2").endpoint == "redis://[::1]:7/2")
        #expect(try RedisConfiguration(url: "redis://h").endpoint == "redis://h:6379/0")
        #expect(try RedisConfiguration(url: "redis+unix://u:p@/s?db=1").endpoint == "redis+unix:///s?db=1")
    }

    @Test func theDescriptionNamesTheServer() throws {
        #expect(try RedisConfiguration(url: "redis://u:p@[::1]:7/2").description == "redis://***@[::1]:7/2")
        #expect(try RedisConfiguration(url: "redis+unix:///s?db=1").description == "redis+unix:///s?db=1")
    }
}

struct RedisErrorTests {
    @Test(arguments: [
        ("WRONGTYPE Operation against", "WRONGTYPE"), ("NOSCRIPT No matching", "NOSCRIPT"), ("OOM", "OOM"),
        ("user_script:1: oops", ""), ("", ""), (" x", ""), ("Err x", ""),
    ])
    func theFirstWordInCapitalsIsTheKindOfAServerError(message: String, prefix: String) {
        #expect(RedisError(RedisServerError(message)).code == .server(prefix))
    }

    @Test func labelsStayFewWhateverAServerAnswers() {
        #expect(RedisError(RedisServerError("WRONGTYPE x")).code.label == "server_WRONGTYPE")
        #expect(RedisError(RedisServerError("SOMETHINGNEW x")).code.label == "server_other")
        #expect(RedisError(RedisServerError("lower")).code.label == "server_other")
        #expect(RedisError.Code.connectionLost.label == "connection_lost")
    }
}
