import Foundation

internal import RolesAnywhereNative

/// A certificate and what signs with its private key.
///
/// Files are taken in every form that certificate authorities hand out: PEM, DER, PKCS#12, PKCS#7; a PEM
/// file may hold the certificate, its chain and the key together. Base64 of any of these is read too, as the
/// variables of CI jobs and clusters carry it: `Data(ProcessInfo.processInfo.environment["KEY"]!.utf8)`.
public struct Identity: Sendable {
    private enum Key {
        case local(LocalIdentity)
        case external(any Signer)
    }

    let chain: CertificateChain
    private let key: Key

    /// Reads a certificate and its private key. The key is kept by the compiled core, which wipes it when the
    /// last copy of the identity goes; your `Data` stays yours to wipe.
    ///
    /// - Parameters:
    ///   - certificate: The certificate, alone or with its chain, its key, or both; or a PKCS#12 file.
    ///   - privateKey: The private key, where it is not in `certificate`.
    ///   - intermediates: Certificates that may be issuers; those on the way to the root are sent.
    ///   - password: The password of the key or of the PKCS#12 file.
    /// - Throws: ``RolesAnywhereError``: `.invalidCertificate`, `.invalidKey`, `.keyMismatch`,
    ///   `.passwordRequired`, `.wrongPassword` or `.unsupported`.
    public init(
        certificate: Data, privateKey: Data? = nil, intermediates: Data? = nil, password: String? = nil
    ) throws {
        let (certificate, privateKey, intermediates) = (
            try present(certificate, "certificate"),
            try privateKey.map { try present($0, "private key") } ?? Data(),
            try intermediates.map { try present($0, "file of intermediates") } ?? Data()
        )
        let local = try withBytes(of: password) { bytes in
            try calling {
                try LocalIdentity.read(
                    certificate: certificate, privateKey: privateKey, intermediates: intermediates,
                    password: bytes, hasPassword: password != nil
                )
            }
        }
        chain = local.chain()
        key = .local(local)
    }

    /// Reads a certificate whose private key is elsewhere.
    ///
    /// - Parameters:
    ///   - certificate: The certificate, alone or with its chain.
    ///   - intermediates: Certificates that may be issuers; those on the way to the root are sent.
    ///   - password: The password, where `certificate` is a PKCS#12 file.
    ///   - signer: What signs with the private key.
    /// - Throws: ``RolesAnywhereError``: `.invalidCertificate` or `.unsupported`, and for a PKCS#12 file
    ///   `.passwordRequired` or `.wrongPassword`.
    public init(
        certificate: Data, intermediates: Data? = nil, password: String? = nil, signer: any Signer
    ) throws {
        let certificate = try present(certificate, "certificate")
        let intermediates = try intermediates.map { try present($0, "file of intermediates") } ?? Data()
        chain = try withBytes(of: password) { bytes in
            try calling {
                try CertificateChain.read(
                    certificate: certificate, intermediates: intermediates,
                    password: bytes, hasPassword: password != nil
                )
            }
        }
        key = .external(signer)
    }

    /// Reads an identity's files, once. ``files(certificate:privateKey:intermediates:password:)`` reads them
    /// anew at every renewal, which takes up a certificate that was replaced.
    ///
    /// - Throws: ``RolesAnywhereError``, as ``init(certificate:privateKey:intermediates:password:)``;
    ///   `.invalidInput` when a file cannot be read.
    public init(
        contentsOf certificate: URL, privateKey: URL? = nil, intermediates: URL? = nil, password: String? = nil
    ) throws {
        var secret = try privateKey.map { try read($0, "`privateKey`", .privateKey) }
        defer { secret?.wipe() }
        var first = try read(certificate, "`contentsOf`", .certificate)
        defer { first.wipe() } // it may hold the key
        try self.init(
            certificate: first, privateKey: secret,
            intermediates: intermediates.map { try read($0, "`intermediates`", .intermediates) },
            password: password
        )
    }

    /// What reads an identity's files, for
    /// ``RolesAnywhereCredentialProvider/init(configuration:transport:clock:loadingIdentity:)``.
    public static func files(
        certificate: URL, privateKey: URL? = nil, intermediates: URL? = nil, password: String? = nil
    ) -> @Sendable () async throws -> Identity {
        {
            try Identity(
                contentsOf: certificate, privateKey: privateKey, intermediates: intermediates, password: password
            )
        }
    }

