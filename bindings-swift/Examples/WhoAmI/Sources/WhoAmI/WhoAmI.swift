// Asks AWS who the credentials of Roles Anywhere are: a server's first lines, and a request that no SDK signs.
//
//   swift run WhoAmI CERTIFICATE KEY TRUST-ANCHOR-ARN PROFILE-ARN ROLE-ARN [ENDPOINT]
//
// With an endpoint (an emulator's), STS is asked there too.

import Foundation
import RolesAnywhere

@main
struct WhoAmI {
    static func main() async {
        do {
            print(try await answer(to: Array(CommandLine.arguments.dropFirst())))
        } catch {
            FileHandle.standardError.write(Data("who-am-i: \(error.localizedDescription)\n".utf8))
            exit(1)
        }
    }

    static func answer(to arguments: [String]) async throws -> String {
        guard (5...6).contains(arguments.count) else {
            throw RolesAnywhereError.invalidInput(
                message: "usage: WhoAmI CERTIFICATE KEY TRUST-ANCHOR-ARN PROFILE-ARN ROLE-ARN [ENDPOINT]"
            )
        }
        var configuration = RolesAnywhereConfiguration(
            trustAnchorARN: arguments[2], profileARN: arguments[3], roleARN: arguments[4]
        )
        configuration.endpoint = arguments.count == 6 ? arguments[5] : nil
        let provider = try RolesAnywhereCredentialProvider(
            configuration: configuration,
            // Read anew at every renewal: whoever renews the certificate need not restart the server.
            loadingIdentity: Identity.files(
                certificate: URL(fileURLWithPath: arguments[0]), privateKey: URL(fileURLWithPath: arguments[1])
            )
        )

        let sts = configuration.endpoint ?? "https://sts.\(provider.region).amazonaws.com"
        let url = URL(string: sts + "/?Action=GetCallerIdentity&Version=2011-06-15")
        guard let url else { throw RolesAnywhereError.invalidInput(message: "`\(sts)` is no URL: correct the endpoint") }
        let signed = try SigV4Signer(region: provider.region, service: "sts").sign(
            HTTPRequest(url: url, headers: [HTTPHeader(name: "accept", value: "application/json")]),
            with: await provider.credentials()
        )
        let response = try await URLSessionTransport.shared.send(signed, timeout: .seconds(10))
        let body = String(decoding: response.body, as: UTF8.self)
        guard response.status == 200 else {
            throw RolesAnywhereError.invalidResponse(message: "STS answered with status \(response.status): \(body)")
        }
        return body
    }
}
