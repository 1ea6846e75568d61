import FeatureModel
public import FeatureService

/// How a server listens and what it allows.
public struct ServerConfiguration: Sendable {
    /// Defaults to the loopback address: reachable from this machine only.
    public var host = "127.0.0.1"
    /// `0` takes any free port. Defaults to `6580`.
    public var port = 6580
    /// Whether other servers of the same user may listen on the port too, of which each gets a part of the connections.
    /// Defaults to `true`.
    public var sharesPort = true
    public var clock = ServingClock.system
    public var limits = ServingLimits()
    /// What one training set may take.
    public var trainingSets = TrainingSetResources()
    /// The project that Feast's paths mean; nil means the only one there is.
    public var feastProject: String?
    /// Connections without a request for so long are closed. Defaults to `60` seconds.
    public var idleTimeoutSeconds = 60
    /// So long at shutdown a request whose body is still coming in is let go on; then its connection is closed, or one client
    /// could keep the server up. It is no setting.
    var lastBodyPatienceSeconds = 30

    public init() {}

    /// - Throws: `configuration_invalid`.
    func validate() throws(LarderError) {
        guard (0...65_535).contains(port) else {
            throw LarderError(.configurationInvalid, "port \(port) does not exist", hint: "ports are 0 to 65535")
        }
        guard idleTimeoutSeconds > 0 else {
            throw LarderError(.configurationInvalid, "the idle timeout is not positive")
        }
        guard !clock.isFixed || Self.isLoopback(host) else {
            throw LarderError(
                .configurationInvalid,
                "a fixed clock is for this machine only, host \"\(host)\" is reachable from others",
                hint: "leave out --host, or --clock-fixed")
        }
    }

    static func isLoopback(_ host: String) -> Bool {
        let octets = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return host == "localhost" || host == "::1" || (octets.count == 4 && !octets.contains(nil) && octets[0] == 127)
    }
}
