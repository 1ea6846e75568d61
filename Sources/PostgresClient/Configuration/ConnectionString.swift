internal import CLibpq

/// Connection strings, read by libpq itself so that both of its forms mean here what they mean everywhere.
enum ConnectionString {
    /// The parameters that the string sets, by keyword.
    static func parse(_ text: String) throws(PostgresError) -> [String: String] {
        guard !text.isEmpty else {
            throw PostgresError(.invalidConfiguration, "the connection string is empty", hint: hint)
        }
        guard !text.utf8.contains(0) else {
            throw PostgresError(.invalidConfiguration, "the connection string holds a NUL character")
        }
        var message: UnsafeMutablePointer<CChar>?
        guard let options = unsafe PQconninfoParse(text, &message) else {
            // The message quotes pieces of the string, which may be of the password.
            unsafe PQfreemem(message)
            throw PostgresError(.invalidConfiguration, "the connection string cannot be read", hint: hint)
        }
        defer { unsafe PQconninfoFree(options) }
        var parameters: [String: String] = [:]
        var option = unsafe options
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                unsafe parameters[String(cString: keyword)] = String(cString: value)
            }
            unsafe option += 1
        }
        try check(parameters)
        return parameters
    }

    /// A password with a `/` or an `@` that is not escaped ends up in part in the port or the host, which libpq would quote when
    /// it tries to connect.
    private static func check(_ parameters: [String: String]) throws(PostgresError) {
        let ports = parameters["port"]?.split(separator: ",", omittingEmptySubsequences: true) ?? []
        guard ports.allSatisfy({ UInt16($0) != nil }), parameters["host"]?.contains("@") != true else {
            throw PostgresError(
                .invalidConfiguration, "the connection string's host or port cannot be one", hint: hint)
        }
    }

    private static let hint =
        "write postgres://user:password@host:5432/database, with %XX for special characters in a password"
}
