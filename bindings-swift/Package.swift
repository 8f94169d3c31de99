// swift-tools-version: 6.0
import Foundation
import PackageDescription

// Where the compiled core comes from:
//
// * Apple platforms: RolesAnywhereFFI.xcframework in this folder, which `build-xcframework` makes. A release
//   puts the `url` and `checksum` of its zip here instead.
// * Linux: the static library `librolesanywhere_swift.a`, out of `lib/` where that folder is there (a
//   checkout: `build-library` fills it), else from where the linker looks: /usr/local/lib, LIBRARY_PATH,
//   or `swift build -Xlinker -L/the/folder`. SwiftPM takes no flags of a package that another fetches.

#if os(Linux)
let library = Context.packageDirectory + "/lib"
let isCheckout = FileManager.default.fileExists(atPath: library + "/librolesanywhere_swift.a")
let core: [Target] = [
    .target(
        name: "RolesAnywhereFFI",
        linkerSettings: [.linkedLibrary("rolesanywhere_swift")]
            + (isCheckout ? [.unsafeFlags(["-L\(library)"])] : [])
    ),
]
#else
let core: [Target] = [.binaryTarget(name: "RolesAnywhereFFI", path: "RolesAnywhereFFI.xcframework")]
#endif

// The adapters have packages of their own, in Adapters. The tests compile them against stand-ins of what
// those packages fetch; nobody else sees these targets.
func standIn(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Tests/StandIns/\(name)")
}
func adapter(_ name: String, in folder: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: ["RolesAnywhere"] + dependencies, path: "Adapters/\(folder)/Sources/\(name)")
}
let withStandIns = Context.environment["ROLESANYWHERE_STAND_INS"] != nil
let adapters: [Target] = withStandIns
    ? [
        standIn("Smithy"), standIn("SmithyIdentity", ["Smithy"]), standIn("Logging"), standIn("SotoCore", ["Logging"]),
        standIn("Crypto", ["COpenSSL"]),
        adapter("RolesAnywhereAWSSDK", in: "AWSSDK", ["Smithy", "SmithyIdentity"]),
        adapter("RolesAnywhereSoto", in: "Soto", ["SotoCore"]),
        adapter("RolesAnywhereSwiftCrypto", in: "SwiftCrypto", ["Crypto"]),
    ]
    : []
let tested: [Target.Dependency] = withStandIns
    ? ["RolesAnywhereAWSSDK", "RolesAnywhereSoto", "RolesAnywhereSwiftCrypto", "SmithyIdentity", "SotoCore", "Crypto"]
    : []

let package = Package(
    name: "rolesanywhere-swift",
    platforms: [.macOS(.v13), .iOS(.v16), .tvOS(.v16), .watchOS(.v9), .visionOS(.v1)],
    products: [.library(name: "RolesAnywhere", targets: ["RolesAnywhere"])],
    targets: core + adapters + [
        // Generated: in Swift 5 mode, since UniFFI's Swift is not ready for more. Nobody sees it.
        .target(
            name: "RolesAnywhereNative",
            dependencies: ["RolesAnywhereFFI"],
            swiftSettings: [.swiftLanguageMode(.v5)]
        ),
        .target(name: "RolesAnywhere", dependencies: ["RolesAnywhereNative"]),
        .systemLibrary(name: "COpenSSL", path: "Tests/COpenSSL"), // the tests' own signer
        .testTarget(
            name: "RolesAnywhereTests",
            dependencies: ["RolesAnywhere", "RolesAnywhereNative", "COpenSSL"] + tested,
            swiftSettings: withStandIns ? [.define("STAND_INS")] : []
        ),
    ]
)
