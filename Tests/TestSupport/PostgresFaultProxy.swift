public import PostgresClient

extension FaultProxy {
    /// A proxy to the server of `configuration`, with a configuration that leads through it.
    public static func inFront(
        of configuration: PostgresConfiguration
    ) throws -> (proxy: FaultProxy, configuration: PostgresConfiguration) {
        let port = configuration.port ?? 5_432
        let upstream: Upstream
        if let host = configuration.host, host.hasPrefix("/") {
            upstream = .unixSocket(path: "\(host)/.s.PGSQL.\(port)")
        } else {
            upstream = .tcp(port: port)
        }
        let proxy = try FaultProxy(to: upstream)
        var proxied = configuration
        proxied.host = "127.0.0.1"
        proxied.port = proxy.port
        return (proxy, proxied)
    }
}
