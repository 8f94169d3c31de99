// swift-tools-version: 6.0
// Keys of swift-crypto, in a package of its own, so that nobody else fetches it. On Apple platforms
// `CryptoKitSigner` of the main package takes the same keys.
import PackageDescription

let package = Package(
    name: "rolesanywhere-swift-crypto",
    platforms: [.macOS(.v13), .iOS(.v16), .tvOS(.v16), .watchOS(.v9), .visionOS(.v1)],
    products: [.library(name: "RolesAnywhereSwiftCrypto", targets: ["RolesAnywhereSwiftCrypto"])],
    dependencies: [
        .package(name: "rolesanywhere-swift", path: "../.."),
        .package(url: "https://github.com/apple/swift-crypto", "3.0.0"..<"5.0.0"),
    ],
    targets: [
        .target(
            name: "RolesAnywhereSwiftCrypto",
            dependencies: [
                .product(name: "RolesAnywhere", package: "rolesanywhere-swift"),
                .product(name: "Crypto", package: "swift-crypto"),
            ]
        )
    ]
)
