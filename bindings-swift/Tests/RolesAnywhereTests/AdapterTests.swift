#if STAND_INS
    import Crypto
    import Foundation
    import RolesAnywhereAWSSDK
    import RolesAnywhereSoto
    import RolesAnywhereSwiftCrypto
    import SmithyIdentity
    import SotoCore
    import Testing

    @testable import RolesAnywhere

    /// The adapters, compiled and run against the stand-ins of `Tests/StandIns`.
    @Suite("Adapters")
    struct AdapterTests {
        let authority: Authority
        let emulator: Emulator

        init() throws {
            authority = try Authority()
            emulator = try Emulator(authority)
        }

        @Test func theAWSSDK() async throws {
            let provider = try emulator.provider(authority.issue(.p256).identity())
            let resolver: any AWSCredentialIdentityResolver = RolesAnywhereCredentialIdentityResolver(provider)
            let identity = try await resolver.getIdentity(identityProperties: nil)
            let credentials = try await provider.credentials()
            #expect(identity.accessKey == credentials.accessKeyID && identity.secret == credentials.secretAccessKey)
            #expect(identity.sessionToken == credentials.sessionToken && identity.expiration == credentials.expiration)
            #expect(identity.accountID == Emulator.account)
            #expect(try emulator.calls() == 1)
        }

        @Test func soto() async throws {
            let provider = try emulator.provider(authority.issue(.p256).identity())
            let soto = CredentialProviderFactory.rolesAnywhere(provider).provider()
            let credential = try #require(try await soto.getCredential(logger: Logger(label: "test")) as? any ExpiringCredential)
            let credentials = try await provider.credentials()
            #expect(credential.accessKeyId == credentials.accessKeyID && credential.secretAccessKey == credentials.secretAccessKey)
            #expect(credential.sessionToken == credentials.sessionToken && credential.expiration == credentials.expiration)
            #expect("\(soto)" == "RolesAnywhereSotoProvider")
            try await soto.shutdown()
        }

        @Test func swiftCrypto() async throws {
            func check(_ kind: Authority.Kind, _ signer: (String) throws -> SwiftCryptoSigner) async throws {
                let issued = try authority.issue(kind)
                let signer = try signer(String(decoding: issued.key(), as: UTF8.self))
                let identity = try Identity(certificate: issued.certificate(), signer: signer)
                #expect(try await emulator.provider(identity).credentials().accessKeyID.hasPrefix("ASIA"))
            }
            try await check(.p256) { try SwiftCryptoSigner(P256.Signing.PrivateKey(pemRepresentation: $0)) }
            try await check(.p384) { try SwiftCryptoSigner(P384.Signing.PrivateKey(pemRepresentation: $0)) }
            try await check(.p521) { try SwiftCryptoSigner(P521.Signing.PrivateKey(pemRepresentation: $0)) }
        }
    }
#endif