    /// The end entity's certificate.
    public var certificate: CertificateDetails { CertificateDetails(chain) }

    /// The signed request. Throws what the core or the signer throws.
    func sign(_ request: UnsignedRequest, within timeout: Duration) async throws -> RolesAnywhereNative.HttpRequest {
        switch key {
        case let .local(local):
            return try local.sign(request: request)
        case let .external(signer):
            let message = Data(request.stringToSign().utf8)
            let algorithm = SigningAlgorithm(request.algorithm())
            let signature: Signature
            do {
                signature = try await withDeadline(timeout) {
                    try await signer.sign(message, with: algorithm)
                }
            } catch let error as RolesAnywhereError {
                throw error
            } catch is DeadlineExceeded {
                throw RolesAnywhereError.signingFailed(
                    message: "the signer did not answer within \(timeout): look at the key store that it uses"
                )
            } catch is CancellationError where Task.isCancelled {
                throw CancellationError()
            } catch {
                throw RolesAnywhereError.signingFailed(message: "the signer failed: \(described(error))")
            }
            return try request.withSignature(form: signature.form, signature: signature.bytes)
        }
    }
}

/// What a certificate says.
public struct CertificateDetails: Sendable, Equatable {
    /// The subject, as RFC 4514 writes names.
    public let subject: String
    /// The issuer, as RFC 4514 writes names.
    public let issuer: String
    /// The serial number in decimal, as the service writes it.
    public let serialNumber: String
    /// SHA-256 over the DER, hexadecimal.
    public let fingerprintSHA256: String
    /// The first second of the validity.
    public let notBefore: Date
    /// The last second of the validity.
    public let notAfter: Date
}

extension CertificateDetails {
    init(_ chain: CertificateChain) {
        subject = chain.subject()
        issuer = chain.issuer()
        serialNumber = chain.serialDecimal()
        fingerprintSHA256 = chain.fingerprintSha256()
        notBefore = Date(seconds: chain.notBefore())
        notAfter = Date(seconds: chain.notAfter())
    }
}

/// The content of a file. What a URL holds may be a key in the wrong place: the core decides whether it is shown, and
/// Foundation's own words, which repeat the file's name, are not.
private func read(_ file: URL, _ parameter: String, _ part: IdentityPart) throws -> Data {
    let reason: String
    do {
        let path = file.resolvingSymlinksInPath().path
        let type = try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
        // Files are read again at every renewal, which a pipe is not, and a pipe that nobody writes to would keep
        // the caller for ever.
        if type == .typeRegular { return try Data(contentsOf: file) }
        reason = "it is a pipe, a device or a directory, not a file: pass what it holds"
    } catch {
        reason = whyUnreadable(error)
    }
    let found = FileManager.default.fileExists(atPath: file.path)
    try calling {
        try refuseUnreadable(path: file.path, name: parameter, part: part, found: found, reason: reason)
    }
    throw RolesAnywhereError.invalidInput(message: "the file of \(parameter) cannot be read: check it")
}

/// Why a file cannot be read, without its name.
private func whyUnreadable(_ error: any Error) -> String {
    let outer = error as NSError
    let inner = outer.userInfo[NSUnderlyingErrorKey] as? NSError
    for one in [outer, inner].compactMap({ $0 }) where one.domain == NSPOSIXErrorDomain {
        return String(cString: strerror(Int32(one.code)))
    }
    switch (error as? CocoaError)?.code {
    case .fileReadNoSuchFile, .fileNoSuchFile: return "no such file or directory"
    case .fileReadNoPermission: return "permission denied"
    default: return "error \(outer.code) of the system"
    }
}

/// An empty file would pass for none at the border.
private func present(_ bytes: Data, _ what: String) throws -> Data {
    if bytes.isEmpty { throw RolesAnywhereError.invalidInput(message: "the \(what) is empty: pass its content") }
    return bytes
}

private func withBytes<T>(of password: String?, _ act: (Data) throws -> T) rethrows -> T {
    var bytes = Data((password ?? "").utf8)
    defer { bytes.wipe() }
    return try act(bytes)
}

extension Data {
    mutating func wipe() {
        resetBytes(in: startIndex..<endIndex)
    }
}

/// What an error says; Foundation's generic sentence says nothing.
func described(_ error: any Error) -> String {
    if let error = error as? any LocalizedError, let description = error.errorDescription { return description }
    if error is URLError || error is CocoaError { return error.localizedDescription }
    return String(describing: error)
}
